//! The circuit breaker among callers that crowd, come late, vanish and panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use statim::resilience::{
    BreakerOptions, BreakerState, CircuitBreaker, Decision, Environment, Event, Outcome, Time, Window,
};

use crate::support::{Heard, breaker, ms, trip, trips_after_two};

#[tokio::test]
async fn of_a_thousand_concurrent_callers_exactly_the_probes_pass() {
    for probes in [1, 3, 10] {
        let (breaker, clock) = breaker(&trips_after_two(probes));
        trip(&breaker);
        clock.advance(Duration::from_secs(10));
        let passed = std::sync::Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let (breaker, passed) = (breaker.clone(), passed.clone());
                tokio::spawn(async move {
                    let Ok(permit) = breaker.try_acquire_owned() else { return };
                    passed.fetch_add(1, Ordering::Relaxed);
                    // Everybody asks before anybody is done.
                    tokio::task::yield_now().await;
                    permit.success();
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        assert_eq!(passed.load(Ordering::Relaxed), probes as usize);
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(breaker.snapshot().refused.half_open, 1000 - u64::from(probes));
    }
}

#[test]
fn from_eight_threads_exactly_the_probes_pass() {
    const THREADS: usize = 8;
    for round in 0..200 {
        let probes = 1 + round % 11;
        let (breaker, clock) = breaker(&trips_after_two(probes));
        trip(&breaker);
        clock.advance(Duration::from_secs(10));
        let (passed, together, done) = (AtomicUsize::new(0), Barrier::new(THREADS), Barrier::new(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    let permits: Vec<_> = (0..4).filter_map(|_| breaker.try_acquire().ok()).collect();
                    passed.fetch_add(permits.len(), Ordering::Relaxed);
                    done.wait();
                    permits.into_iter().for_each(|permit| permit.success());
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed), probes as usize, "round {round}");
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

#[test]
fn every_call_of_eight_threads_is_counted_once() {
    let options = BreakerOptions { window: Window::Calls(1000), failure_rate: 1.0, ..Default::default() };
    let (breaker, _clock) = breaker(&options);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let breaker = &breaker;
            scope.spawn(move || {
                for call in 0..5000 {
                    let permit = breaker.try_acquire().unwrap();
                    if (thread + call) % 2 == 0 { permit.success() } else { permit.failure() }
                }
            });
        }
    });
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.calls.succeeded, snapshot.calls.failed), (20_000, 20_000));
    assert_eq!(snapshot.window.calls, 1000);
}

#[test]
fn a_dropped_permit_is_a_failure() {
    let (breaker, _clock) = breaker(&trips_after_two(1));
    drop(breaker.try_acquire().unwrap());
    drop(breaker.try_acquire_owned().unwrap());
    assert_eq!((breaker.state(), breaker.snapshot().calls.abandoned), (BreakerState::Open, 2));
}

#[test]
fn a_panic_is_a_failure() {
    let (breaker, _clock) = breaker(&trips_after_two(1));
    for _ in 0..2 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _permit = breaker.try_acquire().unwrap();
            panic!("the callee's client is broken");
        }));
        assert!(panicked.is_err());
    }
    assert_eq!((breaker.state(), breaker.snapshot().calls.panicked), (BreakerState::Open, 2));
}

#[test]
fn a_probe_that_is_dropped_does_not_wedge_it() {
    let (breaker, clock) = breaker(&trips_after_two(1));
    trip(&breaker);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(10));
        drop(breaker.try_acquire().unwrap());
        assert_eq!(breaker.state(), BreakerState::Open);
    }
    clock.advance(Duration::from_secs(10));
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_probe_that_says_nothing_about_the_callee_makes_room_for_another() {
    let (breaker, clock) = breaker(&trips_after_two(1));
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    for _ in 0..5 {
        let probe = breaker.try_acquire().unwrap();
        assert!(breaker.try_acquire().is_err());
        probe.ignore();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }
    breaker.try_acquire().unwrap().success();
    assert_eq!((breaker.state(), breaker.snapshot().calls.ignored), (BreakerState::Closed, 5));
}

#[test]
fn a_success_from_before_the_trip_does_not_close_it() {
    let (breaker, clock) = breaker(&trips_after_two(1));
    let (early, earlier) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    trip(&breaker);
    early.success();
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(Duration::from_secs(10));
    let probe = breaker.try_acquire().unwrap();
    earlier.success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.failure();
    assert_eq!((breaker.state(), breaker.snapshot().late), (BreakerState::Open, 2));
}

#[test]
fn a_failure_from_before_the_trip_does_not_spoil_the_recovery() {
    let (breaker, clock) = breaker(&trips_after_two(1));
    let stale: Vec<_> = (0..10).map(|_| breaker.try_acquire().unwrap()).collect();
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    breaker.try_acquire().unwrap().success();
    drop(stale);
    assert_eq!((breaker.state(), breaker.snapshot().late), (BreakerState::Closed, 10));
    assert_eq!(breaker.snapshot().window.calls, 0);
}

