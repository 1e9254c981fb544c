//! How the rate develops: the stages of a scenario, and the steps that are added while it runs.

use std::time::Duration;

use super::timeline::Moment;
use crate::clock::nanos;
use crate::load::scenario::Stage;
use crate::sync::{Arc, Mutex, lock};

/// A stretch of time in which the rate changes evenly.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::load) struct Phase {
    pub(in crate::load) name: Arc<str>,
    pub(in crate::load) from: Moment,
    pub(in crate::load) until: Moment,
    /// Messages a second at its beginning.
    pub(in crate::load) rate_from: f64,
    /// At its end.
    pub(in crate::load) rate_to: f64,
    pub(in crate::load) users_from: u32,
    pub(in crate::load) users_to: u32,
}

impl Phase {
    /// A steady one.
    pub(in crate::load) fn steady(
        name: String,
        from: Moment,
        duration: Duration,
        rate: f64,
        users: u32,
    ) -> Self {
        let until = from.saturating_add(nanos(duration));
        Self {
            name: Arc::from(name),
            from,
            until,
            rate_from: rate,
            rate_to: rate,
            users_from: users,
            users_to: users,
        }
    }

    /// Those of a scenario's stages.
    pub(in crate::load) fn of_stages(stages: &[Stage]) -> Vec<Self> {
        let (mut from, mut rate, mut users) = (0, 0.0, 0);
        let mut phases = Vec::with_capacity(stages.len());
        for (n, stage) in stages.iter().enumerate() {
            let name = format!("stage {}", n + 1);
            let mut phase = Self::steady(name, from, stage.duration, stage.rate, stage.users);
            if stage.ramp {
                (phase.rate_from, phase.users_from) = (rate, users);
            }
            (from, rate, users) = (phase.until, stage.rate, stage.users);
            phases.push(phase);
        }
        phases
    }

    fn seconds(&self) -> f64 {
        (self.until - self.from) as f64 / 1e9
    }

    /// How many messages are to be sent in it: the rate integrated.
    pub(in crate::load) fn messages(&self) -> f64 {
        f64::midpoint(self.rate_from, self.rate_to) * self.seconds()
    }

    /// When so many of its messages are to have been sent: the inverse of the integral.
    pub(in crate::load) fn moment_of(&self, count: f64) -> Moment {
        let slope = (self.rate_to - self.rate_from) / (2.0 * self.seconds());
        // The root of slope t² + rate t = count, in the form that does not cancel out for gentle slopes.
        let root = (self.rate_from * self.rate_from + 4.0 * slope * count).max(0.0).sqrt();
        let seconds = 2.0 * count / (self.rate_from + root);
        let within = (seconds * 1e9) as u64;
        self.from.saturating_add(within).min(self.until)
    }

    /// Users at a moment of it.
    pub(in crate::load) fn users_at(&self, now: Moment) -> u32 {
        let length = (self.until - self.from).max(1) as f64;
        let part = (now.saturating_sub(self.from) as f64 / length).min(1.0);
        let (from, to) = (f64::from(self.users_from), f64::from(self.users_to));
        (from + (to - from) * part).round() as u32
    }
}

/// The phases of a run, one after the other. Some may be added while it runs.
#[derive(Debug, Default)]
pub(in crate::load) struct Schedule {
    phases: Mutex<(Vec<Arc<Phase>>, bool)>,
}

/// What a schedule says of a place in it.
#[derive(Debug)]
pub(in crate::load) enum Next {
    Phase(Arc<Phase>),
    /// Not known yet.
    Later,
    /// There is none, and never will be.
    End,
}

impl Schedule {
    /// Adds a phase. Those who send know it some time before it begins.
    pub(in crate::load) fn add(&self, phase: Phase) {
        lock(&self.phases).0.push(Arc::new(phase));
    }

    /// Says that there will be no more.
    pub(in crate::load) fn close(&self) {
        lock(&self.phases).1 = true;
    }

    pub(in crate::load) fn get(&self, place: usize) -> Next {
        let phases = lock(&self.phases);
        match phases.0.get(place) {
            Some(phase) => Next::Phase(Arc::clone(phase)),
            None if phases.1 => Next::End,
            None => Next::Later,
        }
    }

    /// The end of the last phase known.
    pub(in crate::load) fn end(&self) -> Moment {
        lock(&self.phases).0.last().map_or(0, |phase| phase.until)
    }
}
