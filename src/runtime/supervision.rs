//! Whether to restart, and when. Pure: the time comes from outside.

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;

use crate::agent::Supervision;
use crate::clock::{Nanos, nanos};

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    RestartAfter(Duration),
    GiveUp,
}

/// One instance's history of failures.
#[derive(Debug)]
pub(crate) struct Supervisor {
    options: Supervision,
    /// The restarts of the last period, oldest first.
    restarts: VecDeque<Nanos>,
    /// Failures since the last healthy period.
    in_a_row: u32,
    started_at: Option<Nanos>,
}

impl Supervisor {
    pub(crate) fn new(options: Supervision) -> Self {
        Self { options, restarts: VecDeque::new(), in_a_row: 0, started_at: None }
    }

    /// The agent has started and serves.
    pub(crate) fn started(&mut self, now: Nanos) {
        self.started_at = Some(now);
    }

    /// The agent has failed.
    pub(crate) fn failed(&mut self, now: Nanos) -> Verdict {
        let ceiling = self.ceiling(now);
        let jittered = rand::rng().random_range(0..=nanos(ceiling).max(1));
        self.decide(now, Duration::from_nanos(jittered))
    }

    fn ceiling(&mut self, now: Nanos) -> Duration {
        let backoff = self.options.backoff;
        let healthy =
            self.started_at.take().is_some_and(|started| now.since(started) >= nanos(backoff.healthy_after));
        self.in_a_row = if healthy { 1 } else { self.in_a_row.saturating_add(1) };
        let doublings = (self.in_a_row - 1).min(31);
        backoff.first.saturating_mul(1 << doublings).min(backoff.longest)
    }

    fn decide(&mut self, now: Nanos, rest: Duration) -> Verdict {
        let intensity = self.options.intensity;
        let period = nanos(intensity.within);
        while self.restarts.front().is_some_and(|restart| now.since(*restart) >= period) {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= intensity.restarts as usize {
            return Verdict::GiveUp;
        }
        self.restarts.push_back(now);
        Verdict::RestartAfter(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{Backoff, Intensity};

    fn supervisor(restarts: u32) -> Supervisor {
        Supervisor::new(Supervision {
            intensity: Intensity { restarts, within: Duration::from_secs(10) },
            backoff: Backoff {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
                healthy_after: Duration::from_secs(5),
            },
            ..Supervision::default()
        })
    }

    fn at(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    #[test]
    fn one_failure_more_than_the_intensity_gives_up() {
        let mut supervisor = supervisor(3);
        for n in 0..3 {
            assert!(matches!(supervisor.failed(at(n * 100)), Verdict::RestartAfter(_)), "{n}");
        }
        assert_eq!(supervisor.failed(at(9_999)), Verdict::GiveUp);
    }

    #[test]
    fn failures_older_than_the_period_are_forgotten() {
        let mut supervisor = supervisor(1);
        assert!(matches!(supervisor.failed(at(0)), Verdict::RestartAfter(_)));
        assert!(matches!(supervisor.failed(at(10_000)), Verdict::RestartAfter(_)));
        assert_eq!(supervisor.failed(at(19_999)), Verdict::GiveUp);
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_longest_and_starts_over_after_health() {
        let mut supervisor = supervisor(100);
        let millis = |supervisor: &mut Supervisor, now| supervisor.ceiling(at(now)).as_millis();
        let ceilings: Vec<_> = (0..6).map(|_| millis(&mut supervisor, 0)).collect();
        assert_eq!(ceilings, [100, 200, 400, 800, 1_000, 1_000]);
        supervisor.started(at(0));
        assert_eq!(millis(&mut supervisor, 4_999), 1_000, "not healthy for long enough");
        supervisor.started(at(5_000));
        assert_eq!(millis(&mut supervisor, 10_000), 100, "healthy");
    }

    #[test]
    fn the_rest_is_random_below_its_ceiling() {
        let rests: Vec<_> = (0..50)
            .map(|_| match supervisor(1).failed(at(0)) {
                Verdict::RestartAfter(rest) => rest,
                Verdict::GiveUp => panic!("the first failure is granted a restart"),
            })
            .collect();
        assert!(rests.iter().all(|rest| *rest <= Duration::from_millis(100)));
        assert!(rests.iter().any(|rest| *rest != rests[0]), "fifty equal draws are no draws");
    }
}
