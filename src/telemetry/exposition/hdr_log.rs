//! A log of interval histograms that the tools around HDR histograms open.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::telemetry::sparse::Sparse;

/// Values are logged in nanoseconds; the maximum in each line is in milliseconds.
const NANOS_PER_MILLI: f64 = 1e6;

/// Interval histograms of durations, each under a tag, as an HDR interval log (`.hlog`, format 1.3).
#[derive(Debug)]
pub struct HdrLog<'a> {
    start: SystemTime,
    intervals: Vec<(&'a str, Duration, Duration, Sparse)>,
}

impl<'a> HdrLog<'a> {
    /// An empty log of what began at `start`.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        Self { start, intervals: Vec::new() }
    }

    /// Adds what was measured (in nanoseconds) from `at` after the start on, for `length`. A tag that the format does not
    /// allow (an empty one, or with commas, spaces or line ends) is left out.
    pub fn add(&mut self, tag: &'a str, at: Duration, length: Duration, values: Sparse) {
        self.intervals.push((tag, at, length, values));
    }

    /// Writes the log.
    ///
    /// # Errors
    ///
    /// Whatever `out` fails with.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .with_start_time(self.start)
            .with_base_time(self.start)
            .with_max_value_divisor(NANOS_PER_MILLI)
            .begin_log_with(out, &mut serializer)?;
        for (tag, at, length, values) in &self.intervals {
            log.write_histogram(&values.to_histogram(), *at, *length, Tag::new(tag))
                .map_err(io::Error::other)?;
        }
        Ok(())
    }
}
