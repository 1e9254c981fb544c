//! What the senders of a run, its messages and whoever conducts it have in common.

use std::fmt;
use std::sync::atomic::AtomicBool;

use super::schedule::Schedule;
use super::timeline::{Moment, Timeline};
use crate::load::measure::{Recorders, Sends};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// What all have in common.
pub(in crate::load) struct Shared {
    pub(in crate::load) timeline: Timeline,
    pub(in crate::load) schedule: Arc<Schedule>,
    pub(in crate::load) recorders: Recorders,
    /// What each sender sent.
    pub(in crate::load) origins: Vec<Arc<Origin>>,
    /// Messages that were to be sent before this are in no figure but the series.
    pub(in crate::load) warm_up: Moment,
    /// How long a message may take, in nanoseconds from its send.
    pub(in crate::load) timeout: u64,
    halt: AtomicBool,
    finish: AtomicBool,
    abandoned: AtomicBool,
    /// Moment of the halt; `u64::MAX` before.
    halted_at: AtomicU64,
}

impl Shared {
    pub(in crate::load) fn new(
        timeline: Timeline,
        schedule: Arc<Schedule>,
        recorders: Recorders,
        senders: usize,
        warm_up: Moment,
        timeout: u64,
    ) -> Self {
        let classes = recorders.classes();
        Self {
            timeline,
            schedule,
            recorders,
            origins: (0..senders).map(|_| Arc::new(Origin::new(classes))).collect(),
            warm_up,
            timeout,
            halt: AtomicBool::new(false),
            finish: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            halted_at: AtomicU64::new(u64::MAX),
        }
    }

    /// Nothing is sent from now on; what is under way may end.
    pub(in crate::load) fn halt(&self, now: Moment) {
        self.halted_at.fetch_min(now, Ordering::AcqRel);
        self.halt.store(true, Ordering::Release);
    }

    #[inline]
    pub(in crate::load) fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Acquire)
    }

    /// When sending ended, or is going to end as far as is known.
    pub(in crate::load) fn sending_ends(&self) -> Moment {
        self.halted_at.load(Ordering::Acquire).min(self.schedule.end())
    }

    /// Ends everything at once: a sender is gone.
    pub(in crate::load) fn abandon(&self) {
        self.halt(self.timeline.now());
        self.abandoned.store(true, Ordering::Release);
        self.finish();
    }

    /// Whether a sender is gone.
    pub(in crate::load) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// When sending ended: when it was to, or later, if the senders did not keep up.
    pub(in crate::load) fn sending_ended(&self) -> Moment {
        let last = self.origins.iter().map(|origin| origin.last_send.load(Ordering::Acquire)).max();
        self.sending_ends().max(last.unwrap_or(0))
    }

    /// Senders give up what is under way, and end.
    pub(in crate::load) fn finish(&self) {
        self.finish.store(true, Ordering::Release);
    }

    #[inline]
    pub(in crate::load) fn is_finished(&self) -> bool {
        self.finish.load(Ordering::Acquire)
    }

    /// Whether every sender has sent all that it had to.
    pub(in crate::load) fn all_sent(&self) -> bool {
        self.origins.iter().all(|origin| origin.has_sent_all())
    }

    /// Messages under way.
    pub(in crate::load) fn in_flight(&self) -> u64 {
        self.origins.iter().map(|origin| origin.in_flight()).sum()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("timeline", &self.timeline).finish_non_exhaustive()
    }
}

/// What a sender sent, and how much of it has ended.
#[derive(Debug)]
pub(in crate::load) struct Origin {
    /// Written by the sender.
    sent: AtomicU64,
    /// Written by whoever ends a message.
    ended: AtomicU64,
    sent_all: AtomicBool,
    /// Its last send, once it has sent all.
    last_send: AtomicU64,
    sends: Mutex<Sends>,
}

impl Origin {
    fn new(classes: usize) -> Self {
        Self {
            sent: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            sent_all: AtomicBool::new(false),
            last_send: AtomicU64::new(0),
            sends: Mutex::new(Sends::new(classes)),
        }
    }

    /// Notes a send; whether it is one too many under way and is not to be made.
    #[inline]
    pub(super) fn note_send(&self, place: usize, at: Moment, now: Moment, bound: u64) -> bool {
        let sent = self.sent.load(Ordering::Relaxed);
        let dropped = sent - self.ended.load(Ordering::Acquire) >= bound;
        if !dropped {
            // The sender is the only one that writes it.
            self.sent.store(sent + 1, Ordering::Release);
        }
        lock(&self.sends).note(place, at, now, dropped);
        dropped
    }

    #[inline]
    pub(in crate::load) fn note_end(&self) {
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn note_sent_all(&self, last_send: Moment) {
        self.last_send.store(last_send, Ordering::Relaxed);
        self.sent_all.store(true, Ordering::Release);
    }

    fn has_sent_all(&self) -> bool {
        self.sent_all.load(Ordering::Acquire)
    }

    fn in_flight(&self) -> u64 {
        let ended = self.ended.load(Ordering::Acquire);
        self.sent.load(Ordering::Acquire).saturating_sub(ended)
    }

    /// What it sent since it was asked before, put into `sends`, which is empty.
    pub(in crate::load) fn take(&self, sends: &mut Sends) {
        std::mem::swap(&mut *lock(&self.sends), sends);
    }
}
