//! How long an urgent message waits behind a deep backlog of work that is not urgent.
//!
//! The load is an open model: urgent messages are due at fixed moments, whatever became of the last one, and each one's
//! latency runs from the moment it was *due*. A closed model, or a latency that runs from the moment of sending, leaves
//! out just the waiting that a stall causes (coordinated omission). What the run ends before is not left out either:
//! an urgent message still queued then counts with its age, and is counted as unhandled.

mod backlog;
mod neighbours;
mod sender;
mod wake;
mod ward;

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

pub use backlog::behind_backlog;
pub use neighbours::{Arbiter, beside_neighbours};
pub(crate) use sender::send_urgent;
pub use wake::wake_up;
pub use ward::Ward;

use crate::Fault;

/// The load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How long urgent messages are sent.
    pub duration: Duration,
    /// From one to the next.
    pub every: Duration,
    /// The work of each message, urgent or not: a thread kept busy for so long.
    pub service: Duration,
    /// How many other messages are kept queued.
    pub depth: u64,
}

/// What became of the urgent messages. Times in nanoseconds from the moment each was due.
#[derive(Debug, Clone, Serialize)]
pub struct Observed {
    /// How many were sent.
    pub sent: u64,
    /// How many of them the system had not begun to handle when the run ended; they count with their age then, so
    /// that a quantile which falls among them is a lower bound.
    pub unhandled: u64,
    /// Until their handling began.
    pub start: Quantiles,
    /// Until it had ended.
    pub end: Quantiles,
    /// Until their handling began, from the moment each was really sent: without the sender's own lateness.
    pub from_sending: Quantiles,
    /// How late the sender itself was. It is part of the figures from the moment a message was due.
    pub lag: Quantiles,
    /// The fewest other messages that were queued whenever the feeder looked.
    pub shallowest: u64,
    /// Other messages handled in a second.
    pub others_per_second: f64,
}

/// Some quantiles of a distribution, in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantiles {
    /// Half are at most this.
    pub p50: u64,
    /// 99 in 100 are at most this.
    pub p99: u64,
    /// 999 in 1,000 are at most this.
    pub p999: u64,
    /// None is more than this.
    pub max: u64,
}

impl Quantiles {
    /// The quantiles of so many values, within a thousandth.
    ///
    /// # Errors
    /// A value is too large for the histogram, which takes an hour.
    pub fn of(values: impl IntoIterator<Item = u64>) -> Result<Self, Fault> {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, HOUR, 3).map_err(Fault::start)?;
        for value in values {
            histogram.record(value).map_err(Fault::start)?;
        }
        let at = |quantile| histogram.value_at_quantile(quantile);
        Ok(Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: histogram.max() })
    }
}

/// Nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// Puts together what the ward saw and what the sender did.
pub(crate) fn observe(
    ward: &Ward,
    lags: &[u64],
    every: Duration,
    shallowest: u64,
) -> Result<Observed, Fault> {
    let closed = ward.closed_at();
    let due = |number: usize| ward.due(number as u64, every);
    // What nobody began to handle is as old as the run's end makes it.
    let mut starts: Vec<u64> = (0..lags.len()).map(|number| closed.saturating_sub(due(number))).collect();
    let mut ends = starts.clone();
    let handled = ward.handled();
    for urgent in &handled {
        let number = urgent.number as usize;
        let (Some(start), Some(end)) = (starts.get_mut(number), ends.get_mut(number)) else {
            return Err(Fault::Answer { asked: lags.len() as u64, answered: urgent.number });
        };
        *start = urgent.began.saturating_sub(due(number));
        *end = urgent.ended.saturating_sub(due(number));
    }
    let from_sending = starts.iter().zip(lags).map(|(start, lag)| start.saturating_sub(*lag));
    Ok(Observed {
        from_sending: Quantiles::of(from_sending)?,
        sent: lags.len() as u64,
        unhandled: (lags.len() - handled.len()) as u64,
        start: Quantiles::of(starts)?,
        end: Quantiles::of(ends)?,
        lag: Quantiles::of(lags.iter().copied())?,
        shallowest,
        others_per_second: ward.others_per_second(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, Work};

    const EVERY: Duration = Duration::from_millis(1);

    #[test]
    fn a_message_nobody_began_counts_with_its_age_and_as_unhandled() {
        let ward = Ward::new(Duration::ZERO);
        ward.open();
        ward.attend(Work { level: Level::Critical, value: 0 });
        std::thread::sleep(Duration::from_millis(5));
        ward.close();
        let observed = observe(&ward, &[0, 0], EVERY, 0).expect("both were sent");
        assert_eq!((observed.sent, observed.unhandled), (2, 1));
        // Due after one millisecond, never begun.
        assert!(observed.start.max >= 4_000_000, "{observed:?}");
    }

    const BRIEF: Load = Load {
        duration: Duration::from_millis(60),
        every: EVERY,
        service: Duration::from_micros(20),
        depth: 200,
    };

    #[test]
    fn every_system_that_tells_is_kept_busy_and_sent_urgent_messages() {
        struct Each;

        impl crate::systems::Visitor for Each {
            fn visit<S: crate::System>(&mut self) {
                if S::offers(crate::Verb::Tell, crate::Placement::AcrossThreads) {
                    let observed = behind_backlog::<S>(BRIEF);
                    let observed = observed.unwrap_or_else(|fault| panic!("{}: {fault}", S::name()));
                    assert_eq!(observed.sent, 60, "{}", S::name());
                    assert!(observed.others_per_second > 0.0, "{}: {observed:?}", S::name());
                }
            }
        }

        crate::systems::each(&mut Each);
    }

    #[test]
    fn an_agent_is_reached_beside_busy_neighbours() {
        for arbiter in [Arbiter::Own, Arbiter::Shared] {
            let observed = beside_neighbours(BRIEF, arbiter, 1).expect("the runtime starts");
            assert_eq!(observed.sent, 60);
            assert!(observed.others_per_second > 0.0, "{observed:?}");
        }
    }

    #[test]
    fn an_urgent_message_that_was_never_sent_is_a_fault() {
        let ward = Ward::new(Duration::ZERO);
        ward.open();
        ward.attend(Work { level: Level::Critical, value: 7 });
        ward.close();
        assert!(matches!(observe(&ward, &[0], EVERY, 0), Err(Fault::Answer { answered: 7, .. })));
    }
}
