//! What a sender sent.

use hdrhistogram::Histogram;

use super::cell::histogram;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// What was sent, and what was to be sent and was not.
#[derive(Debug)]
pub(in crate::load) struct Sends {
    /// By place: the classes of the warm-up, then the same classes again.
    pub(in crate::load) offered: Vec<u64>,
    /// Those of them that were not sent.
    pub(in crate::load) dropped: Vec<u64>,
    /// How late those were that were sent, warm-up left out.
    pub(in crate::load) lag: Histogram<u64>,
    /// The same of the warm-up.
    pub(in crate::load) warm_up_lag: Histogram<u64>,
    /// By the second in which they were to be sent: which, how many, and how many of them were not sent.
    pub(in crate::load) seconds: Vec<(u64, u64, u64)>,
}

impl Sends {
    pub(in crate::load) fn new(classes: usize) -> Self {
        Self {
            offered: vec![0; 2 * classes],
            dropped: vec![0; 2 * classes],
            lag: histogram(),
            warm_up_lag: histogram(),
            seconds: Vec::new(),
        }
    }

    /// Notes a message that was to be sent at `at`, and was, or was dropped, at `now`.
    #[inline]
    pub(in crate::load) fn note(&mut self, place: usize, at: u64, now: u64, dropped: bool) {
        self.offered[place] += 1;
        self.dropped[place] += u64::from(dropped);
        if !dropped {
            let measured = place >= self.offered.len() / 2;
            let lag = if measured { &mut self.lag } else { &mut self.warm_up_lag };
            // Refused would be only what does not fit, and it grows.
            let _ = lag.record(now.saturating_sub(at));
        }
        let second = at / SECOND;
        match self.seconds.last_mut().filter(|last| last.0 == second) {
            Some(last) => (last.1, last.2) = (last.1 + 1, last.2 + u64::from(dropped)),
            None => self.seconds.push((second, 1, u64::from(dropped))),
        }
    }

    /// Empties it, and keeps its memory.
    pub(in crate::load) fn clear(&mut self) {
        self.offered.fill(0);
        self.dropped.fill(0);
        self.lag.reset();
        self.warm_up_lag.reset();
        self.seconds.clear();
    }
}
