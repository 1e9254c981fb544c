//! What a threshold can be about, and in what unit.

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    P50,
    P90,
    P95,
    P99,
    P999,
    Max,
    Mean,
    ErrorRate,
    Throughput,
    DroppedSends,
    MaxRss,
    LagP50,
    LagP99,
    LagMax,
}

/// What a figure is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Percent,
    PerSecond,
    Bytes,
    Things,
}

impl Figure {
    pub(super) const ALL: [(&'static str, Self); 14] = [
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("p999", Self::P999),
        ("max", Self::Max),
        ("avg", Self::Mean),
        ("error_rate", Self::ErrorRate),
        ("throughput", Self::Throughput),
        ("dropped_sends", Self::DroppedSends),
        ("max_rss", Self::MaxRss),
        ("generator_lag_p50", Self::LagP50),
        ("generator_lag_p99", Self::LagP99),
        ("generator_lag_max", Self::LagMax),
    ];

    pub(super) const fn unit(self) -> Unit {
        match self {
            Self::P50 | Self::P90 | Self::P95 | Self::P99 | Self::P999 | Self::Max | Self::Mean => {
                Unit::Milliseconds
            }
            Self::LagP50 | Self::LagP99 | Self::LagMax => Unit::Milliseconds,
            Self::ErrorRate => Unit::Percent,
            Self::Throughput => Unit::PerSecond,
            Self::MaxRss => Unit::Bytes,
            Self::DroppedSends => Unit::Things,
        }
    }

    /// Whether it is measured of each kind and priority.
    pub(super) const fn has_labels(self) -> bool {
        !matches!(self, Self::MaxRss | Self::DroppedSends | Self::LagP50 | Self::LagP99 | Self::LagMax)
    }
}

impl Unit {
    /// How it may be written, each with what it is worth.
    pub(super) const fn symbols(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Milliseconds => {
                &[("ns", 1e-6), ("us", 1e-3), ("µs", 1e-3), ("ms", 1.0), ("s", 1e3), ("min", 6e4)]
            }
            Self::Percent => &[("%", 1.0)],
            Self::PerSecond => &[("/s", 1.0)],
            Self::Bytes => &[
                ("B", 1.0),
                ("KB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("KiB", 1024.0),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
            ],
            Self::Things => &[("", 1.0)],
        }
    }

    /// A measured value with its unit, for people.
    pub(super) fn write(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value < 1.0 => format!("{:.1} us", value * 1e3),
            Self::Milliseconds if value >= 1e4 => format!("{:.2} s", value / 1e3),
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::Percent => format!("{value:.3} %"),
            Self::PerSecond => format!("{value:.1}/s"),
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::Things => format!("{value:.0}"),
        }
    }
}
