//! The outcomes a breaker judges by: those of the last calls, or of the last while.

use std::time::Duration;

use super::options::Window as Length;
use crate::clock::{Nanos, nanos};

/// How finely a window of time forgets: a tenth of it at a time.
const BUCKETS: usize = 10;

const FAILED: u8 = 1;
const SLOW: u8 = 2;

/// So many calls, and how many of them failed and were slow (both, some).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) slow: u64,
}

#[derive(Debug)]
pub(super) enum Window {
    Calls(CallWindow),
    Time(Box<TimeWindow>),
}

impl Window {
    pub(super) fn new(length: Length) -> Self {
        match length {
            Length::Calls(calls) => Self::Calls(CallWindow::new(calls)),
            Length::Time(time) => Self::Time(Box::new(TimeWindow::new(time))),
        }
    }

    /// Takes an outcome in, and says what the window now holds.
    pub(super) fn record(&mut self, failed: bool, slow: bool, now: Nanos) -> Tally {
        match self {
            Self::Calls(window) => window.record(failed, slow),
            Self::Time(window) => window.record(failed, slow, now),
        }
    }

    /// What it holds now. Changes nothing.
    pub(super) fn tally(&self, now: Nanos) -> Tally {
        match self {
            Self::Calls(window) => window.total,
            Self::Time(window) => window.tally(now),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Calls(window) => (window.next, window.total) = (0, Tally::default()),
            Self::Time(window) => (window.buckets, window.total) = Default::default(),
        }
    }
}

impl Tally {
    fn add(&mut self, failed: bool, slow: bool) {
        self.calls += 1;
        self.failed += u64::from(failed);
        self.slow += u64::from(slow);
    }

    fn remove(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }
}

/// A ring of the last outcomes, a byte each.
#[derive(Debug)]
pub(super) struct CallWindow {
    ring: Box<[u8]>,
    next: usize,
    total: Tally,
}

impl CallWindow {
    fn new(calls: u32) -> Self {
        Self { ring: vec![0; calls.max(1) as usize].into(), next: 0, total: Tally::default() }
    }

    fn record(&mut self, failed: bool, slow: bool) -> Tally {
        let size = self.ring.len();
        let place = &mut self.ring[self.next];
        if self.total.calls == size as u64 {
            self.total.remove(Tally {
                calls: 1,
                failed: u64::from(*place & FAILED != 0),
                slow: u64::from(*place & SLOW != 0),
            });
        }
        *place = u8::from(failed) * FAILED + u8::from(slow) * SLOW;
        self.next = if self.next + 1 == size { 0 } else { self.next + 1 };
        self.total.add(failed, slow);
        self.total
    }
}

/// A ring of tallies, each of a tenth of the window. Holds between nine tenths of the window and the whole.
#[derive(Debug)]
pub(super) struct TimeWindow {
    /// Nanoseconds a bucket is long.
    width: u64,
    /// The number of the newest bucket, counted since the clock began.
    newest: u64,
    buckets: [Tally; BUCKETS],
    total: Tally,
}

impl TimeWindow {
    fn new(time: Duration) -> Self {
        let width = (nanos(time) / BUCKETS as u64).max(1);
        Self { width, newest: 0, buckets: [Tally::default(); BUCKETS], total: Tally::default() }
    }

    fn record(&mut self, failed: bool, slow: bool, now: Nanos) -> Tally {
        self.roll(now);
        self.buckets[place(self.newest)].add(failed, slow);
        self.total.add(failed, slow);
        self.total
    }

    /// Forgets the buckets that `now` leaves behind. A moment before the newest bucket (clocks of two cores may
    /// disagree a little) forgets nothing.
    fn roll(&mut self, now: Nanos) {
        let number = now.0 / self.width;
        for passed in self.newest + 1..=number.min(self.newest + BUCKETS as u64) {
            self.total.remove(std::mem::take(&mut self.buckets[place(passed)]));
        }
        self.newest = self.newest.max(number);
    }

    fn tally(&self, now: Nanos) -> Tally {
        let mut total = self.total;
        let number = now.0 / self.width;
        for passed in self.newest + 1..=number.min(self.newest + BUCKETS as u64) {
            total.remove(self.buckets[place(passed)]);
        }
        total
    }
}

fn place(number: u64) -> usize {
    (number % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    #[test]
    fn a_window_of_300_ms_holds_270_to_300_ms() {
        let mut window = Window::new(Length::Time(Duration::from_millis(300)));
        window.record(true, false, at(0));
        assert_eq!(window.record(true, true, at(269)).calls, 2);
        assert_eq!(window.tally(at(299)), Tally { calls: 2, failed: 2, slow: 1 });
        assert_eq!(window.tally(at(300)), Tally { calls: 1, failed: 1, slow: 1 });
        assert_eq!(window.tally(at(540)), Tally::default());
        assert_eq!(window.record(false, false, at(540)), Tally { calls: 1, failed: 0, slow: 0 });
    }

    #[test]
    fn a_clock_that_steps_back_loses_nothing() {
        let mut window = Window::new(Length::Time(Duration::from_millis(300)));
        window.record(true, false, at(500));
        assert_eq!(window.record(true, false, at(100)).calls, 2);
        assert_eq!(window.tally(at(0)).calls, 2);
        assert_eq!(window.record(true, false, at(500)).calls, 3);
    }

    #[test]
    fn a_clock_at_its_end_does_not_overflow() {
        let mut window = Window::new(Length::Time(Duration::from_millis(1)));
        window.record(true, false, Nanos(u64::MAX));
        assert_eq!(window.tally(Nanos(u64::MAX)).calls, 1);
    }

    proptest! {
        #[test]
        fn a_call_window_holds_the_last_calls(
            size in 1_u32..20,
            outcomes in proptest::collection::vec(any::<(bool, bool)>(), 0..100),
        ) {
            let mut window = Window::new(Length::Calls(size));
            let mut model = VecDeque::new();
            for (failed, slow) in outcomes {
                model.push_back((failed, slow));
                if model.len() > size as usize {
                    model.pop_front();
                }
                let tally = window.record(failed, slow, Nanos(0));
                prop_assert_eq!(tally.calls, model.len() as u64);
                prop_assert_eq!(tally.failed, model.iter().filter(|it| it.0).count() as u64);
                prop_assert_eq!(tally.slow, model.iter().filter(|it| it.1).count() as u64);
            }
        }

        #[test]
        fn a_time_window_holds_what_its_buckets_cover(
            steps in proptest::collection::vec((0_u64..250, any::<bool>()), 1..200),
        ) {
            let mut window = Window::new(Length::Time(Duration::from_millis(300)));
            let (mut now, mut model) = (0, Vec::new());
            for (step, failed) in steps {
                now += step;
                model.push((now, failed));
                let tally = window.record(failed, false, at(now));
                let kept: Vec<_> = model.iter().filter(|(then, _)| now / 30 - then / 30 < 10).collect();
                prop_assert_eq!(tally.calls, kept.len() as u64);
                prop_assert_eq!(tally.failed, kept.iter().filter(|it| it.1).count() as u64);
                prop_assert_eq!(window.tally(at(now)), tally);
            }
        }
    }
}
