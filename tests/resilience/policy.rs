//! All guards together around a call.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use statim::resilience::{
    Backoff, BreakerOptions, BreakerState, BulkheadOptions, CallError, Classify, Decision, Environment,
    Jitter, Policy, PolicyBuilder, RateLimitOptions, Refused, RetryOptions, Time, Verdict, Window,
};
use tokio::time::Instant;

use crate::support::{Heard, ms, trips_after_two};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Error {
    Busy,
    Broken,
    NotFound,
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Error::Busy => Verdict::Retryable,
            Error::Broken => Verdict::Permanent,
            Error::NotFound => Verdict::Ignored,
        }
    }
}

fn builder() -> PolicyBuilder {
    Policy::builder("callee").environment(Environment::default().time(Time::tokio()).seed(1))
}

fn retry(attempts: u32) -> RetryOptions {
    RetryOptions { backoff: Backoff::constant(ms(100)), ..RetryOptions::attempts(attempts) }
}

fn state(policy: &Policy) -> BreakerState {
    policy.breaker().unwrap().state()
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_parts_only_calls() {
    let policy = builder().build().unwrap();
    assert_eq!(policy.call(async || Ok::<_, Error>(7)).await, Ok(7));
    assert_eq!(policy.call(async || Err::<(), _>(Error::Busy)).await, Err(CallError::Failed(Error::Busy)));
    assert_eq!(policy.snapshot().calls, 2);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_the_rest_is_not() {
    let policy = builder().retry(retry(3)).build().unwrap();
    let attempts = Cell::new(0);
    let failing = |error: Error, until: u32| {
        attempts.set(0);
        let attempts = &attempts;
        move || async move {
            attempts.set(attempts.get() + 1);
            if attempts.get() < until { Err(error) } else { Ok(attempts.get()) }
        }
    };
    let began = Instant::now();
    assert_eq!(policy.call(failing(Error::Busy, 3)).await, Ok(3));
    assert_eq!(began.elapsed(), ms(200), "two rests");
    assert_eq!(policy.call(failing(Error::Busy, 4)).await, Err(CallError::Failed(Error::Busy)));
    assert_eq!(attempts.get(), 3);
    for error in [Error::Broken, Error::NotFound] {
        assert_eq!(policy.call(failing(error, 9)).await, Err(CallError::Failed(error)));
        assert_eq!(attempts.get(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_at_fault_does_not_trip_the_breaker() {
    let policy = builder().breaker(trips_after_two(1)).build().unwrap();
    for _ in 0..10 {
        assert!(policy.call(async || Err::<(), _>(Error::NotFound)).await.is_err());
    }
    assert_eq!(state(&policy), BreakerState::Closed);
    for _ in 0..2 {
        assert!(policy.call(async || Err::<(), _>(Error::Broken)).await.is_err());
    }
    assert_eq!(state(&policy), BreakerState::Open);
    let called = Cell::new(false);
    let refused = policy.call(async || {
        called.set(true);
        Ok::<_, Error>(())
    });
    let Err(CallError::Refused(refused)) = refused.await else { panic!("it is open") };
    assert_eq!((refused.retry_after(), called.get()), (Some(Duration::from_secs(10)), false));
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_hide_in_an_answer() {
    let backoff = Backoff::exponential(ms(1), Duration::from_secs(1));
    let retry = RetryOptions { backoff, ..RetryOptions::attempts(2) };
    let policy = builder().breaker(trips_after_two(1)).retry(retry).build().unwrap();
    let verdict = |status: &Result<u16, Error>| match status {
        Ok(503) => Verdict::RetryAfter(ms(700)),
        _ => Verdict::Success,
    };
    let began = Instant::now();
    assert_eq!(policy.call_judged(verdict, async || Ok::<_, Error>(503)).await, Ok(503));
    assert_eq!((began.elapsed(), state(&policy)), (ms(700), BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_a_failure_and_is_not_tried_again_unless_asked() {
    for (retry_timeouts, attempts) in [(false, 1), (true, 3)] {
        let policy = builder()
            .timeout(ms(300))
            .breaker(BreakerOptions { window: Window::Calls(3), ..trips_after_two(1) })
            .retry(RetryOptions { retry_timeouts, ..retry(3) })
            .build()
            .unwrap();
        let result = policy.call(pending::<Result<(), Error>>).await;
        assert_eq!(result, Err(CallError::TimedOut { after: ms(300) }));
        assert_eq!(policy.snapshot().timed_out, attempts);
        assert_eq!(policy.snapshot().breaker.unwrap().calls.timed_out, attempts);
        assert_eq!(state(&policy) == BreakerState::Open, retry_timeouts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_a_failure_and_gives_its_place_back() {
    let policy =
        builder().breaker(trips_after_two(1)).bulkhead(BulkheadOptions::max_concurrent(1)).build().unwrap();
    for _ in 0..2 {
        let call = policy.call(pending::<Result<(), Error>>);
        assert!(tokio::time::timeout(ms(50), call).await.is_err());
    }
    assert_eq!(state(&policy), BreakerState::Open);
    let snapshot = policy.snapshot();
    assert_eq!(snapshot.breaker.unwrap().calls.abandoned, 2);
    assert_eq!(snapshot.bulkhead.unwrap().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_a_failure_and_gives_its_place_back() {
    let policy =
        builder().breaker(trips_after_two(1)).bulkhead(BulkheadOptions::max_concurrent(1)).build().unwrap();
    let later = policy.clone();
    let inside = tokio::spawn(async move {
        later
            .call(async || {
                tokio::time::sleep(ms(1)).await;
                if true {
                    panic!("inside the future");
                }
                Ok::<(), Error>(())
            })
            .await
    });
    assert!(inside.await.unwrap_err().is_panic());
    let later = policy.clone();
    let before = tokio::spawn(async move {
        later.call(|| -> std::future::Ready<Result<(), Error>> { panic!("before there is a future") }).await
    });
    assert!(before.await.unwrap_err().is_panic());
    assert_eq!(state(&policy), BreakerState::Open);
    let snapshot = policy.snapshot();
    assert_eq!(snapshot.breaker.unwrap().calls.panicked, 2);
    assert_eq!(snapshot.bulkhead.unwrap().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_permit_is_not_a_slow_call_and_a_refusal_is_no_failure() {
    let policy = builder()
        .rate_limit(RateLimitOptions {
            burst: Some(1),
            max_wait: ms(1500),
            ..RateLimitOptions::per_second(1)
        })
        .breaker(BreakerOptions { slow_call: ms(500), ..trips_after_two(1) })
        .build()
        .unwrap();
    let call = || policy.call(async || Ok::<_, Error>(()));
    call().await.unwrap();
    call().await.unwrap();
    let (_, _, refused) = tokio::join!(call(), call(), call());
    assert!(matches!(refused, Err(CallError::Refused(Refused::RateLimited(_)))), "{refused:?}");
    let breaker = policy.snapshot().breaker.unwrap();
    assert_eq!((breaker.state, breaker.slow, breaker.calls.failed), (BreakerState::Closed, 0, 0));
    assert_eq!(policy.snapshot().rate_limit.unwrap().waited, 2);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_costs_no_rate_and_no_place() {
    let policy = builder()
        .rate_limit(RateLimitOptions::per_second(10))
        .bulkhead(BulkheadOptions::default())
        .breaker(trips_after_two(1))
        .retry(retry(3))
        .build()
        .unwrap();
    policy.breaker().unwrap().force_open();
    for _ in 0..100 {
        let refused = policy.call(async || Ok::<_, Error>(())).await;
        assert!(matches!(refused, Err(CallError::Refused(Refused::CircuitOpen(_)))));
    }
    let snapshot = policy.snapshot();
    assert_eq!(snapshot.rate_limit.unwrap().granted, 0);
    assert_eq!(snapshot.bulkhead.unwrap().entered, 0);
    assert_eq!(snapshot.breaker.unwrap().refused.forced_open, 100);
    assert_eq!(snapshot.retry.unwrap().retries, 0, "a refusal is not tried again");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_goes_through_every_guard() {
    let heard = Heard::default();
    let environment = Environment::default().time(Time::tokio()).listener(heard.listener());
    let policy = builder()
        .environment(environment)
        .rate_limit(RateLimitOptions::per_second(100))
        .bulkhead(BulkheadOptions::default())
        .breaker(BreakerOptions::default())
        .timeout(ms(100))
        .retry(RetryOptions {
            backoff: Backoff::constant(ms(100)).jitter(Jitter::None),
            ..RetryOptions::attempts(2)
        })
        .build()
        .unwrap();
    assert!(policy.call(async || Err::<(), _>(Error::Busy)).await.is_err());
    let names: Vec<_> = heard
        .take()
        .into_iter()
        .map(|decision| match decision {
            Decision::RateGranted { waited: false } => "rate",
            Decision::BulkheadEntered { waited: false } => "place",
            Decision::CallPermitted { probe: false } => "permit",
            Decision::CallRecorded { .. } => "recorded",
            Decision::Retrying { attempt: 1, .. } => "retrying",
            Decision::RetryRefused { attempt: 2, .. } => "given up",
            other => panic!("{other:?}"),
        })
        .collect();
    let attempt = ["rate", "place", "permit", "recorded"];
    let expected: Vec<_> =
        attempt.into_iter().chain(["retrying"]).chain(attempt).chain(["given up"]).collect();
    assert_eq!(names, expected);
    let snapshot = policy.snapshot();
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<statim::resilience::PolicySnapshot>(&json).unwrap(), snapshot);
}

#[tokio::test(start_paused = true)]
async fn a_link_asks_without_waiting_and_tells_later() {
    let policy = builder()
        .rate_limit(RateLimitOptions { burst: Some(4), ..RateLimitOptions::per_second(1) })
        .bulkhead(BulkheadOptions::max_concurrent(2))
        .breaker(BreakerOptions { failure_rate: 1.0, ..trips_after_two(1) })
        .build()
        .unwrap();
    let (first, second) = (policy.try_enter().unwrap(), policy.try_enter().unwrap());
    assert!(matches!(policy.try_enter(), Err(Refused::BulkheadFull(_))));
    first.success();
    drop(second);
    policy.try_enter().unwrap().failure();
    assert_eq!(state(&policy), BreakerState::Open);
    assert!(matches!(policy.try_enter(), Err(Refused::CircuitOpen(_))));
    policy.breaker().unwrap().reset();
    assert!(matches!(policy.try_enter(), Err(Refused::RateLimited(_))));
    assert_eq!(policy.snapshot().bulkhead.unwrap().in_use, 0);
}

#[test]
fn guards_and_what_they_hand_out_travel_between_threads() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Policy>();
    travels::<statim::resilience::Leave>();
    travels::<statim::resilience::OwnedPermit>();
    travels::<statim::resilience::OwnedPlace>();
    travels::<statim::resilience::KeyedRateLimiter<String>>();
    travels::<statim::resilience::AdmissionController>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_policy_works_on_the_real_clock_from_many_threads() {
    let policy = Policy::builder("callee")
        .rate_limit(RateLimitOptions::per_second(1_000_000))
        .bulkhead(BulkheadOptions { max_concurrent: 4, max_wait: Duration::from_secs(60) })
        .breaker(BreakerOptions::default())
        .timeout(Duration::from_secs(60))
        .retry(RetryOptions::default())
        .build()
        .unwrap();
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let policy = policy.clone();
            tokio::spawn(async move {
                policy
                    .call(async || {
                        tokio::task::yield_now().await;
                        Ok::<_, Error>(number)
                    })
                    .await
            })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(number));
    }
    let snapshot = policy.snapshot();
    assert_eq!(snapshot.breaker.unwrap().calls.succeeded, 200);
    assert_eq!(snapshot.bulkhead.unwrap().in_use, 0);
}
