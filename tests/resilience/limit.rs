//! Rate limits, direct and keyed.

use std::time::Duration;

use statim::resilience::{
    Decision, Environment, KeyedRateLimitOptions, KeyedRateLimiter, RateLimitOptions, RateLimiter, Time,
};
use tokio::time::Instant;

use crate::support::{Heard, ms};

#[test]
fn a_burst_passes_and_then_one_call_an_interval() {
    let (time, clock) = Time::manual();
    let options = RateLimitOptions { burst: Some(3), ..RateLimitOptions::per_second(10) };
    let limiter = RateLimiter::new("callee", &options, &Environment::default().time(time)).unwrap();
    for _ in 0..20 {
        let burst = (0..10).filter(|_| limiter.check().is_ok()).count();
        assert_eq!(burst, 3);
        assert_eq!(limiter.check().unwrap_err().retry_after, ms(100));
        clock.advance(ms(99));
        assert_eq!(limiter.check().unwrap_err().retry_after, ms(1));
        clock.advance(ms(1));
        assert!(limiter.check().is_ok() && limiter.check().is_err());
        clock.advance(ms(300));
    }
}

#[test]
fn a_clock_that_stands_still_grants_the_burst_and_no_more() {
    let environment = Environment::default().time(Time::manual().0);
    let limiter = RateLimiter::new("callee", &RateLimitOptions::per_second(50), &environment).unwrap();
    assert_eq!((0..10_000).filter(|_| limiter.check().is_ok()).count(), 50);
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.granted, snapshot.refused), (50, 9950));
}

#[test]
fn eight_threads_get_no_more_than_the_burst() {
    let environment = Environment::default().time(Time::manual().0);
    let limiter = RateLimiter::new("callee", &RateLimitOptions::per_second(1000), &environment).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _ = limiter.check();
                }
            });
        }
    });
    assert_eq!((limiter.snapshot().granted, limiter.snapshot().refused), (1000, 7000));
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_in_order_at_the_rate() {
    let options = RateLimitOptions { burst: Some(1), ..RateLimitOptions::per_second(10) };
    let environment = Environment::default().time(Time::tokio());
    let limiter = RateLimiter::new("callee", &options, &environment).unwrap();
    let began = Instant::now();
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let waiters: Vec<_> = (0..10)
        .map(|number| {
            let (limiter, order) = (limiter.clone(), order.clone());
            tokio::spawn(async move {
                limiter.acquire().await.unwrap();
                order.lock().unwrap().push((number, began.elapsed().as_millis() / 100));
            })
        })
        .collect();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    let expected: Vec<_> = (0..10).map(|number| (number, number)).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.granted, snapshot.waited, snapshot.waiting), (10, 9, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_cannot_end_in_time_is_not_begun() {
    let options = RateLimitOptions { burst: Some(1), max_wait: ms(250), ..RateLimitOptions::per_second(10) };
    let environment = Environment::default().time(Time::tokio());
    let limiter = RateLimiter::new("callee", &options, &environment).unwrap();
    limiter.acquire().await.unwrap();
    let began = Instant::now();
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { (limiter.acquire().await.is_ok(), began.elapsed().as_millis()) })
        })
        .collect();
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    for caller in callers {
        let (is_granted, at) = caller.await.unwrap();
        if is_granted { granted.push(at) } else { refused.push(at) }
    }
    assert_eq!(granted.len(), 2, "at 100 and 200 ms: {granted:?}");
    assert_eq!(refused.iter().filter(|at| **at == 0).count(), 7, "more than three ahead: {refused:?}");
    assert!(refused.iter().all(|at| *at <= 250), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_those_who_wait() {
    let (time, clock) = Time::manual();
    let options = RateLimitOptions { burst: Some(1), ..RateLimitOptions::per_second(10) };
    let limiter = RateLimiter::new("callee", &options, &Environment::default().time(time)).unwrap();
    limiter.acquire().await.unwrap();
    let waiter = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire().await }
    });
    tokio::task::yield_now().await;
    // There is a permit again, and the waiter has not woken yet.
    clock.advance(ms(100));
    assert!(tokio::time::timeout(ms(10), limiter.acquire()).await.is_err());
    waiter.await.unwrap().unwrap();
    assert_eq!(limiter.snapshot().granted, 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_dropped_takes_nothing_and_holds_nobody_up() {
    let options = RateLimitOptions { burst: Some(1), ..RateLimitOptions::per_second(10) };
    let environment = Environment::default().time(Time::tokio());
    let limiter = RateLimiter::new("callee", &options, &environment).unwrap();
    limiter.acquire().await.unwrap();
    let began = Instant::now();
    assert!(tokio::time::timeout(ms(50), limiter.acquire()).await.is_err());
    assert_eq!(limiter.snapshot().waiting, 0);
    limiter.acquire().await.unwrap();
    assert_eq!(began.elapsed().as_millis() / 10, 10);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_clock_stands_still_gives_up_in_time() {
    let options = RateLimitOptions { burst: Some(1), max_wait: ms(250), ..RateLimitOptions::per_second(10) };
    let environment = Environment::default().time(Time::manual().0);
    let limiter = RateLimiter::new("callee", &options, &environment).unwrap();
    limiter.acquire().await.unwrap();
    let began = Instant::now();
    assert!(limiter.acquire().await.is_err());
    assert!(began.elapsed() <= ms(250));
}

#[test]
fn each_key_has_its_own_limit_and_no_event_names_it() {
    let heard = Heard::default();
    let (time, clock) = Time::manual();
    let environment = Environment::default().time(time).listener(heard.listener());
    let options = KeyedRateLimitOptions::per_second(2);
    let limiter = KeyedRateLimiter::new("clients", &options, &environment).unwrap();
    for key in ["alice", "bob"] {
        let passed: Vec<_> = (0..4).map(|_| limiter.check(&key).is_ok()).collect();
        assert_eq!(passed, [true, true, false, false]);
    }
    clock.advance(ms(500));
    assert!(limiter.check(&"alice").is_ok() && limiter.check(&"alice").is_err());
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.granted, snapshot.refused, snapshot.keys), (5, 5, 2));
    assert_eq!(heard.take().len(), 10);
    let all = format!("{limiter:?} {snapshot:?} {:?}", limiter.check(&"alice"));
    assert!(!all.contains("alice"));
    assert_eq!(heard.take(), [Decision::RateLimited { retry_after: ms(500) }]);
}

