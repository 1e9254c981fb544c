//! The engine: all rules, their samples and their states.

use std::collections::HashMap;
use std::time::Duration;

use super::check::{RuleFaults, check};
use super::event::{Alert, Ending, Event};
use super::labels::Labels;
use super::rule::Rule;
use super::series::Value;
use super::set::{Set, Tick};
use super::snapshot::{EngineSnapshot, RuleSnapshot};
use super::state::Standing;
use super::time::Moment;
use super::watched::{NotTaken, Side, Watched};

/// How the engine works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// What tells this deployment's dedup keys from another's that calls the same people. Default: empty.
    pub namespace: String,
    /// How often [`Engine::evaluate`] will be called; rules are checked against it. Default: 15 s.
    pub interval: Duration,
    /// How often what fires is said again ([`Event::StillFiring`]). Default: 1 min.
    pub resend: Duration,
    /// How long what is resolved is said again ([`Event::StillResolved`]). Default: 15 min.
    pub resend_resolved_for: Duration,
    /// Most label sets of a rule; samples of more are refused and counted. Default: 1,000.
    pub label_sets: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            interval: Duration::from_secs(15),
            resend: Duration::from_mins(1),
            resend_resolved_for: Duration::from_mins(15),
            label_sets: 1_000,
        }
    }
}

/// The rule engine: a state machine over samples and time, without a clock, I/O or tasks of its own. The same calls give
/// the same events.
///
/// Whoever runs it tells it every sample ([`observe`](Self::observe)) and calls [`evaluate`](Self::evaluate) at an
/// interval. What comes out goes to a [`Dispatcher`](super::Dispatcher), which decides who is told. Before the events are
/// acted upon, [`snapshot`](Self::snapshot) should be stored together with what is to be sent.
///
/// # Bounds
///
/// 1,000 rules; [`label_sets`](EngineOptions::label_sets) of each; in each at most 4,096 samples (twice, with a divisor),
/// or 65,536 places of histograms, 1 MiB.
#[derive(Debug, Clone)]
pub struct Engine {
    options: EngineOptions,
    rules: Vec<Watched>,
    by_metric: HashMap<String, Vec<(usize, Side)>>,
    /// The last evaluation.
    last: Option<Moment>,
    /// Since when it has been evaluated without a long break.
    resumed: Moment,
    /// Samples that were not finite, or of another form than those before.
    malformed: u64,
}

/// What became of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Label sets that are watched, over all rules.
    pub label_sets: usize,
    /// Of these, firing.
    pub firing: usize,
    /// Of these, pending.
    pub pending: usize,
    /// Samples refused for want of room for another label set.
    pub refused: u64,
    /// Samples that were not finite, or of another form than those before them.
    pub malformed: u64,
    /// Samples that were dropped before they were too old.
    pub shed: u64,
}

impl Engine {
    /// An engine with these rules.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the rules.
    pub fn new(options: EngineOptions, rules: Vec<Rule>) -> Result<Self, RuleFaults> {
        check(&rules, options.interval)?;
        let mut engine = Self {
            options,
            rules: rules.into_iter().map(Watched::new).collect(),
            by_metric: HashMap::new(),
            last: None,
            resumed: Moment::default(),
            malformed: 0,
        };
        engine.index();
        Ok(engine)
    }

    /// Goes on where the engine of the snapshot stopped, with the rules of now. Time in which no engine ran does not count:
    /// nothing fires because it was bad before and after, and nothing is resolved for want of samples before a window of
    /// time is over.
    ///
    /// The events are those of rules that are no more, as of [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the rules.
    pub fn restore(
        options: EngineOptions,
        rules: Vec<Rule>,
        snapshot: EngineSnapshot,
        now: Moment,
    ) -> Result<(Self, Vec<Event>), RuleFaults> {
        check(&rules, options.interval)?;
        let EngineSnapshot { version: _, last, resumed, malformed, rules: kept } = snapshot;
        let kept = kept.into_iter().map(RuleSnapshot::into_watched).collect();
        let mut engine = Self { options, rules: kept, by_metric: HashMap::new(), last, resumed, malformed };
        let events = engine.swap(rules, now);
        Ok((engine, events))
    }

