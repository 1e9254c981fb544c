//! When senders that wait for room are let in.
//!
//! A sender that is faster than the agent would, each time a place comes free, be let in with one message,
//! be woken, send it, and wait again: a wake-up for each message. So places are given out several at a time.
//! This only ever delays a bulk sender, by at most the time below and the handler that runs when it is over;
//! urgent ones are let in at once, and so is everybody when the agent runs dry or its handler waits.

use crate::clock::Nanos;

/// Places are given out at least this often: a wake-up's worth.
const AT_LEAST_EACH_NANOS: u64 = 20_000;
/// And when an eighth of the mailbox has come free, so that the agent never runs dry meanwhile.
const SHARE_OF_CAPACITY: usize = 8;

/// When places were given out last, and how many have come free since.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    last: Nanos,
    put_off: usize,
}

impl Admissions {
    /// Whether those who wait are let in now that a message has left.
    pub(super) fn is_due(&mut self, now: Nanos, urgent: bool, capacity: usize) -> bool {
        self.put_off += 1;
        let due = urgent
            || self.put_off * SHARE_OF_CAPACITY >= capacity
            || now.since(self.last) >= AT_LEAST_EACH_NANOS;
        if due {
            self.last = now;
            self.put_off = 0;
        }
        due
    }

    /// Whether an admission was put off, which it is no longer.
    pub(super) fn settle(&mut self) -> bool {
        std::mem::take(&mut self.put_off) > 0
    }
}
