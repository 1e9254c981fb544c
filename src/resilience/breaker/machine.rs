//! The state machine, without clocks, locks or listeners: every moment is given.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::options::BreakerOptions;
use super::permit::Outcome;
use super::snapshot::{BreakerState, Transitions};
use super::window::{Tally, Window};
use crate::clock::{Nanos, nanos};
use crate::resilience::backoff::Backoff;

/// Rates are compared in millionths, so that 7 of 100 is 7 % without a rounding error.
const WHOLE: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Machine {
    rules: Rules,
    phase: Phase,
    /// Counts the changes of state. An outcome counts only in the state its call began in.
    generation: u64,
    window: Window,
    /// Trips since it was last closed.
    trips: u32,
    chance: StdRng,
    pub(super) recorded: Recorded,
}

/// What has been recorded since the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recorded {
    /// Of each [`Outcome`], in its order.
    pub(super) outcomes: [u64; Outcome::COUNT],
    pub(super) slow: u64,
    pub(super) late: u64,
    pub(super) transitions: Transitions,
}

#[derive(Debug)]
struct Rules {
    minimum: u64,
    failure_rate: u64,
    slow_rate: Option<u64>,
    open: Backoff,
    probes: u64,
    longest_half_open: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until: Nanos },
    HalfOpen { since: Nanos, granted: u64, seen: Tally },
    ForcedOpen,
    ForcedClosed,
}

/// What asking for a permit leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Permitted { probe: bool },
    Refused,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: BreakerState,
    pub(super) to: BreakerState,
}

/// What an outcome led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Counted(Option<Change>),
    Late,
}

impl Machine {
    pub(super) fn new(options: &BreakerOptions, seed: u64) -> Self {
        let parts = |rate: f64| (rate * WHOLE as f64).round() as u64;
        Self {
            rules: Rules {
                minimum: options.minimum(),
                failure_rate: parts(options.failure_rate),
                slow_rate: options.slow_call_rate.map(parts),
                open: options.open,
                probes: options.probes.into(),
                longest_half_open: options.longest_half_open.map(nanos),
            },
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(options.window),
            trips: 0,
            chance: StdRng::seed_from_u64(seed),
            recorded: Recorded::default(),
        }
    }

    /// Asks for a permit.
    pub(super) fn ask(&mut self, now: Nanos) -> (Answer, Option<Change>) {
        match self.phase {
            Phase::Closed | Phase::ForcedClosed => (Answer::Permitted { probe: false }, None),
            Phase::ForcedOpen => (Answer::Refused, None),
            Phase::Open { until } if now < until => (Answer::Refused, None),
            Phase::Open { .. } => {
                let phase = Phase::HalfOpen { since: now, granted: 1, seen: Tally::default() };
                (Answer::Permitted { probe: true }, Some(self.change(phase)))
            }
            Phase::HalfOpen { since, granted, seen } if granted < self.rules.probes => {
                self.phase = Phase::HalfOpen { since, granted: granted + 1, seen };
                (Answer::Permitted { probe: true }, None)
            }
            Phase::HalfOpen { since, .. } => {
                let overdue = self.rules.longest_half_open.is_some_and(|longest| now.since(since) >= longest);
                (Answer::Refused, overdue.then(|| self.trip(now)))
            }
        }
    }

    /// Takes in how a call ended that was permitted in this generation.
    pub(super) fn settle(&mut self, generation: u64, outcome: Outcome, slow: bool, now: Nanos) -> Settled {
        if generation != self.generation {
            self.recorded.late += 1;
            return Settled::Late;
        }
        self.recorded.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Ignored {
            if let Phase::HalfOpen { granted, .. } = &mut self.phase {
                *granted -= 1;
            }
            return Settled::Counted(None);
        }
        self.recorded.slow += u64::from(slow);
        let failed = outcome.is_failure();
        Settled::Counted(match self.phase {
            Phase::Closed => {
                let tally = self.window.record(failed, slow, now);
                (tally.calls >= self.rules.minimum && self.is_too_much(tally)).then(|| self.trip(now))
            }
            Phase::HalfOpen { since, granted, mut seen } => {
                seen.calls += 1;
                seen.failed += u64::from(failed);
                seen.slow += u64::from(slow);
                self.phase = Phase::HalfOpen { since, granted, seen };
                self.judge(seen, now)
            }
            // Forced closed: the window is kept for whoever looks at it. (Nothing is permitted while open.)
            Phase::ForcedClosed | Phase::Open { .. } | Phase::ForcedOpen => {
                self.window.record(failed, slow, now);
                None
            }
        })
    }

    /// Decides as soon as the probes still out cannot change the verdict.
    fn judge(&mut self, seen: Tally, now: Nanos) -> Option<Change> {
        let probes = self.rules.probes;
        let left = probes - seen.calls;
        if self.is_too_much(Tally { calls: probes, ..seen }) {
            return Some(self.trip(now));
        }
        let worst = Tally { calls: probes, failed: seen.failed + left, slow: seen.slow + left };
        (!self.is_too_much(worst)).then(|| self.change(Phase::Closed))
    }

    fn is_too_much(&self, tally: Tally) -> bool {
        let Rules { failure_rate, slow_rate, .. } = self.rules;
        let reached = |count: u64, rate: u64| count * WHOLE >= rate * tally.calls;
        reached(tally.failed, failure_rate) || slow_rate.is_some_and(|rate| reached(tally.slow, rate))
    }

    fn trip(&mut self, now: Nanos) -> Change {
        self.trips = self.trips.saturating_add(1);
        let delay = self.rules.open.delay(self.trips, &mut self.chance);
        self.change(Phase::Open { until: now.after(delay) })
    }

    pub(super) fn force_open(&mut self) -> Change {
        self.change(Phase::ForcedOpen)
    }

    pub(super) fn force_closed(&mut self) -> Change {
        self.change(Phase::ForcedClosed)
    }

    pub(super) fn reset(&mut self) -> Change {
        self.change(Phase::Closed)
    }

    fn change(&mut self, phase: Phase) -> Change {
        let from = self.state();
        self.phase = phase;
        self.generation += 1;
        let transitions = &mut self.recorded.transitions;
        match phase {
            Phase::Closed => {
                self.trips = 0;
                transitions.closed += 1;
            }
            Phase::Open { .. } => transitions.opened += 1,
            Phase::HalfOpen { .. } => transitions.half_opened += 1,
            Phase::ForcedOpen => transitions.forced_open += 1,
            Phase::ForcedClosed => transitions.forced_closed += 1,
        }
        if !matches!(phase, Phase::HalfOpen { .. } | Phase::Open { .. }) {
            // What was seen before says nothing about now. While it is open, it still says why.
            self.window.clear();
        }
        Change { from, to: self.state() }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::ForcedOpen => BreakerState::ForcedOpen,
            Phase::ForcedClosed => BreakerState::ForcedClosed,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Until when it is open, if it is.
    pub(super) fn open_until(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Open { until } => Some(until),
            _ => None,
        }
    }

    /// What it judges by at this moment. Changes nothing.
    pub(super) fn tally(&self, now: Nanos) -> Tally {
        match self.phase {
            Phase::HalfOpen { seen, .. } => seen,
            _ => self.window.tally(now),
        }
    }
}
