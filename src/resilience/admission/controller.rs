//! The controller, without clocks or locks: every moment is given.

use std::time::Duration;

use super::options::AdmissionOptions;
use crate::clock::nanos;
use crate::message::Priority;
use crate::resilience::fault::InvalidOptions;

/// Intervals without a message taken after which the queue is taken for empty.
pub(super) const SILENCE: u64 = 10;
/// The least and the most that is admitted below what was served, to work off what waits already.
const DRAIN: (f64, f64) = (0.05, 0.5);
/// What admission grows by in the first calm interval; it doubles with each, up to the second.
const GROWTH: (f64, f64) = (0.01, 0.16);

/// Decides by how long messages wait which of those that arrive are admitted.
///
/// It is told of every message that arrives ([`admit`](Self::admit)) and of every one that is taken from the queue, with
/// how long it waited ([`observe`](Self::observe)). Once an interval it judges each priority by the *shortest* wait of
/// the interval: if even that is above the target, the queue stands and does not just breathe (CoDel; Nichols and
/// Jacobson, 2012). Then it sets a budget for the next interval: what was served in this one, less a part to work off
/// what waits. The budget is spent from the most urgent priority down (DAGOR; Zhou et al., 2018), on what each priority
/// offered: the priority where it ends is refused in part, evenly, and those below in whole.
///
/// - Critical is never refused.
/// - A priority is refused only if it, or one more urgent, waits too long; and only if all below it are refused whole.
///   So Low goes first, then Normal, and High only when it waits too long itself. (A priority that is refused whole
///   already is not asked how long the rest of it waits.)
/// - When waits are short again the budget grows, slowly first and then faster, so that the queue neither stands nor
///   runs dry; between the target and its clear mark nothing changes.
/// - A clock that stands still changes nothing: what is refused stays as it is.
///
/// It is deterministic: the same calls at the same moments give the same answers.
#[derive(Debug, Clone)]
pub struct Controller {
    options: AdmissionOptions,
    seen: Interval,
    /// Admitted and not yet taken, as far as is known.
    queued: u64,
    /// Messages an interval; `None` is no limit.
    budget: Option<f64>,
    /// The most urgent lane that may be refused at all.
    ceiling: usize,
    /// The share of each lane that is refused.
    refused: [f64; Priority::COUNT],
    /// Refusals owed to each lane: what spreads a share evenly.
    owed: [f64; Priority::COUNT],
    /// Calm intervals in a row.
    calm: u32,
}

/// What happened since the interval began.
#[derive(Debug, Clone, Default)]
struct Interval {
    began: Option<u64>,
    offered: [u64; Priority::COUNT],
    taken: u64,
    shortest: [Option<u64>; Priority::COUNT],
}

