//! What the actor under test does: work of a fixed length for every message, and a note of each urgent one.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::{Level, Work};

/// Shared by the actor, who works here, and those who keep it busy.
#[derive(Debug)]
pub struct Ward {
    service: Duration,
    created: Instant,
    /// When the first urgent message was due, nanoseconds since the creation.
    opened: OnceLock<u64>,
    closed: OnceLock<u64>,
    is_closed: AtomicBool,
    /// Others sent and not yet handled.
    queued: AtomicU64,
    others: AtomicU64,
    handled: Mutex<Vec<Handled>>,
}

/// One urgent message, in nanoseconds since the ward was created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handled {
    pub(super) number: u64,
    pub(super) began: u64,
    pub(super) ended: u64,
}

impl Ward {
    /// A ward where each message is so much work.
    pub fn new(service: Duration) -> Self {
        Self {
            service,
            created: Instant::now(),
            opened: OnceLock::new(),
            closed: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            queued: AtomicU64::new(0),
            others: AtomicU64::new(0),
            handled: Mutex::new(Vec::with_capacity(65_536)),
        }
    }

    /// The work of one message. After the end of the run there is none, so that a deep backlog is gone in no time.
    pub fn attend(&self, work: Work) {
        if self.is_closed() {
            return;
        }
        let began = Instant::now();
        while began.elapsed() < self.service {
            spin_loop();
        }
        if work.level == Level::Critical {
            self.notes().push(Handled { number: work.value, began: self.at(began), ended: self.now() });
        } else {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            if self.opened.get().is_some() {
                self.others.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// An urgent message without work.
    pub(crate) fn note(&self, number: u64) {
        let now = self.now();
        if !self.is_closed() {
            self.notes().push(Handled { number, began: now, ended: now });
        }
    }

    /// From now on urgent messages are due.
    pub fn open(&self) {
        self.opened.get_or_init(|| self.now());
    }

    /// The end of the run.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.closed.get_or_init(|| self.now());
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// When the urgent message of this number is due, nanoseconds since the creation.
    pub(super) fn due(&self, number: u64, every: Duration) -> u64 {
        let opened = self.opened.get().copied().unwrap_or_default();
        opened + number * every.as_nanos() as u64
    }

    pub(super) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    pub(super) fn closed_at(&self) -> u64 {
        self.closed.get().copied().unwrap_or_else(|| self.now())
    }

    /// Other messages sent and not yet handled.
    pub(super) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// One more is sent.
    pub(super) fn queue(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn others_per_second(&self) -> f64 {
        let open = self.closed_at().saturating_sub(self.due(0, Duration::ZERO));
        self.others.load(Ordering::SeqCst) as f64 / Duration::from_nanos(open).as_secs_f64()
    }

    /// The urgent messages whose handling began before the end.
    pub(super) fn handled(&self) -> Vec<Handled> {
        self.notes().clone()
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Handled>> {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, instant: Instant) -> u64 {
        instant.duration_since(self.created).as_nanos() as u64
    }
}