    /// The whole state, samples included: an engine that goes on from it says what this one would have said. Large where
    /// much is watched: 24 bytes for a sample of a number, 16 for each place of a histogram. See [`states`](Self::states).
    #[must_use]
    pub fn snapshot(&self) -> EngineSnapshot {
        EngineSnapshot {
            version: EngineSnapshot::VERSION,
            last: self.last,
            resumed: self.resumed,
            malformed: self.malformed,
            rules: self.rules.iter().map(RuleSnapshot::of).collect(),
        }
    }

    /// The state without the samples: small, whatever is watched, so that it can be stored at every event. An engine that
    /// goes on from it knows every incident and everything pending, and judges nothing by want of samples before a window
    /// of time is over; but until then its windows show less than they did.
    #[must_use]
    pub fn states(&self) -> EngineSnapshot {
        let rules = self.rules.iter().map(|it| RuleSnapshot::states_of(it, self.last.unwrap_or_default()));
        EngineSnapshot {
            version: EngineSnapshot::VERSION,
            last: self.last,
            resumed: self.resumed,
            malformed: self.malformed,
            rules: rules.collect(),
        }
    }

    /// Takes other rules, all or none.
    ///
    /// A rule that is known by its name goes on where it stood, whatever of its bounds, times and texts has changed; if it
    /// measures otherwise, its samples begin anew and what fires goes on until they say otherwise; if it is about another
    /// metric, or about fewer label sets, the incidents that it is no longer about are resolved. So are those of rules that
    /// are gone. These are the events.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the rules; then nothing has changed.
    pub fn reload(&mut self, rules: Vec<Rule>, now: Moment) -> Result<Vec<Event>, RuleFaults> {
        check(&rules, self.options.interval)?;
        Ok(self.swap(rules, now))
    }

    fn swap(&mut self, rules: Vec<Rule>, now: Moment) -> Vec<Event> {
        let now = now.max(self.last.unwrap_or_default());
        let mut events = Vec::new();
        let old = std::mem::take(&mut self.rules);
        let mut old: Vec<Option<Watched>> = old.into_iter().map(Some).collect();
        let known: HashMap<String, usize> = old
            .iter()
            .enumerate()
            .filter_map(|(index, it)| Some((it.as_ref()?.rule.name.clone(), index)))
            .collect();
        for rule in rules {
            let before = known.get(&rule.name).and_then(|index| old[*index].take());
            self.rules.push(match before {
                Some(mut watched) => {
                    watched.replace(rule, now, &mut events);
                    watched
                }
                None => Watched::new(rule),
            });
        }
        for mut gone in old.into_iter().flatten() {
            gone.forget(&Labels::none(), Ending::RuleGone, now, &mut events);
        }
        self.index();
        events
    }

    fn index(&mut self) {
        self.by_metric.clear();
        for (index, watched) in self.rules.iter().enumerate() {
            let Some(threshold) = watched.rule.threshold() else { continue };
            let mut add = |metric: &String, side| {
                self.by_metric.entry(metric.clone()).or_default().push((index, side));
            };
            add(&threshold.metric, Side::Metric);
            if let Some(per) = &threshold.per {
                add(&per.metric, Side::Per);
            }
        }
    }

    /// Whether any rule looks at this metric: whoever measures it for rules alone can save the effort.
    #[must_use]
    pub fn watches(&self, metric: &str) -> bool {
        self.by_metric.contains_key(metric)
    }

