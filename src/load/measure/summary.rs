//! Figures of what was measured.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::cell::{Cell, milliseconds};
use crate::load::result::{Figures, Percentiles, Results, Uncorrected};
use crate::load::target::ErrorClass;
use crate::message::Priority;

/// Points of a spectrum from a percentile to half the way from there to 100.
const TICKS: u32 = 5;

/// The messages of a share of the mix.
#[derive(Debug, Clone)]
pub(in crate::load) struct Class {
    pub(in crate::load) kind: String,
    pub(in crate::load) priority: Priority,
    pub(in crate::load) offered: u64,
    pub(in crate::load) dropped: u64,
    pub(in crate::load) cell: Cell,
}

impl Class {
    pub(in crate::load) fn new(kind: &str, priority: Priority) -> Self {
        Self { kind: kind.to_owned(), priority, offered: 0, dropped: 0, cell: Cell::default() }
    }
}

/// All messages of a run, warm-up left out.
#[derive(Debug, Clone)]
pub(in crate::load) struct Totals {
    pub(in crate::load) classes: Vec<Class>,
}

impl Totals {
    /// The figures of a run whose measured part took so many seconds.
    pub(in crate::load) fn results(&self, seconds: f64) -> Results {
        let all = Sum::of(self.classes.iter());
        let priorities = Priority::ALL.into_iter().map(|priority| {
            (priority, Sum::of(self.classes.iter().filter(|class| class.priority == priority)))
        });
        let mut results = Results {
            all: all.figures(seconds),
            by_priority: sent(priorities, seconds),
            uncorrected: Uncorrected {
                avg_response_time: mean(&all.cell.uncorrected),
                percentiles: percentiles(&all.cell.uncorrected),
            },
            offered_rate: rate(all.offered, seconds),
            dropped_sends: all.dropped,
            errors: all.errors(),
            ..Results::default()
        };
        for kind in self.classes.iter().map(|class| &class.kind) {
            let ours = || self.classes.iter().filter(|class| class.kind == *kind);
            let of_all = [(kind.clone(), Sum::of(ours()))];
            results.by_kind.extend(sent(of_all, seconds));
            let of_each = ours()
                .map(|class| class.priority)
                .map(|priority| (priority, Sum::of(ours().filter(|class| class.priority == priority))));
            let of_each = sent(of_each, seconds);
            if !of_each.is_empty() {
                results.by_kind_and_priority.insert(kind.clone(), of_each);
            }
        }
        results
    }

    /// Latencies of all messages, from when they were to be sent and from when they were.
    pub(in crate::load) fn latencies(&self) -> (Histogram<u64>, Histogram<u64>) {
        let all = Sum::of(self.classes.iter());
        (all.cell.corrected, all.cell.uncorrected)
    }
}

#[derive(Default)]
struct Sum {
    offered: u64,
    dropped: u64,
    cell: Cell,
}

impl Sum {
    fn of<'a>(classes: impl Iterator<Item = &'a Class>) -> Self {
        let mut sum = Self::default();
        for class in classes {
            sum.offered += class.offered;
            sum.dropped += class.dropped;
            sum.cell.add(&class.cell);
        }
        sum
    }

    fn figures(&self, seconds: f64) -> Figures {
        let failed = self.cell.all_failed() + self.dropped;
        let total = self.cell.done + failed;
        Figures {
            total_requests: total,
            successful_requests: self.cell.done,
            failed_requests: failed,
            measured: self.cell.corrected.len(),
            avg_response_time: mean(&self.cell.corrected),
            percentiles: percentiles(&self.cell.corrected),
            throughput: rate(self.cell.done, seconds),
            error_rate: if total == 0 { 0.0 } else { failed as f64 / total as f64 * 100.0 },
        }
    }

    fn errors(&self) -> BTreeMap<ErrorClass, u64> {
        let mut errors: BTreeMap<_, _> = ErrorClass::ALL.into_iter().zip(self.cell.failed).collect();
        *errors.entry(ErrorClass::Dropped).or_default() += self.dropped;
        errors.retain(|_, count| *count > 0);
        errors
    }
}

fn sent<K: Ord>(sums: impl IntoIterator<Item = (K, Sum)>, seconds: f64) -> BTreeMap<K, Figures> {
    let sent = sums.into_iter().filter(|(_, sum)| sum.offered > 0);
    sent.map(|(key, sum)| (key, sum.figures(seconds))).collect()
}

fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn mean(histogram: &Histogram<u64>) -> f64 {
    if histogram.is_empty() { 0.0 } else { histogram.mean() / 1e6 }
}

/// Of nanoseconds, in milliseconds; all zero if there is nothing.
fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    if histogram.is_empty() {
        return Percentiles::default();
    }
    let at = |quantile| milliseconds(histogram.value_at_quantile(quantile));
    Percentiles {
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: milliseconds(histogram.max()),
    }
}

/// Percentiles and milliseconds, closer together towards 100.
pub(in crate::load) fn spectrum(histogram: &Histogram<u64>) -> Vec<[f64; 2]> {
    let steps = histogram.iter_quantiles(TICKS);
    steps.map(|step| [step.quantile_iterated_to() * 100.0, milliseconds(step.value_iterated_to())]).collect()
}
