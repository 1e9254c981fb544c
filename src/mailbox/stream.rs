//! Streams: messages that come without pause from another core.
//!
//! To look at the intake takes its cache lines from the sender, and the sender takes them back. An agent that
//! is as fast as its sender would do so for every message or two. So while a stream lasts it looks no oftener
//! than each [`CROSSING_NANOS`], and what has come since counts as still on its way
//! (`docs/decisions/0011`).

use crate::clock::Nanos;
use crate::sync::{AtomicU64, Ordering};

/// In a stream the agent fetches what has come at most once in so many nanoseconds: a fiftieth of what waking
/// its thread may take.
pub(super) const CROSSING_NANOS: u64 = 1_000;

/// The agent's memory of a stream; under the front's lock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stream {
    /// When the intake was last brought over.
    crossed_at: Nanos,
    /// What was brought over then came from another core, and more may be on its way.
    lasts: bool,
}

impl Stream {
    /// The intake was brought over, and what it held came from another core or not.
    pub(super) fn cross(&mut self, now: Nanos, lasts: bool) {
        *self = Self { crossed_at: now, lasts };
    }

    /// The next look at the intake is a real one, whatever the time.
    pub(super) fn end(&mut self) {
        self.lasts = false;
    }

    /// Whether more may be on its way.
    pub(super) fn lasts(&self) -> bool {
        self.lasts
    }

    /// Whether it is too early to look at the intake.
    pub(super) fn is_fresh(&self, now: Nanos) -> bool {
        self.lasts && now.since(self.crossed_at) < CROSSING_NANOS
    }
}

/// The thread on which a mailbox was served last.
#[derive(Debug, Default)]
pub(super) struct Home(AtomicU64);

/// Of a mailbox that has not been served yet.
const NOWHERE: u64 = 0;

impl Home {
    /// It is served on this thread.
    pub(super) fn settle(&self) {
        let here = thread_token();
        // Senders read it for each message.
        if self.0.load(Ordering::Relaxed) != here {
            self.0.store(here, Ordering::Relaxed);
        }
    }

    /// Whether it is known to be served on another thread than this.
    pub(super) fn is_elsewhere(&self) -> bool {
        let home = self.0.load(Ordering::Relaxed);
        home != NOWHERE && home != thread_token()
    }
}

/// A number of the calling thread's own.
fn thread_token() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    thread_local! {
        static TOKEN: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // While a thread is torn down it has none, and is a stranger to everybody.
    TOKEN.try_with(|token| *token).unwrap_or(u64::MAX)
}
