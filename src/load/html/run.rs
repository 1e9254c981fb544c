//! What every section needs of a result: its time axis, its stages, and lines through its series.

use crate::load::html::chart::{Axis, Band, Line};
use crate::load::html::number;
use crate::load::{LoadResult, SeriesPoint};
use crate::message::Priority;

/// Behind a chart, more stages than this tell nobody anything.
const MOST_STAGES: usize = 60;

/// A result being written.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) result: &'a LoadResult,
    pub(crate) time: Axis,
    pub(crate) stages: Vec<Band>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(result: &'a LoadResult) -> Self {
        let series = &result.series;
        let from = series.first().map_or(0.0, |point| point.second);
        let to = series.last().map_or(0.0, end);
        let stages = series.iter().map(|point| (point.second, span(point), stage(point)));
        let mut stages = Band::join(stages);
        if stages.len() > MOST_STAGES {
            stages.clear();
        }
        Run { result, time: Axis::time(from, to), stages }
    }

    /// A line through what this gives for each point; NaN for what was not measured.
    pub(crate) fn line(&self, name: &str, class: &'static str, value: impl Fn(&SeriesPoint) -> f64) -> Line {
        Line::new(name, class, self.result.series.iter().map(|point| (point.second, value(point))).collect())
    }

    /// A line each for the priorities of which this gives anything, most urgent first.
    pub(crate) fn by_priority(&self, value: impl Fn(&SeriesPoint, Priority) -> Option<f64>) -> Vec<Line> {
        Priority::ALL
            .into_iter()
            .map(|it| self.line(name(it), it.as_str(), |point| value(point, it).unwrap_or(f64::NAN)))
            .filter(Line::has_points)
            .collect()
    }

    /// What a pointer reads of these paths into a point.
    pub(crate) fn reads_by_priority(path: &str, unit: &str, lines: &[Line]) -> Vec<[String; 3]> {
        lines
            .iter()
            .map(|line| [format!("{path}.{}", line.class), line.name.clone(), unit.to_owned()])
            .collect()
    }
}

/// `12 ms at 1:05`.
pub(crate) fn at((second, value): (f64, f64), words: fn(f64) -> String) -> String {
    format!("{} at {}", words(value), number::clock(second))
}

/// Rates are made of counts by this.
pub(crate) fn rate(count: u64, point: &SeriesPoint) -> f64 {
    count as f64 / span(point)
}

pub(crate) fn span(point: &SeriesPoint) -> f64 {
    if point.span_seconds.is_finite() && point.span_seconds > 0.0 { point.span_seconds } else { 1.0 }
}

pub(crate) fn end(point: &SeriesPoint) -> f64 {
    point.second + span(point)
}

fn stage(point: &SeriesPoint) -> &str {
    if point.warm_up { "warm-up" } else { &point.stage }
}

pub(crate) const fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::Critical => "Critical",
        Priority::High => "High",
        Priority::Normal => "Normal",
        Priority::Low => "Low",
    }
}
