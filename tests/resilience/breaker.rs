//! The circuit breaker's states, windows and rates.

use std::time::Duration;

use statim::resilience::{
    Backoff, BreakerOptions, BreakerState, CircuitBreaker, Decision, Environment, Outcome, Time, Window,
};

use crate::support::{Heard, breaker, ms, trip, trips_after_two};

#[test]
fn the_defaults_are_those_of_resilience4j() {
    let options = BreakerOptions::default();
    assert_eq!(options.window, Window::Calls(100));
    assert_eq!((options.failure_rate, options.slow_call_rate), (0.5, Some(1.0)));
    assert_eq!(options.slow_call, Duration::from_secs(60));
    assert_eq!(options.open, Backoff::constant(Duration::from_secs(60)));
    assert_eq!((options.probes, options.longest_half_open), (10, None));
    let (breaker, _clock) = breaker(&options);
    for _ in 0..99 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "99 calls are fewer than it judges");
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn the_preset_of_health_sync_opens_after_five_failures_in_a_row_for_a_minute() {
    let (breaker, clock) = breaker(&BreakerOptions::health_sync());
    for _ in 0..3 {
        for _ in 0..4 {
            breaker.try_acquire().unwrap().failure();
        }
        breaker.try_acquire().unwrap().success();
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "a success came between");
    for _ in 0..5 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(ms(59_999));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(ms(1)));
    clock.advance(ms(1));
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::Closed, "one probe decides");
}

#[test]
fn it_trips_when_the_failure_rate_is_reached_and_not_before() {
    // 7 % of 100 is where a product of floating-point numbers would be off by one.
    let options = BreakerOptions { failure_rate: 0.07, ..BreakerOptions::default() };
    let (breaker, _clock) = breaker(&options);
    for _ in 0..94 {
        breaker.try_acquire().unwrap().success();
    }
    for _ in 0..6 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    // The oldest success makes room for the seventh failure.
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn it_judges_as_soon_as_there_are_enough_calls_and_needs_no_whole_window_of_time() {
    let options = BreakerOptions {
        window: Window::Time(Duration::from_secs(30)),
        minimum_calls: Some(5),
        ..BreakerOptions::default()
    };
    let (breaker, _still) = breaker(&options);
    for _ in 0..5 {
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn a_window_of_300_ms_forgets_after_300_ms() {
    let options =
        BreakerOptions { window: Window::Time(ms(300)), minimum_calls: Some(3), ..BreakerOptions::default() };
    let (breaker, clock) = breaker(&options);
    for _ in 0..10 {
        breaker.try_acquire().unwrap().failure();
        breaker.try_acquire().unwrap().failure();
        clock.advance(ms(300));
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "never three calls in 300 ms");
    assert_eq!(breaker.snapshot().window.calls, 0);
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure();
        clock.advance(ms(100));
    }
    assert_eq!(breaker.state(), BreakerState::Open, "three calls in 200 ms");
}

#[test]
fn slow_calls_trip_it_though_they_succeed() {
    let options = BreakerOptions {
        window: Window::Calls(4),
        slow_call: ms(200),
        slow_call_rate: Some(0.5),
        ..BreakerOptions::default()
    };
    let (breaker, clock) = breaker(&options);
    for took in [199, 200, 10, 250] {
        assert_eq!(breaker.state(), BreakerState::Closed);
        let permit = breaker.try_acquire().unwrap();
        clock.advance(ms(took));
        permit.success();
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.calls.succeeded, snapshot.slow), (4, 2));
}

#[test]
fn slow_calls_are_only_counted_without_a_rate() {
    let options = BreakerOptions { slow_call: ms(1), slow_call_rate: None, ..trips_after_two(1) };
    let (breaker, clock) = breaker(&options);
    for _ in 0..10 {
        let permit = breaker.try_acquire().unwrap();
        clock.advance(ms(5));
        permit.success();
    }
    assert_eq!((breaker.state(), breaker.snapshot().slow), (BreakerState::Closed, 10));
}

#[test]
fn reading_changes_nothing() {
    let heard = Heard::default();
    let (time, clock) = Time::manual();
    let environment = Environment::default().time(time).listener(heard.listener());
    let breaker = CircuitBreaker::new("callee", &trips_after_two(1), &environment).unwrap();
    trip(&breaker);
    clock.advance(Duration::from_secs(20));
    heard.take();
    let before = breaker.snapshot();
    for _ in 0..100 {
        assert_eq!(breaker.state(), BreakerState::Open, "its time is over, but nobody asked");
        assert_eq!(breaker.retry_after(), Some(Duration::ZERO));
        assert_eq!(breaker.refusal(), None);
        assert_eq!(breaker.snapshot(), before);
    }
    assert_eq!(heard.take(), []);
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn probes_decide_as_soon_as_the_rest_cannot_change_the_verdict() {
    let (breaker, clock) = breaker(&trips_after_two(10));
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    for _ in 0..5 {
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.state(), BreakerState::HalfOpen, "five failures could still follow");
    }
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::Closed, "at most 40 % can fail");
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    for _ in 0..4 {
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), BreakerState::Open, "50 % have failed");
}