#[test]
fn probes_that_never_end_are_waited_for_as_long_as_the_options_say() {
    let options = BreakerOptions { longest_half_open: Some(ms(500)), ..trips_after_two(2) };
    let (breaker, clock) = breaker(&options);
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    let (stuck, slow) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    clock.advance(ms(499));
    assert_eq!(breaker.try_acquire().unwrap_err().state, BreakerState::HalfOpen);
    clock.advance(ms(1));
    breaker.try_acquire().unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    slow.success();
    assert_eq!(breaker.state(), BreakerState::Open, "the probe came too late to count");
    drop(stuck);
    clock.advance(Duration::from_secs(10));
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn a_clock_that_stands_still_keeps_it_open_and_breaks_nothing() {
    let (breaker, _still) = breaker(&BreakerOptions { window: Window::Time(ms(300)), ..Default::default() });
    for _ in 0..100 {
        breaker.try_acquire().unwrap().failure();
    }
    for _ in 0..1000 {
        assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(Duration::from_secs(60)));
    }
    assert_eq!(breaker.snapshot().window.calls, 100);
}

#[test]
fn a_listener_that_panics_does_not_disturb_the_call_nor_abort_a_panic() {
    let heard = Heard::default();
    let ear = heard.listener();
    let loud = move |event: &Event<'_>| {
        ear(event);
        panic!("the listener is broken");
    };
    let (time, _clock) = Time::manual();
    let environment = Environment::default().time(time).listener(loud);
    let breaker = CircuitBreaker::new("callee", &trips_after_two(1), &environment).unwrap();
    breaker.try_acquire().unwrap().failure();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = breaker.try_acquire().unwrap();
        panic!("the callee's client is broken");
    }));
    assert!(panicked.is_err());
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(matches!(heard.take().last(), Some(Decision::StateChanged { .. })));
}

/// Anything that callers, time and operators do to a breaker.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    Settle(usize, Outcome),
    Drop(usize),
    Wait(u64),
    ForceOpen,
    ForceClosed,
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Success), 3 => Just(Outcome::Failure),
        1 => Just(Outcome::TimedOut), 1 => Just(Outcome::Ignored)];
    let step = prop_oneof![
        12 => Just(Step::Ask),
        8 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Step::Settle(which, outcome)),
        2 => any::<usize>().prop_map(Step::Drop),
        4 => (0_u64..15_000).prop_map(Step::Wait),
        1 => Just(Step::ForceOpen), 1 => Just(Step::ForceClosed), 1 => Just(Step::Reset)];
    proptest::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn whatever_happens_probes_are_bounded_and_every_call_is_counted_once(
        steps in steps(),
        probes in 1_u32..5,
    ) {
        let (breaker, clock) = breaker(&trips_after_two(probes));
        let mut out: Vec<statim::resilience::OwnedPermit> = Vec::new();
        let (mut asked, mut refused, mut ended) = (0_u64, 0_u64, 0_u64);
        // Probes granted and not ignored since it last became half-open.
        let (mut granted, mut transitions) = (0, breaker.snapshot().transitions);
        for step in steps {
            let before = breaker.state();
            match step {
                Step::Ask => {
                    asked += 1;
                    let due = breaker.retry_after().is_some_and(|rest| rest.is_zero());
                    match breaker.try_acquire_owned() {
                        Ok(permit) => {
                            prop_assert!(before != BreakerState::ForcedOpen);
                            prop_assert!(before != BreakerState::Open || due);
                            let half_open = breaker.state() == BreakerState::HalfOpen;
                            prop_assert_eq!(permit.is_probe(), half_open);
                            if half_open {
                                let now = breaker.snapshot().transitions;
                                granted = if now == transitions { granted + 1 } else { 1 };
                                transitions = now;
                                prop_assert!(granted <= probes);
                            }
                            out.push(permit);
                        }
                        Err(open) => {
                            refused += 1;
                            prop_assert_eq!(open.state, before);
                            prop_assert!(!matches!(before, BreakerState::Closed | BreakerState::ForcedClosed));
                            prop_assert!(!due, "an open breaker whose time is over lets a probe pass");
                        }
                    }
                }
                Step::Settle(which, outcome) if !out.is_empty() => {
                    let late = breaker.snapshot().late;
                    let probe = out[which % out.len()].is_probe();
                    out.swap_remove(which % out.len()).settle(outcome);
                    ended += 1;
                    let counted = breaker.snapshot().late == late;
                    if counted && probe && outcome == Outcome::Ignored {
                        granted -= 1;
                    }
                    prop_assert!(counted || breaker.state() == before, "a late outcome changes nothing");
                }
                Step::Drop(which) if !out.is_empty() => {
                    drop(out.swap_remove(which % out.len()));
                    ended += 1;
                }
                Step::Settle(..) | Step::Drop(_) => {}
                Step::Wait(millis) => clock.advance(ms(millis)),
                Step::ForceOpen => breaker.force_open(),
                Step::ForceClosed => breaker.force_closed(),
                Step::Reset => breaker.reset(),
            }
        }
        let snapshot = breaker.snapshot();
        let calls = snapshot.calls;
        let counted =
            calls.succeeded + calls.failed + calls.timed_out + calls.panicked + calls.abandoned + calls.ignored;
        prop_assert_eq!(counted + snapshot.late, ended);
        prop_assert_eq!(asked, ended + out.len() as u64 + refused);
        let by_state = snapshot.refused;
        prop_assert_eq!(by_state.open + by_state.half_open + by_state.forced_open, refused);
    }
}
