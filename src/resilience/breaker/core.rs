//! The state machine behind a lock, and in front of it what most calls need: one atomic load.

use std::time::Duration;

use super::CircuitOpen;
use super::machine::{Answer, Change, Machine, Settled};
use super::options::BreakerOptions;
use super::permit::Outcome;
use super::snapshot::{BreakerSnapshot, BreakerState, CallCounts, RefusedCounts, WindowSnapshot};
use crate::clock::{Nanos, nanos};
use crate::resilience::event::{Decision, Environment, Hook};
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// Bits of the gate that hold the state; the generation is above them.
const STATE_BITS: u32 = 3;

#[derive(Debug)]
pub(super) struct Core {
    /// The generation and the state. Written under the machine's lock, read without.
    gate: AtomicU64,
    /// Until when it is open, in nanoseconds. Written before the gate that says so.
    open_until: AtomicU64,
    /// Nanoseconds from which on a call is slow.
    slow: u64,
    machine: Mutex<Machine>,
    refused: [AtomicU64; 3],
    hook: Hook,
}

/// What a permit is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    generation: u64,
    began: Nanos,
    pub(super) probe: bool,
}

impl Core {
    pub(super) fn new(name: &str, options: &BreakerOptions, environment: &Environment) -> Self {
        Self {
            gate: AtomicU64::new(BreakerState::Closed as u64),
            open_until: AtomicU64::new(0),
            slow: nanos(options.slow_call),
            machine: Mutex::new(Machine::new(options, environment.chance())),
            refused: Default::default(),
            hook: Hook::new(name, environment),
        }
    }

    #[inline]
    pub(super) fn admit(&self) -> Result<Pass, CircuitOpen> {
        let (generation, state) = self.gate();
        let pass = match state {
            BreakerState::Closed | BreakerState::ForcedClosed => {
                Pass { generation, began: self.hook.now(), probe: false }
            }
            _ => self.admit_slowly(state)?,
        };
        self.hook.emit(Decision::CallPermitted { probe: pass.probe });
        Ok(pass)
    }

    #[cold]
    fn admit_slowly(&self, state: BreakerState) -> Result<Pass, CircuitOpen> {
        let now = self.hook.now();
        if let Some(refusal) = self.refusal(state, now) {
            return Err(self.refuse(refusal));
        }
        let (answer, change, generation, state) = {
            let mut machine = lock(&self.machine);
            // The state that refuses is the one asked, not the one that asking may lead to.
            let asked = machine.state();
            let (answer, change) = machine.ask(now);
            self.publish(&machine, change);
            (answer, change, machine.generation(), asked)
        };
        self.report(change);
        match answer {
            Answer::Permitted { probe } => Ok(Pass { generation, began: now, probe }),
            Answer::Refused => Err(self.refuse(CircuitOpen { state, retry_after: self.retry_after(now) })),
        }
    }

    fn refuse(&self, refusal: CircuitOpen) -> CircuitOpen {
        let place = match refusal.state {
            BreakerState::HalfOpen => 1,
            BreakerState::ForcedOpen => 2,
            _ => 0,
        };
        self.refused[place].fetch_add(1, Ordering::Relaxed);
        self.hook.emit(Decision::CallRefused { state: refusal.state });
        refusal
    }

    /// What a call would be told now, as far as can be said without the lock. Changes nothing.
    #[inline]
    pub(super) fn peek(&self) -> Option<CircuitOpen> {
        match self.gate().1 {
            BreakerState::Closed | BreakerState::ForcedClosed => None,
            state => self.refusal(state, self.hook.now()),
        }
    }

    /// [`peek`](Self::peek), and if it is a refusal, it counts as one.
    #[inline]
    pub(super) fn refuse_early(&self) -> Option<CircuitOpen> {
        self.peek().map(|refusal| self.refuse(refusal))
    }

