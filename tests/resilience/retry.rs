//! Which failures are tried again, when, and how often in all.

use std::time::Duration;

use proptest::prelude::*;
use statim::resilience::{
    Backoff, Environment, GivenUp, Jitter, ManualClock, Retry, RetryBudget, RetryOptions, Time, Verdict,
};

use crate::support::ms;

fn retry(options: &RetryOptions) -> (Retry, ManualClock) {
    let (time, clock) = Time::manual();
    (Retry::new("callee", options, &Environment::default().time(time).seed(1)).unwrap(), clock)
}

#[test]
fn only_what_is_marked_as_passing_is_tried_again() {
    let (retry, _clock) = retry(&RetryOptions::default());
    assert!(retry.after(1, Verdict::Retryable).is_ok());
    for verdict in [Verdict::Permanent, Verdict::Ignored, Verdict::Success] {
        assert_eq!(retry.after(1, verdict), Err(GivenUp::NotRetryable));
    }
    assert_eq!((retry.snapshot().retries, retry.snapshot().not_retryable), (1, 3));
}

#[test]
fn three_attempts_are_three_calls() {
    let (retry, _clock) = retry(&RetryOptions::default());
    assert!(retry.after(1, Verdict::Retryable).is_ok());
    assert!(retry.after(2, Verdict::Retryable).is_ok());
    assert_eq!(retry.after(3, Verdict::Retryable), Err(GivenUp::Attempts));
    assert_eq!(retry.snapshot().attempts_exhausted, 1);
}

#[test]
fn rests_grow_and_are_left_to_chance() {
    let options = RetryOptions {
        attempts: 100,
        backoff: Backoff::exponential(ms(100), ms(400)),
        budget: RetryBudget { burst: 1000, ..RetryBudget::default() },
        ..RetryOptions::default()
    };
    let (retry, _clock) = retry(&options);
    for (attempt, ceiling) in [(1, 100), (2, 200), (3, 400), (9, 400)] {
        let rests: Vec<_> = (0..100).map(|_| retry.after(attempt, Verdict::Retryable).unwrap()).collect();
        assert!(rests.iter().all(|rest| *rest <= ms(ceiling)));
        let mean = rests.iter().sum::<Duration>() / 100;
        assert!(mean > ms(ceiling * 4 / 10) && mean < ms(ceiling * 6 / 10), "{mean:?} of {ceiling} ms");
    }
}

#[test]
fn the_callees_wish_for_a_rest_is_kept_if_it_is_not_too_long() {
    let backoff = Backoff::exponential(ms(1), Duration::from_secs(2)).jitter(Jitter::None);
    let (retry, _clock) = retry(&RetryOptions { backoff, ..RetryOptions::default() });
    assert_eq!(retry.after(1, Verdict::RetryAfter(ms(1500))), Ok(ms(1500)));
    assert_eq!(retry.after(1, Verdict::RetryAfter(Duration::ZERO)), Ok(ms(1)));
    assert_eq!(retry.after(1, Verdict::RetryAfter(ms(2001))), Err(GivenUp::RetryAfter));
}

#[test]
fn a_failing_callee_gets_a_tenth_more_calls_and_not_three_times_as_many() {
    let budget = RetryBudget { ratio: 0.1, per_second: 0.0, burst: 10 };
    let (retry, _clock) = retry(&RetryOptions { budget, ..RetryOptions::default() });
    let mut retries = 0;
    for _ in 0..10_000 {
        retry.begin();
        for attempt in 1.. {
            if retry.after(attempt, Verdict::Retryable).is_err() {
                break;
            }
            retries += 1;
        }
    }
    assert!((1000..=1010).contains(&retries), "{retries} retries of 10,000 calls");
    assert_eq!(retry.snapshot().retries, retries);
    assert!(retry.snapshot().budget < 1.0);
}

#[test]
fn a_budget_fills_with_time_up_to_its_burst() {
    let budget = RetryBudget { ratio: 0.0, per_second: 2.0, burst: 3 };
    let (retry, clock) = retry(&RetryOptions { budget, ..RetryOptions::default() });
    let granted = || (0..10).filter(|_| retry.after(1, Verdict::Retryable).is_ok()).count();
    assert_eq!(granted(), 3);
    clock.advance(ms(999));
    assert_eq!(granted(), 1);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(retry.snapshot().budget, 3.0);
    assert_eq!(granted(), 3);
    assert_eq!(retry.after(1, Verdict::Retryable), Err(GivenUp::Budget));
}

proptest! {
    #[test]
    fn a_budget_is_never_exceeded(
        ratio in 0.0..2.0_f64,
        per_second in 0.0..50.0_f64,
        burst in 1_u32..20,
        steps in proptest::collection::vec((0_u64..200, 0_u32..20, 0_u32..20), 1..100),
    ) {
        let budget = RetryBudget { ratio, per_second, burst };
        let (retry, clock) = retry(&RetryOptions { budget, ..RetryOptions::default() });
        let (mut calls, mut millis, mut retries) = (0.0, 0.0, 0.0);
        for (wait, begun, failed) in steps {
            clock.advance(ms(wait));
            millis += wait as f64;
            calls += f64::from(begun);
            (0..begun).for_each(|_| retry.begin());
            retries += (0..failed).filter(|_| retry.after(1, Verdict::Retryable).is_ok()).count() as f64;
            let most = f64::from(burst) + ratio * calls + per_second * millis / 1000.0;
            prop_assert!(retries <= most + 1e-6, "{retries} of at most {most}");
        }
    }
}
