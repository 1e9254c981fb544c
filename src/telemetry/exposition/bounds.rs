//! Where the classic buckets of a histogram end.

use crate::telemetry::names::Unit;

/// For durations: from the cost of a message on one core to where somebody is told. 2 s is the response time of the
/// built-in alert rule, so it is a bound.
pub const SECONDS_BOUNDS: &[f64] = &[
    0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0,
    10.0, 30.0,
];

/// For sizes: 256 B to 1 GiB.
pub const BYTES_BOUNDS: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    16_777_216.0,
    268_435_456.0,
    1_073_741_824.0,
];

/// For numbers of things.
pub const COUNT_BOUNDS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 10_000.0, 100_000.0];

/// For parts of a whole.
pub const RATIO_BOUNDS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

/// The upper bounds of the buckets of a histogram of this unit, in that unit, without the last, which is infinite.
#[must_use]
pub const fn bounds(unit: Unit) -> &'static [f64] {
    match unit {
        Unit::Seconds => SECONDS_BOUNDS,
        Unit::Bytes => BYTES_BOUNDS,
        Unit::Ratio => RATIO_BOUNDS,
        Unit::Count | Unit::PerSecond | Unit::BytesPerSecond => COUNT_BOUNDS,
    }
}
