//! The curve of throughput against concurrency that a load test measured.

use super::Point;
use crate::load::result::SeriesPoint;

/// Part of a level's seconds, from its beginning, in which the system is still on its way there.
const SETTLING: f64 = 0.2;

/// Loads this close to each other are one level of the curve.
const LEVEL: f64 = 1.1;

/// Messages under way, counted at the ends of a level's seconds and added up, from which on their mean is believed.
const COUNTED: f64 = 30.0;

/// Throughput at each load that was held for some seconds, the cool-down and the drain left out.
///
/// Concurrency is the mean number of messages under way. Where so few are that the count at the end of each second is mostly
/// chance, it is what Little's law gives: throughput times response time, the median standing for the mean.
#[must_use]
pub fn curve(series: &[SeriesPoint]) -> Vec<Point> {
    let mut levels: Vec<Vec<&SeriesPoint>> = Vec::new();
    let mut points: Vec<_> = series.iter().filter(|it| !it.warm_up && it.offered > 0).collect();
    points.retain(|it| it.span_seconds.is_finite() && it.span_seconds > 0.0 && !is_after(&it.stage));
    let offered = |it: &SeriesPoint| it.offered as f64 / it.span_seconds;
    for point in points {
        let fits = levels.last().is_some_and(|level| {
            let first = offered(level[0]);
            level[0].stage == point.stage
                && offered(point) <= first * LEVEL
                && first <= offered(point) * LEVEL
        });
        match levels.last_mut() {
            Some(level) if fits => level.push(point),
            _ => levels.push(vec![point]),
        }
    }
    levels
        .iter()
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

fn is_after(stage: &str) -> bool {
    matches!(stage, "cool-down" | "drain")
}
