//! Admission control of a queue that keeps count of its messages itself.

use std::fmt;

use super::AdmissionSnapshot;
use super::controller::{Controller, SILENCE};
use super::options::AdmissionOptions;
use crate::clock::{Nanos, nanos};
use crate::mailbox::Traffic;
use crate::message::Priority;
use crate::resilience::event::{Decision, Environment, Hook};
use crate::resilience::fault::InvalidOptions;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// A whole refusal; shares are counted in parts of it.
const WHOLE: u64 = 1 << 32;

type Lanes<T> = [T; Priority::COUNT];

/// A [`Controller`] for a mailbox. Where an [`AdmissionController`](super::AdmissionController) is told of every message
/// under a lock, this one looks at the mailbox's own counts once an interval: a message of a priority of which nothing is
/// refused costs its sender one relaxed load, and whoever takes it two.
pub(crate) struct QueueAdmission {
    senders: Senders,
    takers: Takers,
    interval: u64,
    watched: Mutex<Watched>,
    hook: Hook,
}

/// What senders look at. Written once an interval, and by those who may be refused.
#[repr(align(64))]
#[derive(Default)]
struct Senders {
    /// The share of each lane that is refused, in parts of [`WHOLE`].
    refused: Lanes<AtomicU64>,
    /// Refusals owed to each lane so far, in the same parts: one is due whenever a whole is full, which spreads a share
    /// evenly.
    owed: Lanes<AtomicU64>,
    shed: Lanes<AtomicU64>,
    /// Nothing was taken for many intervals if nobody has judged by then.
    silent_at: AtomicU64,
}

/// What those look at who take messages.
#[repr(align(64))]
struct Takers {
    /// Of this interval, for each lane; `u64::MAX` is none.
    shortest: Lanes<AtomicU64>,
    judge_at: AtomicU64,
}

struct Watched {
    controller: Controller,
    began: Nanos,
    /// What had passed when the interval began.
    before: Traffic,
    shed_before: Lanes<u64>,
}

impl QueueAdmission {
    /// Admits everything, until messages wait too long.
    pub(crate) fn new(
        name: &Arc<str>,
        options: &AdmissionOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        let controller = Controller::new(options)?;
        let hook = Hook::new(name, environment);
        let (began, interval) = (hook.now(), nanos(options.interval));
        Ok(Self {
            senders: Senders::default(),
            takers: Takers {
                shortest: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
                judge_at: AtomicU64::new(began.0.saturating_add(interval)),
            },
            interval,
            watched: Mutex::new(Watched {
                controller,
                began,
                before: Traffic::default(),
                shed_before: Lanes::default(),
            }),
            hook,
        })
    }

    /// Whether some of this priority are refused. If not, the message is admitted.
    #[inline]
    pub(crate) fn refuses(&self, priority: Priority) -> bool {
        self.senders.refused[priority.lane()].load(Ordering::Relaxed) != 0
    }

    /// Whether one more message of a priority is admitted of which some are refused.
    pub(crate) fn admits_one_more(
        &self,
        priority: Priority,
        now: Nanos,
        traffic: impl FnOnce() -> Traffic,
    ) -> bool {
        let Senders { refused, owed, shed, silent_at } = &self.senders;
        if now.0 >= silent_at.load(Ordering::Relaxed) {
            self.end_silence(now, &traffic());
        }
        let lane = priority.lane();
        let share = refused[lane].load(Ordering::Relaxed);
        let before = owed[lane].fetch_add(share, Ordering::Relaxed);
        let is_due = before % WHOLE + share >= WHOLE;
        if is_due {
            shed[lane].fetch_add(1, Ordering::Relaxed);
            self.hook.emit(Decision::Shed { priority });
        }
        !is_due
    }

