//! A percentile distribution as HdrHistogram's own tools print it, which its plotter reads.

use std::io::{self, Write};

use hdrhistogram::Histogram;

/// Values are written in milliseconds.
const NANOS: f64 = 1e6;

/// Lines from a percentile to half the way from there to 100: what the other implementations print.
const TICKS: u32 = 5;

pub(super) fn write(histogram: &Histogram<u64>, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    let mut count = 0;
    for step in histogram.iter_quantiles(TICKS) {
        count += step.count_since_last_iteration();
        let (value, quantile) = (step.value_iterated_to() as f64 / NANOS, step.quantile_iterated_to());
        write!(out, "{value:12.3} {quantile:.12} {count:10}")?;
        // The last line has no fourth column: it would be infinite.
        if quantile < 1.0 {
            write!(out, " {:14.2}", 1.0 / (1.0 - quantile))?;
        }
        writeln!(out)?;
    }
    let (mean, deviation) = (histogram.mean() / NANOS, histogram.stdev() / NANOS);
    let max = histogram.max() as f64 / NANOS;
    writeln!(out, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]")?;
    writeln!(out, "#[Max     = {max:12.3}, Total count    = {:12}]", histogram.len())?;
    writeln!(out, "#[Buckets = {:12}, SubBuckets     = {:12}]", histogram.buckets(), sub_buckets(histogram))
}

/// Steps of a bucket: twice as many as the digits need, as a power of two.
fn sub_buckets(histogram: &Histogram<u64>) -> u64 {
    (2 * 10_u64.pow(u32::from(histogram.sigfig()))).next_power_of_two()
}
