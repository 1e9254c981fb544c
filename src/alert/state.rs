//! Where a rule stands for one label set: the state machine itself.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::incident::Incident;
use super::rule::Rule;
use super::time::Moment;

/// What an evaluation makes of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Beyond the threshold.
    Bad,
    /// Between the threshold and the clear threshold.
    Between,
    /// On the good side of both.
    Good,
    /// There is nothing to judge by, and that means nothing: the time does not count.
    Unknown,
}

/// Where a rule stands for a label set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All is well, and has been for a while.
    Inactive,
    /// It is bad, and fires if it stays so.
    Pending,
    /// It fires.
    Firing,
    /// All is well; it fired before, and was resolved.
    Resolved,
}

impl Standing {
    /// Each, by its name.
    pub const NAMES: [(&str, Self); 4] = [
        ("inactive", Self::Inactive),
        ("pending", Self::Pending),
        ("firing", Self::Firing),
        ("resolved", Self::Resolved),
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Pending,
    Cancelled,
    Fired,
    Resolved,
}

/// ```text
///              bad                 bad for `for`               good for `keep_firing_for`
///  inactive ─────────▶ pending ──────────────────▶ firing ─────────────────────────────────▶ inactive
///      ▲                  │                         │   ▲                                  (resolved)
///      └──────────────────┘                         └───┘
///          not bad: silently             not good: the time begins anew;
///                                        flapping: held until good for `flap_hold`
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    phase: Phase,
    /// When it fired, newest last: as many as make it flap.
    fires: VecDeque<Moment>,
    /// The last incident that is over, and when that was.
    closed: Option<(Incident, Moment)>,
    /// When its state was last said.
    said: Moment,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Inactive,
    Pending {
        since: Moment,
    },
    Firing {
        incident: Incident,
        /// Since when it has been good.
        good: Option<Moment>,
        /// Whether it was good since it was last bad.
        eased: bool,
    },
}

impl Machine {
    /// Goes on to `now` with what an evaluation found. `key` begins the id of an incident that opens.
    pub(super) fn step(&mut self, rule: &Rule, verdict: Verdict, now: Moment, key: &str) -> Option<Change> {
        match (&mut self.phase, verdict) {
            (_, Verdict::Unknown) => None,
            (Phase::Inactive, Verdict::Bad) if rule.hold.is_zero() => Some(self.fire(rule, now, now, key)),
            (Phase::Inactive, Verdict::Bad) => {
                self.phase = Phase::Pending { since: now };
                Some(Change::Pending)
            }
            (Phase::Inactive, _) => None,
            (Phase::Pending { since }, Verdict::Bad) => {
                let since = *since;
                (now.since(since) >= rule.hold).then(|| self.fire(rule, since, now, key))
            }
            (Phase::Pending { .. }, _) => {
                self.phase = Phase::Inactive;
                Some(Change::Cancelled)
            }
            (Phase::Firing { good, .. }, Verdict::Between) => {
                *good = None;
                None
            }
            (Phase::Firing { incident, good, eased }, Verdict::Bad) => {
                *good = None;
                if std::mem::take(eased) {
                    incident.flaps = incident.flaps.saturating_add(1);
                }
                None
            }
            (Phase::Firing { incident, good, eased }, Verdict::Good) => {
                *eased = true;
                let held = if incident.flapping { rule.flap.hold } else { Duration::ZERO };
                let since = *good.get_or_insert(now);
                (now.since(since) >= rule.keep_firing_for.max(held)).then(|| self.end(now)).flatten()
            }
        }
    }

    fn fire(&mut self, rule: &Rule, since: Moment, now: Moment, key: &str) -> Change {
        let enough = rule.flap.fires as usize;
        self.fires.push_back(now);
        while self.fires.len() > enough
            || self.fires.front().is_some_and(|at| now.since(*at) > rule.flap.within)
        {
            self.fires.pop_front();
        }
        let flapping = enough > 0 && self.fires.len() >= enough;
        let id = format!("{key}-{}", now.millis());
        let incident = Incident { id, fired: now, since, flaps: 0, flapping };
        self.phase = Phase::Firing { incident, good: None, eased: false };
        self.closed = None;
        self.said = now;
        Change::Fired
    }

    /// Ends the open incident, whatever its state. `None` if there is none.
    pub(super) fn end(&mut self, now: Moment) -> Option<Change> {
        match std::mem::take(&mut self.phase) {
            Phase::Firing { incident, .. } => {
                self.closed = Some((incident, now));
                self.said = now;
                Some(Change::Resolved)
            }
            Phase::Pending { .. } => Some(Change::Cancelled),
            Phase::Inactive => None,
        }
    }

    /// Lets time that does not count pass: nobody looked, or there was nothing to see.
    pub(super) fn pause(&mut self, passed: Duration) {
        match &mut self.phase {
            Phase::Pending { since } => *since = since.after(passed),
            Phase::Firing { good: Some(good), .. } => *good = good.after(passed),
            _ => {}
        }
    }

    /// Whether its state is due to be said again; then it counts as said.
    pub(super) fn say_again(&mut self, every: Duration, closed_for: Duration, now: Moment) -> bool {
        let worth_saying = match (&self.phase, &self.closed) {
            (Phase::Firing { .. }, _) => true,
            (_, Some((_, at))) => now.since(*at) <= closed_for,
            _ => false,
        };
        let due = worth_saying && now.since(self.said) >= every;
        if due {
            self.said = now;
        }
        due
    }

    pub(super) fn standing(&self) -> Standing {
        match (&self.phase, &self.closed) {
            (Phase::Pending { .. }, _) => Standing::Pending,
            (Phase::Firing { .. }, _) => Standing::Firing,
            (Phase::Inactive, Some(_)) => Standing::Resolved,
            (Phase::Inactive, None) => Standing::Inactive,
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::Pending { .. })
    }

    pub(super) fn is_firing(&self) -> bool {
        matches!(self.phase, Phase::Firing { .. })
    }

    /// The open incident, or the last one that was closed, with when.
    pub(super) fn incident(&self) -> Option<(&Incident, Option<Moment>)> {
        match (&self.phase, &self.closed) {
            (Phase::Firing { incident, .. }, _) => Some((incident, None)),
            (Phase::Inactive, Some((incident, at))) => Some((incident, Some(*at))),
            _ => None,
        }
    }

    /// Whether forgetting it would change nothing: no state, nothing to be said again, no fires that still count.
    pub(super) fn is_idle(&self, rule: &Rule, closed_for: Duration, now: Moment) -> bool {
        self.phase == Phase::Inactive
            && self.closed.as_ref().is_none_or(|(_, at)| now.since(*at) > closed_for)
            && (rule.flap.fires == 0 || self.fires.back().is_none_or(|at| now.since(*at) > rule.flap.within))
    }
}
