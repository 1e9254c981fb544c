//! What is wrong with rules.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::action::Action;
use super::labels::is_name;
use super::rule::{Condition, Flap, Rule, Threshold};
use super::series::MOST_SAMPLES;
use crate::telemetry::names::{self, Kind};

/// Most rules there may be.
pub const MOST_RULES: usize = 1_000;
/// Longest time that a rule may name.
const DAY: Duration = Duration::from_hours(24);
/// Labels that every alert has, so that no rule may set them.
const TAKEN: [&str; 2] = ["alertname", "severity"];

/// Something wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {field} {what}")]
pub struct RuleFault {
    /// The rule's place among the rules, from 0.
    pub index: usize,
    /// The rule's name.
    pub rule: String,
    /// The field, as it is called in a rule file.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

/// Everything that is wrong with some rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rules are not used, since something is wrong with them: {}", list(.0))]
pub struct RuleFaults(pub Vec<RuleFault>);

fn list(faults: &[RuleFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Looks for everything that is wrong with rules that are evaluated at this interval.
///
/// # Errors
///
/// Each fault of each rule, in their order.
pub fn check(rules: &[Rule], interval: Duration) -> Result<(), RuleFaults> {
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut found = rule.faults(interval);
        if !names.insert(rule.name.as_str()) {
            found.push(
                ("name", format!("{:?} is the name of an earlier rule too; names are unique", rule.name))
                    .into(),
            );
        }
        if index == MOST_RULES {
            found.push(("name", format!("is one rule too many; there are at most {MOST_RULES}")).into());
        }
        let named = |Fault { field, what }| RuleFault { index, rule: rule.name.clone(), field, what };
        faults.extend(found.into_iter().map(named));
    }
    if faults.is_empty() { Ok(()) } else { Err(RuleFaults(faults)) }
}

struct Fault {
    field: String,
    what: String,
}

impl From<(&str, String)> for Fault {
    fn from((field, what): (&str, String)) -> Self {
        Self { field: field.to_owned(), what }
    }
}

impl Rule {
    fn faults(&self, interval: Duration) -> Vec<Fault> {
        let mut faults = Faults { found: Vec::new(), interval };
        let mut letters = self.name.bytes();
        let name = letters.next().is_some_and(|it| it.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it));
        if !name || self.name.len() > 64 {
            faults.add("name", "is a letter, then letters, digits, _ and -, at most 64");
        }
        match &self.condition {
            Condition::Threshold(threshold) => faults.threshold(threshold),
            Condition::Always if self.hold > Duration::ZERO => {
                faults.add("for", "makes no sense for a watchdog, which always fires; leave it out");
            }
            Condition::Always => {}
        }
        faults.duration("for", self.hold, Duration::ZERO..=DAY);
        if self.hold > Duration::ZERO && self.hold < interval {
            let what =
                format!("is shorter than the evaluation interval, {interval:?}; give 0s or at least that");
            faults.add("for", what);
        }
        faults.duration("keep_firing_for", self.keep_firing_for, Duration::ZERO..=DAY);
        faults.duration("repeat", self.repeat, Duration::from_secs(1)..=DAY * 7);
        faults.flap(&self.flap);
        for (name, _) in self.labels.iter() {
            if TAKEN.contains(&name) {
                faults.add(&format!("labels.{name}"), "is set by Statim; choose another name");
            }
        }
        for (name, template) in &self.annotations {
            let field = if name == "summary" { name.clone() } else { format!("annotations.{name}") };
            if !is_name(name) {
                faults.add(&field, "has a name that is not letters, digits and _");
            }
            let Some(threshold) = self.threshold() else { continue };
            let Some(metric) = names::find(&threshold.metric) else { continue };
            for label in template.labels() {
                let known = metric.labels.contains(&label) || TAKEN.contains(&label);
                if !known && self.labels.get(label).is_empty() {
                    let has = match metric.labels {
                        [] => "none".to_owned(),
                        labels => labels.join(", "),
                    };
                    let what =
                        format!("names the label {label}, which {} does not have; it has {has}", metric.name);
                    faults.add(&field, what);
                }
            }
        }
        for (index, action) in self.actions.iter().enumerate() {
            faults.action(action);
            if self.actions[..index].iter().any(|it| it.as_str() == action.as_str()) {
                faults.add("actions", format!("has {} twice", action.as_str()));
            }
        }
        faults.found
    }
}

struct Faults {
    found: Vec<Fault>,
    interval: Duration,
}

impl Faults {
    fn add(&mut self, field: &str, what: impl Into<String>) {
        self.found.push(Fault { field: field.to_owned(), what: what.into() });
    }

