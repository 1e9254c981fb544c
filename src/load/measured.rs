//! What a load test measured.

use std::fmt;
use std::time::SystemTime;

use hdrhistogram::Histogram;

use super::measure::Series;
use super::result::LoadResult;

/// What a load test measured: the result, and the histograms behind it.
pub struct Measured {
    /// What is to be read of it. Targets and baseline are for the caller to fill.
    pub result: LoadResult,
    pub(super) started_at: SystemTime,
    pub(super) corrected: Histogram<u64>,
    pub(super) uncorrected: Histogram<u64>,
    pub(super) series: Series,
}

impl Measured {
    pub(super) fn new(
        result: LoadResult,
        started_at: SystemTime,
        corrected: Histogram<u64>,
        uncorrected: Histogram<u64>,
        series: Series,
    ) -> Self {
        Self { result, started_at, corrected, uncorrected, series }
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").field("result", &self.result).finish_non_exhaustive()
    }
}
