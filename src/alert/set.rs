//! A label set under a rule: its samples, and where it stands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::distribution::Exact;
use super::event::{Alert, Ending, Event};
use super::incident::dedup_key;
use super::labels::Labels;
use super::rule::{NoData, Rule, Threshold};
use super::series::Series;
use super::state::{Change, Machine, Verdict};
use super::time::Moment;

/// A label set under a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Set {
    pub(super) key: String,
    pub(super) series: Option<Series>,
    pub(super) per: Option<Series>,
    /// When it was first seen.
    pub(super) began: Moment,
    /// The value of the last evaluation.
    value: Option<Exact>,
    /// Whether it was said that there is nothing to judge by.
    pub(super) silent: bool,
    pub(super) machine: Machine,
}

/// What an evaluation knows of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick<'e> {
    pub(super) now: Moment,
    /// Since when samples can have come.
    pub(super) resumed: Moment,
    /// Time since the last evaluation, as far as it counts.
    pub(super) passed: Duration,
    pub(super) resend: Duration,
    pub(super) closed_for: Duration,
    pub(super) limit: usize,
    pub(super) namespace: &'e str,
}

impl Set {
    pub(super) fn new(namespace: &str, rule: &Rule, labels: &Labels, began: Moment) -> Self {
        Self {
            key: dedup_key(namespace, &rule.name, labels),
            series: None,
            per: None,
            began,
            value: None,
            silent: false,
            machine: Machine::default(),
        }
    }

    /// Whether there is more to it than samples.
    pub(super) fn has_state(&self) -> bool {
        self.machine != Machine::default()
    }

    /// The same, as if it were first seen at `now`, but for what was made of it.
    pub(super) fn without_samples(&self, now: Moment) -> Self {
        let (key, machine) = (self.key.clone(), self.machine.clone());
        Self { key, series: None, per: None, began: now, value: self.value, silent: false, machine }
    }

    fn measure(&mut self, threshold: &Threshold, now: Moment) -> Option<f64> {
        let Threshold { aggregate, minimum_samples, per, .. } = threshold;
        self.series.iter_mut().chain(&mut self.per).for_each(|it| it.slide(now));
        let value = self.series.as_ref()?.aggregate(*aggregate, *minimum_samples, now)?;
        let value = match per {
            None => value,
            Some(per) => {
                let divisor = self.per.as_ref()?.aggregate(*aggregate, 1, now)?;
                if divisor < per.at_least {
                    return None;
                }
                value / divisor
            }
        };
        value.is_finite().then_some(value)
    }

    pub(super) fn judge(
        &mut self,
        rule: &Rule,
        threshold: &Threshold,
        labels: &Labels,
        tick: Tick<'_>,
        events: &mut Vec<Event>,
    ) -> Verdict {
        let value = self.measure(threshold, tick.now);
        self.value = value.map(Exact);
        let Threshold { comparison, bound, clear, window, .. } = threshold;
        match value {
            Some(value) => {
                self.silent = false;
                match value {
                    _ if comparison.holds(value, *bound) => Verdict::Bad,
                    _ if comparison.holds(value, *clear) => Verdict::Between,
                    _ => Verdict::Good,
                }
            }
            // It has not had the time to say enough.
            None if tick.now.since(tick.resumed.max(self.began)) < *window => Verdict::Unknown,
            None => {
                if !std::mem::replace(&mut self.silent, true) {
                    events.push(Event::NoData(self.alert(rule, labels)));
                }
                match rule.no_data {
                    NoData::Ok => Verdict::Good,
                    NoData::Firing => Verdict::Bad,
                    NoData::Keep => Verdict::Unknown,
                }
            }
        }
    }

    pub(super) fn advance(
        &mut self,
        rule: &Rule,
        labels: &Labels,
        verdict: Verdict,
        tick: Tick<'_>,
        events: &mut Vec<Event>,
    ) {
        let Tick { now, passed, resend, closed_for, .. } = tick;
        if verdict == Verdict::Unknown {
            self.machine.pause(passed);
        }
        match self.machine.step(rule, verdict, now, &self.key) {
            Some(change) => events.push(self.say(change, rule, labels, Ending::Good)),
            None if self.machine.say_again(resend, closed_for, now) => {
                let alert = self.alert(rule, labels);
                let firing = self.machine.is_firing();
                events.push(if firing { Event::StillFiring(alert) } else { Event::StillResolved(alert) });
            }
            None => {}
        }
    }

    pub(super) fn end(
        &mut self,
        rule: &Rule,
        labels: &Labels,
        ending: Ending,
        now: Moment,
        events: &mut Vec<Event>,
    ) {
        if let Some(change) = self.machine.end(now) {
            events.push(self.say(change, rule, labels, ending));
        }
    }

    fn say(&self, change: Change, rule: &Rule, labels: &Labels, ending: Ending) -> Event {
        let alert = self.alert(rule, labels);
        match change {
            Change::Pending => Event::Pending(alert),
            Change::Cancelled => Event::Cancelled(alert),
            Change::Fired => Event::Fired(alert),
            Change::Resolved => Event::Resolved(alert, ending),
        }
    }

    pub(super) fn alert(&self, rule: &Rule, labels: &Labels) -> Alert {
        let mut labels = labels.or(&rule.labels);
        // With 32 labels of its own it goes without.
        let _ = labels.set("alertname".to_owned(), rule.name.clone());
        let _ = labels.set("severity".to_owned(), rule.severity.as_str().to_owned());
        let value = self.value.map(|it| it.0);
        let unit = rule.unit();
        let annotations =
            rule.annotations.iter().map(|(name, text)| (name.clone(), text.fill(&labels, value, unit)));
        let (incident, resolved) = self.machine.incident().unzip();
        Alert {
            rule: rule.name.clone(),
            dedup_key: self.key.clone(),
            annotations: annotations.collect(),
            labels,
            severity: rule.severity,
            value,
            finding: rule.threshold().map(|it| finding(it, value)).unwrap_or_default(),
            actions: rule.actions.clone(),
            incident: incident.cloned(),
            resolved: resolved.flatten(),
            watchdog: rule.is_watchdog(),
            repeat_seconds: rule.repeat.as_secs(),
        }
    }

    pub(super) fn is_idle(&self, rule: &Rule, tick: Tick<'_>) -> bool {
        let empty = |series: &Option<Series>| series.as_ref().is_none_or(|it| it.is_empty(tick.now));
        // A set that has just lost its samples to a change of its rule has not had the time to get new ones.
        let waited = rule.threshold().is_some_and(|it| tick.now.since(self.began) >= it.window);
        let closed_for = tick.closed_for;
        empty(&self.series) && empty(&self.per) && waited && self.machine.is_idle(rule, closed_for, tick.now)
    }
}

/// What was found, for people: `2.5 s >= 2 s (p99 of statim_agent_response_seconds over 60s)`.
fn finding(threshold: &Threshold, value: Option<f64>) -> String {
    let Threshold { metric, per, window, aggregate, comparison, bound, .. } = threshold;
    let unit = threshold.unit();
    let value = value.map_or_else(|| "no data".to_owned(), |it| unit.show(it));
    let per = per.as_ref().map(|it| format!(" / {}", it.metric)).unwrap_or_default();
    let over = if *aggregate == Aggregate::Last { "within" } else { "over" };
    let (aggregate, sign) = (aggregate.as_str(), comparison.as_str());
    format!("{value}; fires at {sign} {} ({aggregate} of {metric}{per} {over} {window:?})", unit.show(*bound))
}
