//! Whether a threshold held.

use super::Threshold;
use super::figure::Figure;
use crate::load::result::{Figures, LoadResult, ThresholdResult};

impl Threshold {
    /// Whether it held in a run. Where nothing was measured it has not.
    #[must_use]
    pub fn evaluate(&self, result: &LoadResult) -> ThresholdResult {
        // What is not a number was not measured.
        let observed = self.observed(result).filter(|value| value.is_finite());
        ThresholdResult {
            expression: self.expression.clone(),
            passed: observed.is_some_and(|value| self.comparison.holds(value, self.bound)),
            observed: observed.map_or_else(|| "no data".to_owned(), |value| self.figure.unit().write(value)),
        }
    }

    fn observed(&self, result: &LoadResult) -> Option<f64> {
        let lag = || (result.generator.sends > 0).then_some(result.generator.lag_ms);
        match self.figure {
            Figure::LagP50 => lag().map(|lag| lag.p50),
            Figure::LagP99 => lag().map(|lag| lag.p99),
            Figure::LagMax => lag().map(|lag| lag.max),
            Figure::DroppedSends => Some(result.results.dropped_sends as f64),
            Figure::MaxRss => {
                let measured = result.series.iter().filter(|point| !point.warm_up);
                measured.filter_map(|point| point.rss_bytes).max().map(|bytes| bytes as f64)
            }
            figure => latency_or_rate(figure, self.figures(result)?),
        }
    }

    fn figures<'a>(&self, result: &'a LoadResult) -> Option<&'a Figures> {
        let results = &result.results;
        match (&self.kind, self.priority) {
            (None, None) => Some(&results.all),
            (Some(kind), None) => results.by_kind.get(kind),
            (None, Some(priority)) => results.by_priority.get(&priority),
            (Some(kind), Some(priority)) => results.by_kind_and_priority.get(kind)?.get(&priority),
        }
    }
}

fn latency_or_rate(figure: Figure, figures: &Figures) -> Option<f64> {
    if figures.total_requests == 0 {
        return None;
    }
    match figure {
        Figure::ErrorRate => Some(figures.error_rate),
        Figure::Throughput => Some(figures.throughput),
        // Nothing ended, or only in errors that say nothing about latency.
        _ if figures.measured == 0 => None,
        Figure::P50 => Some(figures.percentiles.p50),
        Figure::P90 => Some(figures.percentiles.p90),
        Figure::P95 => Some(figures.percentiles.p95),
        Figure::P99 => Some(figures.percentiles.p99),
        Figure::P999 => Some(figures.percentiles.p999),
        Figure::Max => Some(figures.percentiles.max),
        Figure::Mean => Some(figures.avg_response_time),
        _ => None,
    }
}
