//! The curve of throughput against concurrency that a load test measured.

use super::Point;
use crate::load::result::SeriesPoint;

/// Part of a level's seconds, from its beginning, in which the system is still on its way there.
const SETTLING: f64 = 0.2;

/// Loads this close to each other are one level of a ramp.
const LEVEL: f64 = 1.1;

/// Messages under way, counted at the ends of a level's seconds and added up, from which on their mean is believed.
const COUNTED: f64 = 30.0;

/// Throughput at each load that was held for some seconds, the cool-down and the drain left out.
///
/// Concurrency is the mean number of messages under way. Where so few are that the count at the end of each second is mostly
/// chance, it is what Little's law gives: throughput times response time, the median standing for the mean.
#[must_use]
pub fn curve(series: &[SeriesPoint]) -> Vec<Point> {
    let is_held = |it: &&SeriesPoint| {
        !it.warm_up
            && it.offered > 0
            && it.span_seconds.is_finite()
            && it.span_seconds > 0.0
            && !is_after(&it.stage)
    };
    let points: Vec<_> = series.iter().filter(is_held).collect();
    let stages = points.chunk_by(|a, b| a.stage == b.stage);
    let levels = stages.flat_map(|stage| {
        let same = |a: &&SeriesPoint, b: &&SeriesPoint| {
            let (a, b) = (offered(a), offered(b));
            a <= b * LEVEL && b <= a * LEVEL
        };
        if is_steady(stage) { vec![stage] } else { stage.chunk_by(same).collect() }
    });
    levels
        .filter_map(|level| {
            let settled = &level[(level.len() as f64 * SETTLING) as usize..];
            let seconds: f64 = settled.iter().map(|it| it.span_seconds).sum();
            let mean =
                |of: &dyn Fn(&SeriesPoint) -> f64| settled.iter().map(|it| of(it)).sum::<f64>() / seconds;
            let throughput = mean(&|it| it.completed as f64);
            let counted: f64 = settled.iter().map(|it| it.in_flight as f64).sum();
            let concurrency = if counted >= COUNTED {
                mean(&|it| it.in_flight as f64 * it.span_seconds)
            } else {
                // Milliseconds of all messages of the point.
                mean(&|it| it.p50.filter(|ms| ms.is_finite()).unwrap_or(0.0) / 1e3 * it.completed as f64)
            };
            (concurrency > 0.0 && throughput > 0.0).then_some(Point { concurrency, throughput })
        })
        .collect()
}

fn offered(point: &SeriesPoint) -> f64 {
    point.offered as f64 / point.span_seconds
}

/// Whether the load of a stage neither rose nor fell: its last third is like its first, but for what random arrivals do.
fn is_steady(stage: &[&SeriesPoint]) -> bool {
    let third = stage.len().div_ceil(3);
    let sum = |points: &[&SeriesPoint]| {
        let (offered, seconds) = points
            .iter()
            .fold((0.0, 0.0), |(count, seconds), it| (count + it.offered as f64, seconds + it.span_seconds));
        (offered, seconds)
    };
    let ((first, before), (last, after)) = (sum(&stage[..third]), sum(&stage[stage.len() - third..]));
    let (first, last) = (first / before, last / after);
    // Poisson: the variance of a count is its mean. Three standard deviations of the difference.
    let chance = 3.0 * ((first + last) / before.min(after)).sqrt();
    (first - last).abs() <= chance.max((LEVEL - 1.0) * first.min(last))
}

fn is_after(stage: &str) -> bool {
    matches!(stage, "cool-down" | "drain")
}