    /// Takes in a sample. Costs a look-up if no rule looks at the metric. What cannot be taken in is counted, in
    /// [`stats`](Self::stats).
    pub fn observe(&mut self, metric: &str, labels: &Labels, value: impl Into<Value>, at: Moment) {
        let Some(rules) = self.by_metric.get(metric) else { return };
        let value = value.into();
        if matches!(value, Value::Number(number) if !number.is_finite()) {
            self.malformed += 1;
            return;
        }
        let EngineOptions { label_sets, namespace, .. } = &self.options;
        for (index, side) in rules {
            let watched = &mut self.rules[*index];
            match watched.observe(*side, labels, value.clone(), at, *label_sets, namespace) {
                Err(NotTaken::OtherForm) => self.malformed += 1,
                Ok(()) | Err(NotTaken::NotPicked | NotTaken::Full) => {}
            }
        }
    }

    /// Judges every rule at `now` and says what changed.
    ///
    /// If it was not called for more than four intervals, the time beyond these does not count: the process may have been
    /// stopped, and nobody knows what was in between.
    pub fn evaluate(&mut self, now: Moment) -> Vec<Event> {
        let now = now.max(self.last.unwrap_or_default());
        let passed = self.last.map_or(Duration::ZERO, |last| now.since(last));
        let most = self.options.interval * 4;
        if passed > most {
            self.rules.iter_mut().for_each(|it| it.pause(passed - most));
        }
        if passed > most || self.last.is_none() {
            self.resumed = now;
        }
        self.last = Some(now);
        let tick = Tick {
            now,
            resumed: self.resumed,
            passed: passed.min(most),
            resend: self.options.resend,
            closed_for: self.options.resend_resolved_for,
            limit: self.options.label_sets,
            namespace: &self.options.namespace,
        };
        let mut events = Vec::new();
        self.rules.iter_mut().for_each(|it| it.evaluate(tick, &mut events));
        events
    }

    /// Forgets every label set that has these labels, such as those of an agent that was taken away on purpose. Open
    /// incidents are resolved: these are the events. Without labels it forgets everything.
    pub fn forget(&mut self, labels: &Labels, now: Moment) -> Vec<Event> {
        let now = now.max(self.last.unwrap_or_default());
        let mut events = Vec::new();
        self.rules.iter_mut().for_each(|it| it.forget(labels, Ending::Forgotten, now, &mut events));
        events
    }

    /// The rules in force, in their order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|it| it.rule.as_ref())
    }

    /// How it works.
    #[must_use]
    pub const fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// What fires now, rule by rule.
    #[must_use]
    pub fn firing(&self) -> Vec<Alert> {
        self.alerts(|set| set.machine.is_firing())
    }

    /// What is pending now, rule by rule.
    #[must_use]
    pub fn pending(&self) -> Vec<Alert> {
        self.alerts(|set| set.machine.is_pending())
    }

    /// Each label set that is watched and where it stands, rule by rule.
    pub fn standing(&self) -> impl Iterator<Item = (Standing, Alert)> {
        self.rules.iter().flat_map(|watched| {
            let alert =
                |(labels, set): (Labels, &Set)| (set.machine.standing(), set.alert(&watched.rule, &labels));
            watched.each().map(alert)
        })
    }

    fn alerts(&self, wanted: impl Fn(&Set) -> bool) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for watched in &self.rules {
            let each = watched.each().filter(|(_, set)| wanted(set));
            alerts.extend(each.map(|(labels, set)| set.alert(&watched.rule, &labels)));
        }
        alerts
    }

    /// What became of samples, and how many label sets there are.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let mut stats = EngineStats { malformed: self.malformed, ..EngineStats::default() };
        for watched in &self.rules {
            stats.refused += watched.refused.samples;
            stats.shed += watched.shed();
            let sets = || watched.sets.values().chain(&watched.own);
            stats.label_sets += sets().count();
            stats.firing += sets().filter(|set| set.machine.is_firing()).count();
            stats.pending += sets().filter(|set| set.machine.is_pending()).count();
        }
        stats
    }
}
