//! A rule with its label sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Ending, Event};
use super::labels::Labels;
use super::rule::{NoData, Rule, Threshold};
use super::series::{OtherForm, Series, Value};
use super::set::{Set, Tick};
use super::state::Verdict;
use super::time::Moment;

/// After so long without a refused sample, the next one is worth saying again.
const CALM: Duration = Duration::from_mins(15);

/// A rule and where it stands for each label set.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) rule: Arc<Rule>,
    pub(super) sets: BTreeMap<Labels, Set>,
    /// The set that stands for there being no series: of a watchdog, and of a rule for which no data is bad.
    pub(super) own: Option<Set>,
    pub(super) refused: Refused,
}

/// Samples that a rule had no room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) samples: u64,
    last: Option<Moment>,
    said: bool,
}

/// Which input of a rule a sample is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Metric,
    Per,
}

/// Why a rule did not take a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is not about this label set.
    NotPicked,
    /// It has as many label sets as it may.
    Full,
    /// The series has values of another form.
    OtherForm,
}

impl Watched {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule: Arc::new(rule), sets: BTreeMap::new(), own: None, refused: Refused::default() }
    }

    pub(super) fn observe(
        &mut self,
        side: Side,
        labels: &Labels,
        value: Value,
        at: Moment,
        limit: usize,
        namespace: &str,
    ) -> Result<(), NotTaken> {
        let Some(threshold) = self.rule.threshold().filter(|it| it.picks(labels)) else {
            return Err(NotTaken::NotPicked);
        };
        if !self.sets.contains_key(labels) {
            if self.sets.len() >= limit {
                self.refused.samples += 1;
                self.refused.last = Some(at);
                return Err(NotTaken::Full);
            }
            let mut set = Set::new(namespace, &self.rule, labels, at);
            // The set that stood for having no series has the same key: an incident that it opened goes on.
            if let Some(own) = self.own.take_if(|own| own.key == set.key) {
                set.machine = own.machine;
            }
            self.sets.insert(labels.clone(), set);
        }
        let Some(set) = self.sets.get_mut(labels) else { return Err(NotTaken::Full) };
        let series = match side {
            Side::Metric => &mut set.series,
            Side::Per => &mut set.per,
        };
        let series = series.get_or_insert_with(|| Series::new(threshold.window, &value));
        // Between evaluations, which may be long, the series must not grow without need.
        series.slide(at);
        series.add(at, value).map_err(|OtherForm| NotTaken::OtherForm)
    }

    pub(super) fn evaluate(&mut self, tick: Tick<'_>, events: &mut Vec<Event>) {
        self.say_refused(tick, events);
        let rule = Arc::clone(&self.rule);
        if let Some(threshold) = rule.threshold() {
            self.sets.retain(|labels, set| {
                let verdict = set.judge(&rule, threshold, labels, tick, events);
                set.advance(&rule, labels, verdict, tick, events);
                !set.is_idle(&rule, tick)
            });
        }
        self.evaluate_own(&rule, tick, events);
    }

    fn evaluate_own(&mut self, rule: &Rule, tick: Tick<'_>, events: &mut Vec<Event>) {
        let verdict = match rule.threshold() {
            None => Verdict::Bad,
            Some(_) if !self.sets.is_empty() || rule.no_data != NoData::Firing => Verdict::Good,
            Some(threshold) if tick.now.since(tick.resumed) >= threshold.window => Verdict::Bad,
            Some(_) => Verdict::Unknown,
        };
        if self.own.is_none() && verdict != Verdict::Bad {
            return;
        }
        let labels = rule.threshold().map(Threshold::fixed_labels).unwrap_or_default();
        let own = self.own.get_or_insert_with(|| Set::new(tick.namespace, rule, &labels, tick.now));
        if verdict == Verdict::Bad && !own.silent && !rule.is_watchdog() {
            own.silent = true;
            events.push(Event::NoData(own.alert(rule, &labels)));
        }
        own.advance(rule, &labels, verdict, tick, events);
        if verdict == Verdict::Good {
            own.silent = false;
            self.own.take_if(|own| own.machine.is_idle(rule, tick.closed_for, tick.now));
        }
    }

    fn say_refused(&mut self, tick: Tick<'_>, events: &mut Vec<Event>) {
        let Refused { samples, last, said } = &mut self.refused;
        match last {
            Some(_) if !*said => {
                *said = true;
                let rule = self.rule.name.clone();
                events.push(Event::Refused { rule, samples: *samples, limit: tick.limit });
            }
            Some(at) if tick.now.since(*at) > CALM => (*last, *said) = (None, false),
            _ => {}
        }
    }

    /// Goes over to a rule of the same name. Its label sets go on as far as it is still about them.
    pub(super) fn replace(&mut self, rule: Rule, now: Moment, events: &mut Vec<Event>) {
        if *self.rule == rule {
            return;
        }
        let old = std::mem::replace(&mut self.rule, Arc::new(rule));
        let same_subject = match (old.threshold(), self.rule.threshold()) {
            (Some(old), Some(new)) => {
                old.metric == new.metric && old.comparison.is_upward() == new.comparison.is_upward()
            }
            (old, new) => old.is_none() && new.is_none(),
        };
        let same_measure = old.measures_like(&self.rule);
        let new = Arc::clone(&self.rule);
        self.sets.retain(|labels, set| {
            let kept = same_subject && new.threshold().is_some_and(|it| it.picks(labels));
            if !kept || (!same_measure && set.machine.is_pending()) {
                set.end(&old, labels, Ending::RuleGone, now, events);
            }
            if !same_measure {
                (set.series, set.per, set.began, set.silent) = (None, None, now, false);
            }
            kept
        });
        let fixed = |rule: &Rule| rule.threshold().map(Threshold::fixed_labels).unwrap_or_default();
        let labels = fixed(&old);
        let own_is_other = !same_subject || labels != fixed(&self.rule);
        if let Some(mut own) = self.own.take_if(|_| own_is_other) {
            own.end(&old, &labels, Ending::RuleGone, now, events);
        }
    }

    /// Ends every open incident of the label sets that have these labels, and forgets the sets.
    pub(super) fn forget(&mut self, labels: &Labels, ending: Ending, now: Moment, events: &mut Vec<Event>) {
        let rule = Arc::clone(&self.rule);
        self.sets.retain(|own, set| {
            let gone = own.contains(labels);
            if gone {
                set.end(&rule, own, ending, now, events);
            }
            !gone
        });
        let fixed = rule.threshold().map(Threshold::fixed_labels).unwrap_or_default();
        // Without labels, `contains` holds for everything.
        if let Some(mut own) = self.own.take_if(|_| fixed.contains(labels)) {
            own.end(&rule, &fixed, ending, now, events);
        }
    }

    pub(super) fn pause(&mut self, passed: Duration) {
        self.sets.values_mut().chain(&mut self.own).for_each(|set| set.machine.pause(passed));
    }

    /// Each label set with its state, that of no series last.
    pub(super) fn each(&self) -> impl Iterator<Item = (Labels, &Set)> {
        let fixed = || self.rule.threshold().map(Threshold::fixed_labels).unwrap_or_default();
        self.sets
            .iter()
            .map(|(labels, set)| (labels.clone(), set))
            .chain(self.own.as_ref().map(|own| (fixed(), own)))
    }

    /// Samples that were dropped before they were too old.
    pub(super) fn shed(&self) -> u64 {
        let series = self.sets.values().flat_map(|set| set.series.iter().chain(&set.per));
        series.map(Series::shed).sum()
    }
}
