//! What is made of the samples of a window, and when that is bad.

use serde::{Deserialize, Serialize};

/// Makes one value of the samples in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The median.
    P50,
    /// 90 of 100 values are at most this.
    P90,
    /// 95 of 100 values are at most this.
    P95,
    /// 99 of 100 values are at most this.
    P99,
    /// The arithmetic mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The newest.
    Last,
    /// How many there are: samples of a gauge or counter, measured values of a histogram.
    Count,
    /// By how much a counter grew, a restart of its process allowed for.
    Increase,
    /// The same, per second.
    Rate,
}

impl Aggregate {
    /// Each, by its name in a rule file.
    pub const NAMES: [(&str, Self); 11] = [
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("min", Self::Min),
        ("last", Self::Last),
        ("count", Self::Count),
        ("increase", Self::Increase),
        ("rate", Self::Rate),
    ];

    /// Its name in a rule file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// The share of the values that a quantile is of.
    pub(super) const fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }

    /// Whether it looks at what a counter grew by.
    pub(super) const fn is_growth(self) -> bool {
        matches!(self, Self::Increase | Self::Rate)
    }
}

/// On which side of the threshold it is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Comparison {
    /// Each, by its sign in a rule file.
    pub const NAMES: [(&str, Self); 4] =
        [(">", Self::Above), (">=", Self::AtLeast), ("<", Self::Below), ("<=", Self::AtMost)];

    /// Its sign in a rule file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// Whether `value` is on the side of `bound` that it names.
    #[must_use]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
        }
    }

    /// Whether large values are the bad ones.
    #[must_use]
    pub const fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}