#[test]
fn slow_probes_open_it_again() {
    let options = BreakerOptions { slow_call: ms(100), slow_call_rate: Some(0.5), ..trips_after_two(2) };
    let (breaker, clock) = breaker(&options);
    trip(&breaker);
    clock.advance(Duration::from_secs(10));
    let probe = breaker.try_acquire().unwrap();
    clock.advance(ms(100));
    probe.success();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn it_stays_open_longer_with_each_trip_until_it_recovers() {
    let options = BreakerOptions {
        open: Backoff::exponential(Duration::from_secs(1), Duration::from_secs(3))
            .jitter(statim::resilience::Jitter::None),
        ..trips_after_two(1)
    };
    let (breaker, clock) = breaker(&options);
    trip(&breaker);
    for open in [1, 2, 3, 3] {
        assert_eq!(breaker.retry_after(), Some(Duration::from_secs(open)));
        clock.advance(Duration::from_secs(open));
        breaker.try_acquire().unwrap().failure();
    }
    clock.advance(Duration::from_secs(3));
    breaker.try_acquire().unwrap().success();
    trip(&breaker);
    assert_eq!(breaker.retry_after(), Some(Duration::from_secs(1)));
}

#[test]
fn jitter_of_the_open_time_is_the_same_for_a_seed() {
    let opened_for = |seed: u64| {
        let options = BreakerOptions {
            open: Backoff::exponential(Duration::from_secs(60), Duration::from_secs(60)),
            ..trips_after_two(1)
        };
        let (time, _clock) = Time::manual();
        let environment = Environment::default().time(time).seed(seed);
        let breaker = CircuitBreaker::new("callee", &options, &environment).unwrap();
        trip(&breaker);
        breaker.retry_after().unwrap()
    };
    assert_eq!(opened_for(1), opened_for(1));
    assert_ne!(opened_for(1), opened_for(2));
}

#[test]
fn forced_states_hold_until_somebody_says_otherwise() {
    let (breaker, clock) = breaker(&trips_after_two(1));
    breaker.force_open();
    clock.advance(Duration::from_secs(86_400));
    let refused = breaker.try_acquire().unwrap_err();
    assert_eq!((refused.state, refused.retry_after), (BreakerState::ForcedOpen, None));
    assert_eq!(breaker.refusal(), Some(refused));
    breaker.force_closed();
    for _ in 0..100 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), BreakerState::ForcedClosed);
    assert_eq!(breaker.snapshot().window.failed, 2, "the window is kept for whoever looks");
    breaker.reset();
    assert_eq!((breaker.state(), breaker.snapshot().window.calls), (BreakerState::Closed, 0));
    trip(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn every_decision_is_an_event_and_a_count() {
    use Decision::{CallLate, CallPermitted, CallRecorded, CallRefused, StateChanged};
    let heard = Heard::default();
    let (time, clock) = Time::manual();
    let environment = Environment::default().time(time).listener(heard.listener());
    let breaker = CircuitBreaker::new("callee", &trips_after_two(1), &environment).unwrap();
    let recorded = |outcome| CallRecorded { outcome, took: Duration::ZERO, slow: false };
    let changed = |from, to| StateChanged { from, to };

    let late = breaker.try_acquire().unwrap();
    trip(&breaker);
    late.success();
    breaker.try_acquire().unwrap_err();
    clock.advance(Duration::from_secs(10));
    let probe = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    probe.success();

    let (closed, open, half_open) = (BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen);
    assert_eq!(
        heard.take(),
        [
            CallPermitted { probe: false },
            CallPermitted { probe: false },
            recorded(Outcome::Failure),
            CallPermitted { probe: false },
            recorded(Outcome::Failure),
            changed(closed, open),
            CallLate { outcome: Outcome::Success },
            CallRefused { state: open },
            changed(open, half_open),
            CallPermitted { probe: true },
            CallRefused { state: half_open },
            recorded(Outcome::Success),
            changed(half_open, closed),
        ]
    );
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.calls.succeeded, snapshot.calls.failed, snapshot.late), (1, 2, 1));
    assert_eq!((snapshot.refused.open, snapshot.refused.half_open), (1, 1));
    let transitions = snapshot.transitions;
    assert_eq!((transitions.opened, transitions.half_opened, transitions.closed), (1, 1, 1));
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<statim::resilience::BreakerSnapshot>(&json).unwrap(), snapshot);
}
