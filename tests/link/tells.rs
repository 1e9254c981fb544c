//! Messages told over a link.

use std::time::Duration;

use statim::link::LinkEnd;
use statim::prelude::*;
use statim::resilience::{
    Backoff, BreakerState, BulkheadOptions, Outcome, RateLimitOptions, Refused, RetryOptions,
};
use statim::testing::virtual_time;
use statim::{LinkError, LinkOptions};

use crate::support::{Work, ms, trips_after_two, worker};

#[test]
fn a_breaker_trips_when_handling_fails_and_hands_the_message_back() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &LinkOptions::default().breaker(trips_after_two())).unwrap();
        for _ in 0..2 {
            // Accepted both: what fails is their handling.
            link.tell(Work::Fail).await.unwrap();
            runtime.settle().await;
        }
        assert_eq!(link.policy().breaker().unwrap().state(), BreakerState::Open);
        let refused = link.tell(Work::Do(7)).await.unwrap_err();
        let Some(Refused::CircuitOpen(_)) = refused.refused() else { panic!("{refused}") };
        let rest = refused.retry_after().expect("it is known when it may pass");
        assert!(rest > Duration::from_secs(9) && rest <= Duration::from_secs(10), "{rest:?}");
        let said = refused.to_string();
        assert!(said.contains("sender -> worker") && said.contains("try again in 9"), "{said}");
        assert_eq!(refused.into_message(), Work::Do(7));
        // Somebody else's link to the same agent is not concerned.
        agent.tell(Work::Do(1)).await.unwrap();
        agent.guarded("other", &LinkOptions::health_sync()).unwrap().tell(Work::Do(2)).await.unwrap();

        runtime.advance(rest).await;
        link.tell(Work::Do(8)).await.unwrap();
        runtime.settle().await;
        assert_eq!(link.policy().breaker().unwrap().state(), BreakerState::Closed);
        let snapshot = link.snapshot();
        assert_eq!((snapshot.offered, snapshot.ended(LinkEnd::Passed)), (4, 3));
        assert_eq!(snapshot.ended(LinkEnd::CircuitOpen), 1);
        assert_eq!(snapshot.outcomes[&Outcome::Failure], 2);
        assert_eq!(snapshot.outcomes[&Outcome::Success], 1);
        assert_eq!(runtime.snapshot().agent("worker").unwrap().handled, 3);
        agent.stop().unwrap();
    });
}

#[test]
fn a_place_in_the_bulkhead_is_taken_until_the_message_is_handled() {
    virtual_time(async |runtime| {
        let (agent, gate) = worker(runtime, AgentOptions::default());
        let two = LinkOptions::default().bulkhead(BulkheadOptions::max_concurrent(2));
        let link = agent.guarded("sender", &two).unwrap();
        link.try_tell(Work::Hold).unwrap();
        link.tell(Work::Do(1)).await.unwrap();
        runtime.settle().await;
        let refused = link.try_tell(Work::Do(2)).unwrap_err();
        assert_eq!(
            refused.refused(),
            Some(statim::resilience::Refused::BulkheadFull(bulkhead_full(&refused)))
        );
        assert_eq!(refused.into_message(), Work::Do(2));
        gate.add_permits(1);
        runtime.settle().await;
        link.try_tell(Work::Do(2)).unwrap();
        runtime.settle().await;
        let snapshot = link.snapshot();
        assert_eq!(snapshot.guards.bulkhead.as_ref().unwrap().in_use, 0);
        assert_eq!((snapshot.refused(), snapshot.outcomes[&Outcome::Success]), (1, 3));
        agent.stop().unwrap();
    });
}