#[test]
fn keys_out_of_use_are_forgotten_as_new_ones_come() {
    let (time, clock) = Time::manual();
    let environment = Environment::default().time(time);
    let limiter =
        KeyedRateLimiter::new("clients", &KeyedRateLimitOptions::per_second(10), &environment).unwrap();
    let mut most = 0;
    for key in 0..200_000_u32 {
        assert!(limiter.check(&key).is_ok());
        clock.advance(ms(1));
        most = most.max(limiter.keys());
    }
    // A key is in use for 0.1 s, which is 100 keys.
    assert!(most <= 1024 + 200, "{most} keys were held");
    clock.advance(Duration::from_secs(1));
    limiter.shrink();
    assert_eq!(limiter.keys(), 0);
}

#[test]
fn a_key_in_use_is_never_forgotten() {
    let (time, clock) = Time::manual();
    let options = KeyedRateLimitOptions {
        rate: RateLimitOptions { burst: Some(5), ..RateLimitOptions::per_second(1) },
        ..KeyedRateLimitOptions::default()
    };
    let limiter = KeyedRateLimiter::new("clients", &options, &Environment::default().time(time)).unwrap();
    let busy = u32::MAX;
    let mut passed = (0..5).filter(|_| limiter.check(&busy).is_ok()).count();
    for key in 0..20_000_u32 {
        let _ = limiter.check(&key);
        clock.advance(ms(1));
        passed += usize::from(limiter.check(&busy).is_ok());
    }
    assert_eq!(passed, 5 + 20);
}

#[test]
fn made_up_keys_beyond_the_bound_share_one_limit_and_recover() {
    let (time, clock) = Time::manual();
    let options = KeyedRateLimitOptions { max_keys: 100, ..KeyedRateLimitOptions::per_second(10) };
    let limiter = KeyedRateLimiter::new("clients", &options, &Environment::default().time(time)).unwrap();
    let passed = (0..100_000_u32).filter(|key| limiter.check(key).is_ok()).count();
    assert_eq!(limiter.keys(), 100);
    assert_eq!(passed, 100 + 10, "100 with a limit of their own, and one limit for the rest");
    assert_eq!(limiter.snapshot().overflowed, 100_000 - 100);
    assert!(limiter.check(&7).is_ok(), "a key that is known keeps its own");
    clock.advance(Duration::from_secs(2));
    // The first stranger finds it full, shares, and has the keys out of use forgotten.
    let _ = limiter.check(&1_000_001);
    assert!(limiter.keys() < 100);
    let own = (0..10).filter(|_| limiter.check(&1_000_002).is_ok()).count();
    assert_eq!((own, limiter.snapshot().overflowed), (10, 100_000 - 100 + 1));
}

#[test]
fn eight_threads_share_the_bound_of_keys_and_the_limit_of_each() {
    let environment = Environment::default().time(Time::manual().0);
    let options = KeyedRateLimitOptions { max_keys: 5000, ..KeyedRateLimitOptions::per_second(3) };
    let limiter = KeyedRateLimiter::new("clients", &options, &environment).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for key in 0..4000_u32 {
                    let _ = limiter.check(&key);
                }
            });
        }
    });
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.keys, snapshot.granted, snapshot.refused), (4000, 12_000, 20_000));
}
