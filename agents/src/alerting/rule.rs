//! A threshold with a memory. Pure: the time comes from outside.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::agent::Reading;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The worst agent's 99th percentile, end to end, of Critical messages since the look before, in milliseconds.
    CriticalP99Millis,
    /// Messages queued over all agents.
    Queued,
    /// Memory that the process holds, in MiB.
    ResidentMib,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 3] = [Self::CriticalP99Millis, Self::Queued, Self::ResidentMib];

    /// Its name in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CriticalP99Millis => "critical_p99_ms",
            Self::Queued => "queued",
            Self::ResidentMib => "resident_mib",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric of this name; there are critical_p99_ms, queued and resident_mib")]
pub struct UnknownMetric;

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name).ok_or(UnknownMetric)
    }
}

/// A threshold rule: fires when the metric has been at or above `threshold` for `hold`, and is over when it falls below
/// `clear`. Between the two nothing changes, so that it does not flap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What it looks at.
    pub metric: Metric,
    /// From where on it is bad.
    pub threshold: f64,
    /// Below where it is good again; at most the threshold.
    pub clear: f64,
    /// How long it must be bad before anybody is told.
    pub hold: Duration,
}

/// A change that somebody should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It began.
    Firing,
    /// It is over.
    Resolved,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Inactive,
    Pending { since: Duration },
    Firing,
}

/// A rule and where it stands.
#[derive(Debug)]
pub(super) struct Watch {
    rule: Rule,
    state: State,
}

impl Watch {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule, state: State::Inactive }
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(super) fn is_firing(&self) -> bool {
        self.state == State::Firing
    }

    /// Takes in a reading at `now` (any monotonous time). A metric without a value changes nothing.
    pub(super) fn observe(&mut self, reading: &Reading, now: Duration) -> Option<Transition> {
        let value = reading.value(self.rule.metric)?;
        let (next, transition) = match self.state {
            State::Firing if value < self.rule.clear => (State::Inactive, Some(Transition::Resolved)),
            State::Firing => (State::Firing, None),
            State::Inactive | State::Pending { .. } if value < self.rule.threshold => (State::Inactive, None),
            State::Inactive if self.rule.hold.is_zero() => (State::Firing, Some(Transition::Firing)),
            State::Inactive => (State::Pending { since: now }, None),
            State::Pending { since } if now.saturating_sub(since) >= self.rule.hold => {
                (State::Firing, Some(Transition::Firing))
            }
            pending @ State::Pending { .. } => (pending, None),
        };
        self.state = next;
        transition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(Rule {
            metric: Metric::Queued,
            threshold: 100.0,
            clear: 50.0,
            hold: Duration::from_secs(5),
        })
    }

    fn play(watch: &mut Watch, series: &[(u64, f64)]) -> Vec<(u64, Transition)> {
        series
            .iter()
            .filter_map(|&(at, queued)| {
                let reading = Reading { queued, ..Reading::default() };
                Some((at, watch.observe(&reading, Duration::from_secs(at))?))
            })
            .collect()
    }

    #[test]
    fn a_breach_that_lasts_fires_once_and_resolves_once() {
        let series =
            [(0, 10.0), (1, 100.0), (3, 120.0), (6, 110.0), (7, 130.0), (8, 60.0), (9, 49.0), (10, 10.0)];
        let told = play(&mut watch(), &series);
        assert_eq!(told, [(6, Transition::Firing), (9, Transition::Resolved)]);
    }

    #[test]
    fn a_breach_that_passes_tells_nobody() {
        assert_eq!(play(&mut watch(), &[(0, 200.0), (4, 200.0), (5, 99.0), (6, 200.0), (10, 200.0)]), []);
    }

    #[test]
    fn values_between_clear_and_threshold_do_not_flap() {
        let series: Vec<_> = (0..100).map(|at| (at, if at % 2 == 0 { 101.0 } else { 60.0 })).collect();
        let mut watch = watch();
        assert_eq!(play(&mut watch, &[(0, 101.0), (5, 101.0)]), [(5, Transition::Firing)]);
        assert_eq!(play(&mut watch, &series), []);
        assert!(watch.is_firing());
    }

    #[test]
    fn a_metric_without_a_value_changes_nothing() {
        let rule =
            Rule { metric: Metric::CriticalP99Millis, threshold: 1.0, clear: 1.0, hold: Duration::ZERO };
        let mut watch = Watch::new(rule);
        assert_eq!(watch.observe(&Reading::default(), Duration::ZERO), None);
    }
}
