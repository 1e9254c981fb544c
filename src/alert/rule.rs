//! A rule: what is bad, for how long, and what then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::{Action, Severity};
use super::aggregate::{Aggregate, Comparison};
use super::labels::{Labels, Matcher};
use super::template::Template;
use crate::telemetry::names::{self, Kind, Unit};

/// A rule. Each label set of its metric is judged by itself.
///
/// `Rule::new` gives the defaults; [`faults`](Self::faults) says what is wrong with what was made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, unique among the rules: a letter, then letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What is bad.
    pub condition: Condition,
    /// How long it must be bad, at every evaluation, before it fires. 0 fires at once. Default: 0.
    pub hold: Duration,
    /// How long it must be good before it is resolved. Default: 0.
    pub keep_firing_for: Duration,
    /// What it means when there is nothing to judge by. Default: ok.
    pub no_data: NoData,
    /// When it counts as flapping.
    pub flap: Flap,
    /// How often somebody is told again while it fires and nobody has acknowledged it. Default: 4 h.
    pub repeat: Duration,
    /// How bad it is. Default: warning.
    pub severity: Severity,
    /// Labels that every alert of it has. Those of the series win.
    pub labels: Labels,
    /// A sentence for whoever is called, and further texts such as `description` and `runbook_url`, by name.
    pub annotations: Vec<(String, Template)>,
    /// What is done when it fires. Default: all sinks are told.
    pub actions: Vec<Action>,
}

/// What is bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A value beyond a bound.
    Threshold(Threshold),
    /// Always: a heartbeat, which proves that alerts get through. Whoever hears it must miss it when it stops.
    Always,
}

/// A value beyond a bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The metric.
    pub metric: String,
    /// Which of its label sets: those that every matcher picks.
    pub matchers: Vec<Matcher>,
    /// Divides by the same aggregate of another metric with the same labels.
    pub per: Option<Per>,
    /// How far back the aggregate looks.
    pub window: Duration,
    /// What is made of the samples in the window.
    pub aggregate: Aggregate,
    /// On which side of the threshold it is bad.
    pub comparison: Comparison,
    /// The bound, in the base unit of the value.
    pub bound: f64,
    /// It is good again only when the comparison does not hold with this either; between the two nothing changes.
    pub clear: f64,
    /// With fewer samples in the window (measured values, of a histogram) there is nothing to judge by.
    pub minimum_samples: u64,
}

/// What to divide by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Per {
    /// The metric, aggregated like the other.
    pub metric: String,
    /// Below this there is nothing to judge by. Above 0.
    pub at_least: f64,
}

/// What it means when there is nothing to judge by: no samples, too few, or nothing to divide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// All is well.
    #[default]
    Ok,
    /// It is bad: something that should report does not.
    Firing,
    /// Whatever it was before: what fires goes on, and nothing begins to.
    Keep,
}

impl NoData {
    /// Each, by its name in a rule file.
    pub const NAMES: [(&str, Self); 3] = [("ok", Self::Ok), ("firing", Self::Firing), ("keep", Self::Keep)];

    /// Its name in a rule file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// When something counts as flapping. Then the incident is held open until it has been good for `hold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flap {
    /// Firing so many times… At least 2, at most 100; 0 never counts as flapping. Default: 3.
    pub fires: u32,
    /// …in so long a time. Default: 1 h.
    pub within: Duration,
    /// How long it must then be good before it is resolved. Default: 15 min.
    pub hold: Duration,
}

impl Default for Flap {
    fn default() -> Self {
        Self { fires: 3, within: Duration::from_hours(1), hold: Duration::from_mins(15) }
    }
}

impl Rule {
    /// How often somebody is told again, unless a rule says otherwise.
    pub const REPEAT: Duration = Duration::from_hours(4);
    /// How often the watchdog's heart beats, unless its rule says otherwise.
    pub const HEARTBEAT: Duration = Duration::from_mins(1);

    /// A rule with this name and condition, and the defaults.
    #[must_use]
    pub fn new(name: &str, condition: Condition) -> Self {
        let repeat = if condition == Condition::Always { Self::HEARTBEAT } else { Self::REPEAT };
        Self {
            name: name.to_owned(),
            condition,
            hold: Duration::ZERO,
            keep_firing_for: Duration::ZERO,
            no_data: NoData::default(),
            flap: Flap::default(),
            repeat,
            severity: Severity::default(),
            labels: Labels::none(),
            annotations: Vec::new(),
            actions: vec![Action::notify()],
        }
    }

    /// What it looks at, unless it is always true.
    #[must_use]
    pub const fn threshold(&self) -> Option<&Threshold> {
        match &self.condition {
            Condition::Threshold(threshold) => Some(threshold),
            Condition::Always => None,
        }
    }

    /// Whether it is a heartbeat.
    #[must_use]
    pub const fn is_watchdog(&self) -> bool {
        matches!(self.condition, Condition::Always)
    }

    /// The unit of the value that is judged.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.threshold().map_or(Unit::Count, Threshold::unit)
    }

    /// Whether the two judge the same: then the state under one holds under the other.
    pub(super) fn measures_like(&self, other: &Self) -> bool {
        match (self.threshold(), other.threshold()) {
            (Some(one), Some(two)) => {
                let measure = |it: &Threshold| (it.metric.clone(), it.per.clone(), it.window, it.aggregate);
                measure(one) == measure(two)
                    && one.matchers == two.matchers
                    && one.comparison.is_upward() == two.comparison.is_upward()
            }
            (one, two) => one.is_none() && two.is_none(),
        }
    }
}

impl Threshold {
    /// The aggregate of `metric` over `window` compared with `bound`; good again at the same bound, and one sample is
    /// enough.
    #[must_use]
    pub fn new(
        metric: &str,
        aggregate: Aggregate,
        window: Duration,
        comparison: Comparison,
        bound: f64,
    ) -> Self {
        Self {
            metric: metric.to_owned(),
            matchers: Vec::new(),
            per: None,
            window,
            aggregate,
            comparison,
            bound,
            clear: bound,
            minimum_samples: 1,
        }
    }

    /// The unit of the value that is judged.
    #[must_use]
    pub fn unit(&self) -> Unit {
        let unit = unit_of(&self.metric);
        match self.aggregate {
            _ if self.per.is_some() => Unit::Ratio,
            Aggregate::Count => Unit::Count,
            Aggregate::Rate if self.kind() == Some(Kind::Histogram) => Unit::PerSecond,
            Aggregate::Rate => unit.per_second(),
            _ => unit,
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        names::find(&self.metric).map(|metric| metric.kind)
    }

    pub(super) fn picks(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.picks(labels))
    }

    /// The labels that every series it picks has.
    pub(super) fn fixed_labels(&self) -> Labels {
        let fixed = self.matchers.iter().filter_map(|it| Some((it.name.clone(), it.exact()?.to_owned())));
        Labels::new(fixed).unwrap_or_default()
    }
}

/// The unit of a metric: as listed, else what the suffix of its name says, as OpenMetrics wants it; without one it counts.
fn unit_of(name: &str) -> Unit {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    match names::find(name) {
        Some(metric) => metric.unit,
        None if stem.ends_with("_seconds") => Unit::Seconds,
        None if stem.ends_with("_bytes") => Unit::Bytes,
        None if stem.ends_with("_ratio") => Unit::Ratio,
        None => Unit::Count,
    }
}