    fn duration(&mut self, field: &str, duration: Duration, allowed: RangeInclusive<Duration>) {
        if !allowed.contains(&duration) {
            let (least, most) = (allowed.start(), allowed.end());
            self.add(field, format!("{duration:?} is out of range; give {least:?} to {most:?}"));
        }
    }

    fn number(&mut self, field: &str, number: u64, allowed: RangeInclusive<u64>) {
        if !allowed.contains(&number) {
            let (least, most) = (allowed.start(), allowed.end());
            self.add(field, format!("{number} is out of range; give {least} to {most}"));
        }
    }

    fn threshold(&mut self, threshold: &Threshold) {
        let Threshold { metric, matchers, per, window, comparison, bound, clear, minimum_samples, .. } =
            threshold;
        self.duration("window", *window, Duration::from_secs(1)..=DAY);
        if *window < self.interval {
            let interval = self.interval;
            self.add(
                "window",
                format!(
                    "is shorter than the evaluation interval, {interval:?}: what lies between is not seen"
                ),
            );
        }
        for (field, number) in [("threshold", bound), ("clear", clear)] {
            if !number.is_finite() {
                self.add(field, "is not a finite number");
            }
        }
        let (upward, sign) = (comparison.is_upward(), comparison.as_str());
        let unit = threshold.unit();
        if (upward && clear > bound) || (!upward && clear < bound) {
            let (clear, bound) = (unit.show(*clear), unit.show(*bound));
            let side = if upward { "above" } else { "below" };
            let what = format!(
                "{clear} is {side} the threshold, {bound}, so that it would be good and bad at once ({sign})"
            );
            self.add("clear", what);
        }
        self.number("minimum_samples", *minimum_samples, 1..=MOST_SAMPLES as u64);
        self.kind("metric", metric, threshold);
        if let Some(per) = per {
            if !(per.at_least.is_finite() && per.at_least > 0.0) {
                self.add("per_at_least", "is not above 0, and nothing can be divided by 0");
            }
            self.kind("per", &per.metric, threshold);
        }
        for matcher in matchers {
            let name = &matcher.name;
            let field = format!("{}.{name}", if matcher.negated { "where_not" } else { "where" });
            if matcher.values.is_empty() {
                self.add(&field, "has no value");
            }
            match names::find(metric) {
                Some(metric) if !metric.labels.contains(&name.as_str()) => {
                    let has =
                        if metric.labels.is_empty() { "none".to_owned() } else { metric.labels.join(", ") };
                    self.add(&field, format!("is not a label of {}; it has {has}", metric.name));
                }
                None if !is_name(name) => self.add(&field, "is not the name of a label"),
                _ => {}
            }
        }
    }

    /// Whether the aggregate suits the metric. What a metric of somebody else is, is not known.
    fn kind(&mut self, field: &str, name: &str, threshold: &Threshold) {
        let Some(metric) = names::find(name) else { return };
        let growth = threshold.aggregate.is_growth();
        let aggregate = threshold.aggregate.as_str();
        let advice = match metric.kind {
            Kind::Counter if !growth => "only grows, so take rate or increase",
            Kind::Gauge if growth => "goes up and down, so take p50 to p99, mean, max, min or last",
            _ => return,
        };
        self.add(field, format!("{name} is a {}, which {advice} and not {aggregate}", metric.kind));
    }

    fn flap(&mut self, flap: &Flap) {
        if flap.fires == 0 {
            return;
        }
        self.number("flap_fires", flap.fires.into(), 2..=100);
        self.duration("flap_within", flap.within, Duration::from_secs(1)..=DAY);
        self.duration("flap_hold", flap.hold, Duration::from_secs(1)..=DAY);
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Notify { .. } => {}
            Action::ScaleUp { step, maximum, cooldown, .. } => {
                self.number("scale_up.step", (*step).into(), 1..=64);
                self.number("scale_up.maximum", (*maximum).into(), 1..=1_024);
                self.duration("scale_up.cooldown", *cooldown, Duration::from_secs(1)..=DAY);
            }
            Action::RestartAgents { at_most, within, .. } => {
                self.number("restart_agents.at_most", (*at_most).into(), 1..=1_000);
                self.duration("restart_agents.within", *within, Duration::from_secs(1)..=DAY);
            }
            Action::Investigate { most_bytes, cooldown } => {
                self.number("investigate.most_bytes", *most_bytes, 1 << 16..=1 << 40);
                self.duration("investigate.cooldown", *cooldown, Duration::from_secs(1)..=DAY);
            }
        }
    }
}