    fn refusal(&self, state: BreakerState, now: Nanos) -> Option<CircuitOpen> {
        match state {
            BreakerState::ForcedOpen => Some(CircuitOpen { state, retry_after: None }),
            BreakerState::Open if now.0 < self.open_until.load(Ordering::Acquire) => {
                Some(CircuitOpen { state, retry_after: self.retry_after(now) })
            }
            _ => None,
        }
    }

    pub(super) fn retry_after(&self, now: Nanos) -> Option<Duration> {
        (self.state() == BreakerState::Open)
            .then(|| Duration::from_nanos(Nanos(self.open_until.load(Ordering::Acquire)).since(now)))
    }

    /// The call of this permit was dropped, or is being torn down by a panic.
    #[cold]
    pub(super) fn abandon(&self, pass: Pass) {
        self.settle(pass, if std::thread::panicking() { Outcome::Panicked } else { Outcome::Abandoned });
    }

    pub(super) fn settle(&self, pass: Pass, outcome: Outcome) {
        let now = self.hook.now();
        let took = now.since(pass.began);
        let slow = took >= self.slow;
        let settled = {
            let mut machine = lock(&self.machine);
            let settled = machine.settle(pass.generation, outcome, slow, now);
            if let Settled::Counted(change @ Some(_)) = settled {
                self.publish(&machine, change);
            }
            settled
        };
        match settled {
            Settled::Late => self.hook.emit(Decision::CallLate { outcome }),
            Settled::Counted(change) => {
                self.hook.emit(Decision::CallRecorded { outcome, took: Duration::from_nanos(took), slow });
                self.report(change);
            }
        }
    }

    /// Changes the state by hand.
    pub(super) fn force(&self, change: impl FnOnce(&mut Machine) -> Change) {
        let change = {
            let mut machine = lock(&self.machine);
            let change = Some(change(&mut machine));
            self.publish(&machine, change);
            change
        };
        self.report(change);
    }

    /// Shows a change to those who do not take the lock. Called under the lock.
    fn publish(&self, machine: &Machine, change: Option<Change>) {
        let Some(Change { to, .. }) = change else { return };
        if let Some(until) = machine.open_until() {
            self.open_until.store(until.0, Ordering::Release);
        }
        self.gate.store(machine.generation() << STATE_BITS | to as u64, Ordering::Release);
    }

    fn report(&self, change: Option<Change>) {
        if let Some(Change { from, to }) = change {
            self.hook.emit(Decision::StateChanged { from, to });
        }
    }

    #[inline]
    fn gate(&self) -> (u64, BreakerState) {
        let gate = self.gate.load(Ordering::Acquire);
        (gate >> STATE_BITS, BreakerState::of(gate & ((1 << STATE_BITS) - 1)))
    }

    pub(super) fn state(&self) -> BreakerState {
        self.gate().1
    }

    pub(super) fn hook(&self) -> &Hook {
        &self.hook
    }

    pub(super) fn snapshot(&self) -> BreakerSnapshot {
        let now = self.hook.now();
        let machine = lock(&self.machine);
        let (recorded, tally) = (machine.recorded, machine.tally(now));
        let (state, open_until) = (machine.state(), machine.open_until());
        drop(machine);
        let [succeeded, failed, timed_out, panicked, abandoned, ignored] = recorded.outcomes;
        let [open, half_open, forced_open] =
            [0, 1, 2].map(|place: usize| self.refused[place].load(Ordering::Relaxed));
        BreakerSnapshot {
            name: self.hook.name().to_owned(),
            state,
            retry_after_seconds: open_until.map(|until| Duration::from_nanos(until.since(now)).as_secs_f64()),
            calls: CallCounts { succeeded, failed, timed_out, panicked, abandoned, ignored },
            slow: recorded.slow,
            late: recorded.late,
            refused: RefusedCounts { open, half_open, forced_open },
            transitions: recorded.transitions,
            window: WindowSnapshot { calls: tally.calls, failed: tally.failed, slow: tally.slow },
        }
    }
}
