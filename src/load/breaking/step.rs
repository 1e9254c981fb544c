//! Judges a step.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::load::measure::{Cell, add, histogram, milliseconds};
use crate::load::result::BreakingStep;
use crate::load::scenario::Breaking;
use crate::message::Priority;

/// What was sent and what ended in a stretch of time.
#[derive(Debug, Clone)]
pub(in crate::load) struct Window {
    pub(in crate::load) seconds: f64,
    pub(in crate::load) offered: u64,
    pub(in crate::load) dropped: u64,
    pub(in crate::load) completed: u64,
    pub(in crate::load) failed: u64,
    /// Of what ended, from when it was to be sent.
    pub(in crate::load) latencies: Histogram<u64>,
    pub(in crate::load) critical: Histogram<u64>,
    pub(in crate::load) lag: Histogram<u64>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            seconds: 0.0,
            offered: 0,
            dropped: 0,
            completed: 0,
            failed: 0,
            latencies: histogram(),
            critical: histogram(),
            lag: histogram(),
        }
    }
}

impl Window {
    /// Adds messages that ended.
    pub(in crate::load) fn add(&mut self, priority: Priority, cell: &Cell) {
        self.completed += cell.done;
        self.failed += cell.all_failed();
        add(&mut self.latencies, &cell.corrected);
        if priority == Priority::Critical {
            add(&mut self.critical, &cell.corrected);
        }
    }

    pub(super) fn p99_ms(&self) -> Option<f64> {
        p99(&self.latencies)
    }

    /// Of what ended and of what was not even sent, how much failed, in percent.
    pub(super) fn error_rate(&self) -> f64 {
        let failed = self.failed + self.dropped;
        let all = self.completed + failed;
        if all == 0 { 0.0 } else { failed as f64 / all as f64 * 100.0 }
    }

    /// Whether a target that behaves so is broken, and why.
    pub(super) fn judge(&self, terms: &Breaking, rate: f64, lag: Duration) -> BreakingStep {
        let mut step = BreakingStep {
            offered: rate,
            completed: if self.seconds > 0.0 { self.completed as f64 / self.seconds } else { 0.0 },
            p99_ms: self.p99_ms(),
            critical_p99_ms: p99(&self.critical),
            error_rate: self.error_rate(),
            broken: false,
            why: String::new(),
        };
        let mut faults = Vec::new();
        let wanted = self.offered as f64 * terms.completed_ratio;
        if (self.completed as f64) < wanted {
            let percent = self.completed as f64 / self.offered.max(1) as f64 * 100.0;
            let bound = terms.completed_ratio * 100.0;
            faults.push(format!("{percent:.1} % of what was offered was completed, and not {bound:.0} %"));
        }
        if let (Some(p99), Some(bound)) = (step.p99_ms, terms.p99)
            && p99 > bound.as_secs_f64() * 1e3
        {
            faults.push(format!(
                "the 99th percentile was {p99:.1} ms, above {:.1} ms",
                bound.as_secs_f64() * 1e3
            ));
        }
        if step.error_rate > terms.error_rate {
            faults.push(format!("{:.1} % failed, above {:.1} %", step.error_rate, terms.error_rate));
        }
        if let Some(p99) = p99(&self.lag)
            && p99 > lag.as_secs_f64() * 1e3
        {
            faults.push(format!("the generator was {p99:.1} ms late, so the machine was full"));
        }
        step.broken = !faults.is_empty();
        step.why = faults.join("; ");
        step
    }
}

fn p99(histogram: &Histogram<u64>) -> Option<f64> {
    (!histogram.is_empty()).then(|| milliseconds(histogram.value_at_quantile(0.99)))
}
