//! Raises the rate until the target breaks, and watches it recover.

mod knee;
mod recovery;
mod step;

use std::time::Duration;

use super::engine::{Moment, Phase};
use super::result::{BreakingResult, BreakingStep};
use super::scenario::Breaking;
use crate::clock::nanos;

pub(super) use self::step::Window;

use self::recovery::Recovery;

/// Where a test that raises the rate is.
///
/// It always knows one step more than the one that runs: senders must know what they send next before it begins, and what
/// comes after a step can only be told at its end. That is why at least one step follows the one that broke.
#[derive(Debug)]
pub(super) struct Ladder {
    terms: Breaking,
    /// Bound on the generator's lag.
    lag: Duration,
    steps: Vec<BreakingStep>,
    /// The number of the first that broke, from 0 on.
    broke: Option<usize>,
    /// Those that senders know of.
    issued: Vec<Phase>,
    /// No step follows the last one issued.
    is_last_issued: bool,
    /// Whether the first part of the step that runs is over, which is not judged by.
    judging: bool,
    cool_down: Option<(Phase, Recovery)>,
}

/// What happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// From now on the step is judged by what it does.
    JudgingBegins,
    /// A step is over.
    StepEnds,
    /// A second of the cool-down is over.
    SecondEnds,
}

/// What follows what senders know of.
#[derive(Debug)]
pub(super) enum Following {
    Phase(Phase),
    /// That is told at the end of the next step.
    Known,
    /// Nothing, ever.
    Nothing,
}

/// The part of a step that is not judged by is one of so many: queues fill and caches warm.
const UNJUDGED: u64 = 5;

impl Ladder {
    pub(super) fn new(terms: Breaking, lag: Duration) -> Self {
        Self {
            terms,
            lag,
            steps: Vec::new(),
            broke: None,
            issued: Vec::new(),
            is_last_issued: false,
            judging: false,
            cool_down: None,
        }
    }

    /// The first two steps, from `from` on.
    pub(super) fn begin(&mut self, from: Moment) -> Vec<Phase> {
        let first = self.issue(from);
        let second = self.next_step();
        first.into_iter().chain(second).collect()
    }

    /// What happens next, and when; `None` if nothing does.
    pub(super) fn next_event(&self) -> Option<(Moment, Event)> {
        if let Some(step) = self.issued.get(self.steps.len()) {
            let begins = step.from + (step.until - step.from) / UNJUDGED;
            return Some(if self.judging {
                (step.until, Event::StepEnds)
            } else {
                (begins, Event::JudgingBegins)
            });
        }
        let (phase, recovery) = self.cool_down.as_ref()?;
        let end = recovery.window_ends(phase.from);
        (end <= phase.until && !recovery.is_over()).then_some((end, Event::SecondEnds))
    }

    /// Whether a step runs, or is to.
    pub(super) fn is_climbing(&self) -> bool {
        self.steps.len() < self.issued.len()
    }

    /// The first part of a step is over.
    pub(super) fn judging_begins(&mut self) {
        self.judging = true;
    }

    /// A step is over; what was sent and what ended in its judged part is in `window`. Says whether it broke.
    pub(super) fn step_ends(&mut self, window: &Window) -> bool {
        let number = self.steps.len();
        let step = window.judge(&self.terms, self.issued[number].rate_to, self.lag);
        let broken = step.broken;
        self.steps.push(step);
        self.judging = false;
        if broken {
            self.broke.get_or_insert(number);
        }
        broken
    }

    /// What follows what is known already.
    pub(super) fn following(&mut self) -> Following {
        if let Some(phase) = self.next_step().or_else(|| self.next_cool_down()) {
            return Following::Phase(phase);
        }
        let may_still_break = self.steps.len() < self.issued.len() && self.cool_down.is_none();
        if may_still_break { Following::Known } else { Following::Nothing }
    }

    /// A second of the cool-down is over. Whether the target has recovered, so that there is nothing more to see.
    pub(super) fn second_ends(&mut self, window: &Window) -> bool {
        let normal = self.normal();
        match &mut self.cool_down {
            Some((_, recovery)) => recovery.note(window, normal, &self.terms),
            None => false,
        }
    }

    /// The 99th percentile of the first step, in milliseconds.
    fn normal(&self) -> Option<f64> {
        self.steps.first()?.p99_ms
    }

    /// The step after the last one issued, unless that is the last.
    fn next_step(&mut self) -> Option<Phase> {
        let last_wanted = self.broke.map_or(usize::MAX, |broke| broke + self.terms.beyond.max(1) as usize);
        if self.is_last_issued || self.issued.len() > last_wanted {
            self.is_last_issued = true;
            return None;
        }
        let from = self.issued.last().map_or(0, |step| step.until);
        self.issue(from)
    }

    fn issue(&mut self, from: Moment) -> Option<Phase> {
        let number = self.issued.len();
        let rate = self.terms.start_rate * self.terms.factor.powi(number as i32);
        // A hair above the most is the most, multiplied out.
        if rate > self.terms.most_rate * (1.0 + 1e-9) {
            self.is_last_issued = true;
            return None;
        }
        let name = format!("step {}", number + 1);
        let step = Phase::steady(name, from, self.terms.step, rate, self.terms.users);
        self.issued.push(step.clone());
        Some(step)
    }

    /// The cool-down, once, if the last step issued may still be known to be the last and anything broke.
    fn next_cool_down(&mut self) -> Option<Phase> {
        if self.cool_down.is_some() || self.broke.is_none() {
            return None;
        }
        let from = self.issued.last()?.until;
        let terms = &self.terms.cool_down;
        let phase = Phase::steady("cool-down".to_owned(), from, terms.longest, terms.rate, self.terms.users);
        self.cool_down = Some((phase.clone(), Recovery::default()));
        Some(phase)
    }

    /// What was found.
    pub(super) fn result(&self) -> BreakingResult {
        let broken = || self.steps.iter().filter(|step| step.broken);
        let bound = self.terms.critical_bound.map(|bound| nanos(bound) as f64 / 1e6);
        let critical: Vec<f64> = broken().filter_map(|step| step.critical_p99_ms).collect();
        let held = bound.filter(|_| !critical.is_empty());
        let breaking = broken().next();
        BreakingResult {
            breaking_rate: breaking.map(|step| step.offered),
            knee_rate: knee::of(&self.steps),
            why: breaking.map_or_else(|| self.unbroken(), |step| step.why.clone()),
            recovery_seconds: self.cool_down.as_ref().and_then(|(_, recovery)| recovery.seconds()),
            normal_p99_ms: self.normal(),
            critical_bound_ms: bound,
            critical_held: held.map(|bound| critical.iter().all(|p99| *p99 <= bound)),
            usl: None,
            steps: self.steps.clone(),
        }
    }

    fn unbroken(&self) -> String {
        match self.steps.last() {
            Some(step) => format!("it did not break up to {:.0} messages a second", step.offered),
            None => "no step was finished".to_owned(),
        }
    }
}