impl Controller {
    /// A controller that admits everything.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(options: &AdmissionOptions) -> Result<Self, InvalidOptions> {
        options.validate()?;
        Ok(Self {
            options: *options,
            seen: Interval::default(),
            queued: 0,
            budget: None,
            ceiling: Priority::COUNT,
            refused: [0.0; Priority::COUNT],
            owed: [0.0; Priority::COUNT],
            calm: 0,
        })
    }

    /// A message arrives: whether it is admitted. `now` is the time since any moment that stays the same.
    pub fn admit(&mut self, priority: Priority, now: Duration) -> bool {
        self.roll(nanos(now));
        let lane = priority.lane();
        self.seen.offered[lane] += 1;
        self.owed[lane] += self.refused[lane];
        let admitted = self.owed[lane] < 1.0;
        if admitted {
            self.queued += 1;
        } else {
            self.owed[lane] -= 1.0;
        }
        admitted
    }

    /// A message is taken from the queue after it waited so long. `now` as for [`admit`](Self::admit).
    pub fn observe(&mut self, priority: Priority, wait: Duration, now: Duration) {
        self.roll(nanos(now));
        self.seen.taken += 1;
        self.queued = self.queued.saturating_sub(1);
        let shortest = &mut self.seen.shortest[priority.lane()];
        *shortest = Some(shortest.map_or(nanos(wait), |shortest| shortest.min(nanos(wait))));
    }

    /// The share of this priority that is refused now, from 0 to 1. A sender that knows it can hold back itself.
    #[must_use]
    pub fn refused_share(&self, priority: Priority) -> f64 {
        self.refused[priority.lane()]
    }

    /// The share of each priority that is refused now, most urgent first.
    #[must_use]
    pub fn refused_shares(&self) -> [f64; Priority::COUNT] {
        self.refused
    }

    /// Judges an interval that somebody else has watched, `intervals` times as long as one is meant to be.
    pub(super) fn judge_watched(
        &mut self,
        offered: [u64; Priority::COUNT],
        taken: u64,
        shortest: [Option<u64>; Priority::COUNT],
        intervals: f64,
    ) {
        self.judge(&Interval { began: None, offered, taken, shortest }, intervals);
    }

    /// Judges the interval if it is over.
    fn roll(&mut self, now: u64) {
        let began = *self.seen.began.get_or_insert(now);
        let (length, passed) = (nanos(self.options.interval), now.saturating_sub(began));
        if passed < length {
            return;
        }
        // Without a message taken nothing is known, except that an empty queue has none to take. Someone who holds
        // a message for many intervals is not helped by refusing more: then the mailbox's bound holds.
        if self.seen.taken == 0 && self.queued > 0 && passed < length.saturating_mul(SILENCE) {
            return;
        }
        let seen = std::mem::replace(&mut self.seen, Interval { began: Some(now), ..Interval::default() });
        if passed >= length.saturating_mul(SILENCE) && seen.taken == 0 {
            self.queued = 0;
            self.open();
            return;
        }
        self.judge(&seen, passed as f64 / length as f64);
    }

    fn judge(&mut self, seen: &Interval, intervals: f64) {
        let taken = seen.taken as f64 / intervals;
        if let Some((lane, excess)) = self.excess(seen) {
            self.calm = 0;
            let least_urgent = if self.options.refuse_high { 1 } else { 2 };
            self.ceiling = lane.max(least_urgent);
            // Whatever waits beyond the target should be gone in about a second.
            let drain = (excess / 1e9).clamp(DRAIN.0, DRAIN.1);
            self.budget = Some(taken * (1.0 - drain));
        } else if self.is_calm(seen)
            && let Some(budget) = self.budget
        {
            self.calm = self.calm.saturating_add(1);
            let growth = (GROWTH.0 * f64::from(1 << (self.calm - 1).min(10))).min(GROWTH.1);
            self.budget = Some(budget.max(taken) * (1.0 + growth) + 1.0);
        }
        self.spend(seen.offered.map(|count| count as f64 / intervals));
    }

    /// The most urgent lane that waits too long and can be helped, and by how many nanoseconds too long.
    fn excess(&self, seen: &Interval) -> Option<(usize, f64)> {
        Priority::ALL.into_iter().find_map(|priority| {
            let lane = priority.lane();
            let wait = seen.shortest[lane].filter(|_| self.refused[lane] < 1.0)?;
            let target = nanos(self.options.target_of(priority));
            (wait > target).then(|| (lane, (wait - target) as f64))
        })
    }

    fn is_calm(&self, seen: &Interval) -> bool {
        Priority::ALL.into_iter().all(|priority| {
            let lane = priority.lane();
            let target = nanos(self.options.target_of(priority)) as f64;
            self.refused[lane] >= 1.0
                || seen.shortest[lane].is_none_or(|wait| (wait as f64) < target * self.options.clear)
        })
    }

    /// Spends the budget on what was offered, most urgent first, and refuses the rest.
    fn spend(&mut self, offered: [f64; Priority::COUNT]) {
        let Some(mut left) = self.budget else { return };
        let mut spent = false;
        for (lane, (offered, refused)) in offered.into_iter().zip(&mut self.refused).enumerate() {
            let lacking = offered - left;
            left = (left - offered).max(0.0);
            let share = match lacking {
                _ if spent => 1.0,
                lacking if lacking > 0.0 => lacking / offered,
                _ => 0.0,
            };
            spent |= lacking > 0.0;
            *refused = if lane < self.ceiling { 0.0 } else { share };
        }
    }

    /// Admits everything, and forgets that it was ever otherwise.
    pub(super) fn open(&mut self) {
        self.budget = None;
        self.calm = 0;
        self.ceiling = Priority::COUNT;
        self.refused = [0.0; Priority::COUNT];
        self.owed = [0.0; Priority::COUNT];
    }
}
