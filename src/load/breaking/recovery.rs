//! How long a target takes to be normal again.

use super::step::Window;
use crate::load::engine::Moment;
use crate::load::scenario::Breaking;

/// Below this a 99th percentile is normal whatever it was before, in milliseconds: differences down there are those
/// of a machine that does something else as well.
const ALWAYS_NORMAL_MS: f64 = 1.0;

/// Nanoseconds of a window.
const SECOND: u64 = 1_000_000_000;

/// Seconds after the load dropped, one after the other.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// How many are over.
    seconds: u64,
    /// How many of the last were normal.
    in_a_row: u32,
    recovered: Option<u64>,
}

impl Recovery {
    /// When the second ends that runs, if they began at `from`.
    pub(super) fn window_ends(&self, from: Moment) -> Moment {
        from + (self.seconds + 1) * SECOND
    }

    /// Takes note of a second; whether enough in a row were normal.
    pub(super) fn note(&mut self, window: &Window, normal_ms: Option<f64>, terms: &Breaking) -> bool {
        let bound = normal_ms.map(|normal| (normal * terms.cool_down.factor).max(ALWAYS_NORMAL_MS));
        // A second in which nothing ended well is not a normal one.
        let fast = bound.zip(window.p99_ms()).is_some_and(|(bound, p99)| p99 <= bound);
        let is_normal = fast && window.error_rate() <= terms.error_rate;
        self.seconds += 1;
        self.in_a_row = if is_normal { self.in_a_row + 1 } else { 0 };
        if self.recovered.is_none() && self.in_a_row >= terms.cool_down.hold {
            self.recovered = Some(self.seconds - u64::from(self.in_a_row));
        }
        self.recovered.is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        self.recovered.is_some()
    }

    /// From the drop of the load to the first of the normal seconds in a row.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.recovered.map(|seconds| seconds as f64)
    }
}
