//! What became of the messages of a class.

use hdrhistogram::Histogram;

use crate::load::target::{ErrorClass, Outcome};

/// Three significant digits: a reported latency is within 0.1 % of a measured one.
const DIGITS: u8 = 3;

/// What takes longer is recorded as this: an hour, in nanoseconds. It bounds a histogram's memory to 270 KB.
const LONGEST: u64 = 3_600_000_000_000;

/// An empty histogram of nanoseconds. It grows with what it is given.
pub(in crate::load) fn histogram() -> Histogram<u64> {
    let mut histogram = Histogram::new(DIGITS).expect("three digits are in range");
    histogram.auto(true);
    histogram
}

/// Adds what the second has recorded.
pub(in crate::load) fn add(to: &mut Histogram<u64>, histogram: &Histogram<u64>) {
    if !histogram.is_empty() {
        // Refused would be only what does not fit, and what is added to grows.
        let added = to.add(histogram);
        debug_assert!(added.is_ok(), "a histogram was refused");
    }
}

/// Nanoseconds in milliseconds.
pub(in crate::load) fn milliseconds(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// What became of the messages of a class.
#[derive(Debug, Clone)]
pub(in crate::load) struct Cell {
    /// From when they were to be sent.
    pub(in crate::load) corrected: Histogram<u64>,
    /// From when they were sent.
    pub(in crate::load) uncorrected: Histogram<u64>,
    pub(in crate::load) done: u64,
    pub(in crate::load) failed: [u64; ErrorClass::COUNT],
}

impl Default for Cell {
    fn default() -> Self {
        Self { corrected: histogram(), uncorrected: histogram(), done: 0, failed: [0; ErrorClass::COUNT] }
    }
}

impl Cell {
    /// Counts a message. Its latencies say something if it ended well, or not in time.
    #[inline]
    pub(in crate::load) fn record(&mut self, outcome: Outcome, corrected: u64, uncorrected: u64) {
        self.record_n(outcome, corrected, uncorrected, 1);
    }

    /// Counts several.
    #[inline]
    pub(in crate::load) fn record_n(&mut self, outcome: Outcome, corrected: u64, uncorrected: u64, n: u64) {
        if n == 0 {
            return;
        }
        match outcome {
            Outcome::Done => self.done += n,
            Outcome::Failed(class) => {
                self.failed[class as usize] += n;
                if class != ErrorClass::Timeout {
                    return;
                }
            }
        }
        // Refused would be only what does not fit.
        let _ = self.corrected.record_n(corrected.min(LONGEST), n);
        let _ = self.uncorrected.record_n(uncorrected.min(LONGEST), n);
    }

    pub(in crate::load) fn add(&mut self, other: &Self) {
        add(&mut self.corrected, &other.corrected);
        add(&mut self.uncorrected, &other.uncorrected);
        self.done += other.done;
        self.failed.iter_mut().zip(other.failed).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.corrected.reset();
        self.uncorrected.reset();
        self.done = 0;
        self.failed = [0; ErrorClass::COUNT];
    }

    pub(in crate::load) fn all_failed(&self) -> u64 {
        self.failed.iter().sum()
    }

    pub(in crate::load) fn ended(&self) -> u64 {
        self.done + self.all_failed()
    }
}
