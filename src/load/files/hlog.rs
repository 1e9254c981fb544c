//! The latencies of each second and priority as an HDR interval log.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::load::measure::Series;
use crate::message::Priority;

/// Values are logged in nanoseconds; the maximum in each line is in milliseconds.
const NANOS_PER_MILLI: f64 = 1e6;

pub(super) fn write(
    started_at: SystemTime,
    series: &Series,
    mut out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .with_start_time(started_at)
        .with_base_time(started_at)
        .with_max_value_divisor(NANOS_PER_MILLI)
        .begin_log_with(&mut out, &mut serializer)?;
    for slot in series.slots() {
        let at = Duration::from_secs_f64(slot.point.second);
        let length = Duration::from_secs_f64(slot.point.span_seconds);
        for (priority, latencies) in Priority::ALL.into_iter().zip(&slot.latencies) {
            if !latencies.is_empty() {
                log.write_histogram(&latencies.unpacked(), at, length, Tag::new(priority.as_str()))
                    .map_err(io::Error::other)?;
            }
        }
    }
    Ok(())
}