    /// A message was taken after it waited so many nanoseconds.
    #[inline]
    pub(crate) fn observe(
        &self,
        priority: Priority,
        wait: u64,
        now: Nanos,
        traffic: impl FnOnce() -> Traffic,
    ) {
        let Takers { shortest, judge_at } = &self.takers;
        if now.0 >= judge_at.load(Ordering::Relaxed) {
            self.judge(now, &traffic());
        }
        let shortest = &shortest[priority.lane()];
        if wait < shortest.load(Ordering::Relaxed) {
            shortest.fetch_min(wait, Ordering::Relaxed);
        }
    }

    /// The share of each priority that is refused now.
    pub(crate) fn refused_shares(&self) -> [f64; Priority::COUNT] {
        lock(&self.watched).controller.refused_shares()
    }

    /// Its counters, and what it refuses now.
    pub(crate) fn snapshot(&self, traffic: &Traffic) -> AdmissionSnapshot {
        let shares = lock(&self.watched).controller.refused_shares();
        let shed = self.shed();
        AdmissionSnapshot {
            name: self.hook.name().to_owned(),
            refused: Priority::ALL.map(|it| (it, shares[it.lane()])).into(),
            admitted: Priority::ALL.map(|it| (it, traffic.arrived[it.lane()])).into(),
            shed: Priority::ALL.map(|it| (it, shed[it.lane()])).into(),
        }
    }

    #[cold]
    fn judge(&self, now: Nanos, traffic: &Traffic) {
        let mut watched = lock(&self.watched);
        // Another member of the pool may have been here.
        if now.0 < self.takers.judge_at.load(Ordering::Relaxed) {
            return;
        }
        let shed = self.shed();
        let Watched { controller, began, before, shed_before } = &mut *watched;
        let since = |now: &Lanes<u64>, then: &Lanes<u64>| -> Lanes<u64> {
            std::array::from_fn(|lane| now[lane].saturating_sub(then[lane]))
        };
        let (arrived, refused) = (since(&traffic.arrived, &before.arrived), since(&shed, shed_before));
        let offered = std::array::from_fn(|lane| arrived[lane] + refused[lane]);
        let taken = since(&traffic.departed, &before.departed).iter().sum();
        let shortest = self.takers.shortest.each_ref().map(|wait| {
            let wait = wait.swap(u64::MAX, Ordering::Relaxed);
            (wait != u64::MAX).then_some(wait)
        });
        let shares = controller.refused_shares();
        let intervals = now.since(*began) as f64 / self.interval as f64;
        controller.judge_watched(offered, taken, shortest, intervals);
        (*before, *shed_before) = (*traffic, shed);
        self.begin(watched, now, shares);
    }

    /// Nobody has taken a message, and judged, for so long that the queue was empty or its agent stood still. Then what
    /// is refused does not help, and the mailbox's bound holds.
    #[cold]
    fn end_silence(&self, now: Nanos, traffic: &Traffic) {
        let mut watched = lock(&self.watched);
        if now.0 < self.senders.silent_at.load(Ordering::Relaxed) {
            return;
        }
        let shares = watched.controller.refused_shares();
        watched.controller.open();
        watched.before = *traffic;
        watched.shed_before = self.shed();
        self.begin(watched, now, shares);
    }

    fn shed(&self) -> Lanes<u64> {
        self.senders.shed.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Begins an interval, and shows what is refused in it to those who do not take the lock.
    fn begin(&self, mut watched: crate::sync::MutexGuard<'_, Watched>, now: Nanos, shares: Lanes<f64>) {
        watched.began = now;
        let changed = watched.controller.refused_shares();
        for (refused, share) in self.senders.refused.iter().zip(changed) {
            refused.store((share * WHOLE as f64) as u64, Ordering::Relaxed);
        }
        self.takers.judge_at.store(now.0.saturating_add(self.interval), Ordering::Relaxed);
        let silence = self.interval.saturating_mul(SILENCE);
        self.senders.silent_at.store(now.0.saturating_add(silence), Ordering::Relaxed);
        drop(watched);
        if shares != changed {
            self.hook.emit(Decision::AdmissionChanged { refused: changed });
        }
    }
}

impl fmt::Debug for QueueAdmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueAdmission").field("name", &self.hook.name()).finish_non_exhaustive()
    }
}