fn bulkhead_full<M, E>(error: &LinkError<M, E>) -> statim::resilience::BulkheadFull {
    match error.refused() {
        Some(Refused::BulkheadFull(full)) => full,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_place_is_given_back_whatever_becomes_of_the_message() {
    virtual_time(async |runtime| {
        let options = AgentOptions::default().capacity(2).reserve(0).overflow(Overflow::ShedLeastUrgent);
        let (agent, gate) = worker(runtime, options);
        let link = agent
            .guarded("sender", &LinkOptions::default().bulkhead(BulkheadOptions::max_concurrent(9)))
            .unwrap();
        let in_use = || link.snapshot().guards.bulkhead.unwrap().in_use;
        link.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        link.tell(Work::About("x")).await.unwrap();
        link.tell(Work::Do(1)).await.unwrap();
        assert_eq!(in_use(), 3);
        assert!(link.tell(Work::Do(2)).await.is_err(), "the mailbox is full, and nothing is less urgent");
        assert_eq!(in_use(), 3);
        // Past the guards; sheds `Do(1)`.
        link.tell(Work::Now(3)).await.unwrap();
        assert_eq!(in_use(), 2);
        assert_eq!(agent.purge(Key::of("x")), 1);
        assert_eq!(in_use(), 1);
        link.tell(Work::Do(4)).await.unwrap();
        gate.add_permits(1);
        agent.stop_now().unwrap();
        runtime.advance(ms(50)).await;
        assert!(link.tell(Work::Do(5)).await.unwrap_err().is_closed());
        assert_eq!(in_use(), 0);
        let outcomes = link.snapshot().outcomes;
        // Closed, and what the stop left; a busy agent's refusals and a purge say nothing.
        assert_eq!(outcomes[&Outcome::Ignored], 3, "{outcomes:?}");
        assert_eq!(outcomes[&Outcome::Failure], 2, "{outcomes:?}");
        assert_eq!(outcomes[&Outcome::Success], 1, "{outcomes:?}");
    });
}

#[test]
fn what_comes_back_is_sent_again_and_is_the_same_message() {
    virtual_time(async |runtime| {
        let options = AgentOptions::default().capacity(1).reserve(0).overflow(Overflow::Reject);
        let (agent, gate) = worker(runtime, options);
        let again = RetryOptions { backoff: Backoff::constant(ms(100)), ..RetryOptions::attempts(3) };
        let link = agent.guarded("sender", &LinkOptions::default().retry(again)).unwrap();
        agent.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        agent.tell(Work::Do(1)).await.unwrap();
        let (told, ()) = tokio::join!(link.tell(Work::Do(2)), async {
            runtime.advance(ms(150)).await;
            gate.add_permits(1);
        });
        told.unwrap();
        runtime.settle().await;
        assert_eq!(runtime.snapshot().agent("worker").unwrap().handled, 3);
        let retries = link.snapshot().guards.retry.unwrap().retries;
        assert_eq!(retries, 2);

        // Three times full: the message is back.
        agent.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        agent.tell(Work::Do(1)).await.unwrap();
        let refused = link.tell(Work::Do(3)).await.unwrap_err();
        assert!(matches!(refused.failed(), Some(TellError::Full(_))), "{refused}");
        assert_eq!(refused.into_message(), Work::Do(3));
        assert_eq!(link.snapshot().ended(LinkEnd::Full), 1);
        gate.add_permits(1);
        agent.stop().unwrap();
    });
}

#[test]
fn a_tell_waits_for_room_no_longer_than_the_timeout() {
    virtual_time(async |runtime| {
        let (agent, gate) = worker(runtime, AgentOptions::default().capacity(1).reserve(0));
        let options = LinkOptions::default().timeout(ms(200)).breaker(trips_after_two());
        let link = agent.guarded("sender", &options).unwrap();
        agent.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        agent.tell(Work::Do(1)).await.unwrap();
        for n in [2, 3] {
            let began = tokio::time::Instant::now();
            let late = link.tell(Work::Do(n)).await.unwrap_err();
            assert!(matches!(late.failed(), Some(TellError::Expired(_))), "{late}");
            assert_eq!(late.into_message(), Work::Do(n));
            assert_eq!(began.elapsed().as_millis(), 200);
        }
        // To the breaker that is a failure.
        assert!(link.tell(Work::Do(4)).await.unwrap_err().refused().is_some());
        let snapshot = link.snapshot();
        assert_eq!((snapshot.ended(LinkEnd::TimedOut), snapshot.guards.timed_out), (2, 2));
        assert_eq!(snapshot.outcomes[&Outcome::TimedOut], 2);
        gate.add_permits(1);
        agent.stop().unwrap();
    });
}

#[test]
fn a_rate_limit_makes_a_tell_wait_and_refuses_a_try() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let ten = RateLimitOptions { burst: Some(1), max_wait: ms(250), ..RateLimitOptions::per_second(10) };
        let link = agent.guarded("sender", &LinkOptions::default().rate_limit(ten)).unwrap();
        link.try_tell(Work::Do(0)).unwrap();
        let refused = link.try_tell(Work::Do(1)).unwrap_err();
        assert!(matches!(refused.refused(), Some(Refused::RateLimited(_))), "{refused}");
        assert_eq!(refused.retry_after(), Some(ms(100)));
        let began = tokio::time::Instant::now();
        for n in 0..5 {
            link.tell(Work::Do(n)).await.unwrap();
        }
        assert_eq!(began.elapsed().as_millis(), 500);
        // Six at once: two have a turn within 250 ms.
        let told = futures_util::future::join_all((0..6).map(|n| link.tell(Work::Do(n)))).await;
        assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 2);
        assert_eq!(link.snapshot().ended(LinkEnd::RateLimited), 5);
        agent.stop().unwrap();
    });
}
