//! Alerting's own figures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::board::OpenAlert;
use super::book::Book;
use super::core::Core;
use super::entry::Fate;
use super::lane::Lane;
use crate::alert::engine::EngineStats;
use crate::alert::time::Moment;
use crate::monitor::MetricSource;
use crate::sync::{Mutex, lock};
use crate::telemetry::MetricSample;
use crate::telemetry::names::metric;

/// Counts since the service was opened.
#[derive(Debug, Default)]
pub(super) struct Figures {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) evaluations: u64,
    pub(super) evaluating: Duration,
    /// How late the last evaluation was.
    pub(super) lag: Duration,
    pub(super) last: Option<Instant>,
    pub(super) interval: Duration,
    pub(super) saves_failed: u64,
    pub(super) stats: EngineStats,
    pub(super) rules: usize,
    pub(super) sinks: BTreeMap<String, OfSink>,
}

/// Counts of one sink.
#[derive(Debug, Default)]
pub(super) struct OfSink {
    pub(super) settled: BTreeMap<Fate, u64>,
    pub(super) failed: u64,
    pub(super) retries: u64,
    /// Seconds since 1970.
    pub(super) last_success: Option<f64>,
}

impl Figures {
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.counts));
    }

    /// An evaluation begins: how late it is is known.
    pub(super) fn begin(&self, interval: Duration) {
        self.count(|it| {
            let now = Instant::now();
            it.lag = it.last.map_or(Duration::ZERO, |last| (now - last).saturating_sub(interval));
            (it.last, it.interval) = (Some(now), interval);
        });
    }

    /// It does not evaluate, so nothing is late.
    pub(super) fn rest(&self) {
        self.count(|it| (it.last, it.lag) = (None, Duration::ZERO));
    }
}

impl Counts {
    pub(super) fn sink(&mut self, sink: &str) -> &mut OfSink {
        if !self.sinks.contains_key(sink) {
            self.sinks.insert(sink.to_owned(), OfSink::default());
        }
        self.sinks.entry(sink.to_owned()).or_default()
    }

    /// The lag of the last evaluation, or of one that should have come since.
    fn lag(&self) -> Duration {
        let waiting = self.last.map_or(Duration::ZERO, |last| last.elapsed().saturating_sub(self.interval));
        self.lag.max(waiting)
    }
}

impl MetricSource for Core {
    fn samples(&self, see: &mut dyn FnMut(MetricSample<'_>)) {
        let now = self.clock.now();
        let (leads, board, waiting) = {
            let mut book = lock(&self.book);
            self.count_settled(&mut book);
            (book.lead.is_some(), std::sync::Arc::clone(&book.board), waiting(&book, now))
        };
        let counts = lock(&self.figures.counts);
        let number = |value: u64| value as f64;
        let stats = counts.stats;
        let refused = stats.refused + stats.malformed;
        see(MetricSample::number(metric::ALERT_LEADING, [], f64::from(u8::from(leads))));
        see(MetricSample::number(metric::ALERT_LAG, [], counts.lag().as_secs_f64()));
        see(MetricSample::number(metric::ALERT_EVALUATIONS, [], number(counts.evaluations)));
        see(MetricSample::number(metric::ALERT_EVALUATING, [], counts.evaluating.as_secs_f64()));
        see(MetricSample::number(metric::ALERT_RULES, [], counts.rules as f64));
        see(MetricSample::number(metric::ALERT_LABEL_SETS, [], stats.label_sets as f64));
        see(MetricSample::number(metric::ALERT_REFUSED, [], number(refused)));
        see(MetricSample::number(metric::ALERT_SAVES_FAILED, [], number(counts.saves_failed)));
        for (state, firing) in [(metric::ALERTS_PENDING, false), (metric::ALERTS_FIRING, true)] {
            let mut rules: BTreeMap<(&str, &str), u64> = BTreeMap::new();
            for OpenAlert { alert, .. } in board.values().filter(|it| it.firing == firing) {
                *rules.entry((&alert.rule, alert.severity.as_str())).or_default() += 1;
            }
            for ((rule, severity), count) in rules {
                see(MetricSample::number(state, [rule, severity], number(count)));
            }
        }
        for (sink, count, _) in &waiting {
            see(MetricSample::number(metric::ALERT_OUTBOX, [sink], *count as f64));
        }
        for (sink, _, age) in &waiting {
            see(MetricSample::number(metric::ALERT_OUTBOX_AGE, [sink], age.as_secs_f64()));
        }
        for (sink, of) in &counts.sinks {
            for (fate, count) in &of.settled {
                see(MetricSample::number(metric::ALERT_DELIVERIES, [sink, fate.as_str()], number(*count)));
            }
        }
        for (sink, of) in &counts.sinks {
            see(MetricSample::number(metric::ALERT_DELIVERY_FAILED, [sink], number(of.failed)));
        }
        for (sink, of) in &counts.sinks {
            see(MetricSample::number(metric::ALERT_DELIVERY_RETRIES, [sink], number(of.retries)));
        }
        for (sink, of) in &counts.sinks {
            if let Some(at) = of.last_success {
                see(MetricSample::number(metric::ALERT_LAST_SUCCESS, [sink], at));
            }
        }
    }
}

/// What waits for each sink: how many notifications, and how old the oldest is.
fn waiting(book: &Book, now: Moment) -> Vec<(String, usize, Duration)> {
    let of_lane = |(sink, lane): (&String, &Lane)| {
        let oldest = lane.live().map(|it| now.since(it.queued)).max().unwrap_or_default();
        (sink.clone(), lane.live().count(), oldest)
    };
    let mut waiting: Vec<_> = book.queue.lanes.iter().map(of_lane).collect();
    // A sink for which nothing waits is 0 and not absent: rules and dashboards can tell.
    for sink in book.setup.sinks.iter().filter(|it| !book.queue.lanes.contains_key(it.name())) {
        waiting.push((sink.name().to_owned(), 0, Duration::ZERO));
    }
    waiting
}
