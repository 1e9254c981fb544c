//! The wall clock, made to go forwards only.

use std::time::{Duration, Instant, SystemTime};

use crate::alert::time::Moment;
use crate::sync::{Mutex, lock};

/// A difference that is no drift: the machine was suspended, or somebody set the clock.
const LEAP: Duration = Duration::from_secs(1);

/// Tells moments that never go back, whatever is done to the wall clock.
///
/// Between two readings it goes as the monotonic clock does. That clock stands still while the machine is suspended, so
/// where the wall clock is ahead it leaps there; where the wall clock was set back it goes on, ahead of it.
#[derive(Debug)]
pub(super) struct SteadyClock {
    read: Mutex<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    moment: Moment,
    at: Instant,
    said_ahead: bool,
}

impl SteadyClock {
    pub(super) fn new() -> Self {
        let reading = Reading { moment: SystemTime::now().into(), at: Instant::now(), said_ahead: false };
        Self { read: Mutex::new(reading) }
    }

    pub(super) fn now(&self) -> Moment {
        let mut reading = lock(&self.read);
        let (now, wall) = (Instant::now(), Moment::from(SystemTime::now()));
        let steady = reading.moment.after(now.saturating_duration_since(reading.at));
        let moment = forward(steady, wall);
        let ahead = moment.since(wall);
        if ahead > LEAP && !reading.said_ahead {
            tracing::warn!(
                seconds = ahead.as_secs(),
                "the clock was set back: alerts go on by the time it would have been, and say times that are ahead of it"
            );
        }
        // Not rounded at every reading: a millisecond's fraction a time would add up.
        if moment != steady {
            (reading.moment, reading.at) = (moment, now);
        }
        reading.said_ahead = ahead > LEAP;
        moment
    }

    /// Never tells an earlier moment than this from now on: what a process before it has told.
    pub(super) fn not_before(&self, moment: Moment) {
        let now = self.now();
        if moment > now {
            let mut reading = lock(&self.read);
            (reading.moment, reading.at) = (moment, Instant::now());
        }
    }
}

fn forward(steady: Moment, wall: Moment) -> Moment {
    if wall.since(steady) > LEAP { wall } else { steady }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_machine_is_a_leap_and_a_clock_set_back_is_none() {
        let at = Moment::from_millis;
        assert_eq!(forward(at(5_000), at(5_900)), at(5_000));
        assert_eq!(forward(at(5_000), at(60_000)), at(60_000));
        assert_eq!(forward(at(60_000), at(5_000)), at(60_000));
    }

    #[test]
    fn it_goes_on_from_what_a_process_before_it_told() {
        let clock = SteadyClock::new();
        let ahead = clock.now().after(Duration::from_hours(1));
        clock.not_before(ahead);
        std::thread::sleep(Duration::from_millis(20));
        let now = clock.now();
        assert!(now > ahead && now < ahead.after(Duration::from_mins(1)));
        clock.not_before(Moment::from_millis(0));
        assert!(clock.now() >= now);
    }
}
