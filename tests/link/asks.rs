//! Questions asked over a link.

use std::time::Duration;

use statim::LinkOptions;
use statim::link::LinkEnd;
use statim::prelude::*;
use statim::resilience::{Backoff, BreakerState, BulkheadOptions, Outcome, Refused, RetryOptions, Verdict};
use statim::testing::virtual_time;

use crate::support::{Asked, Work, ms, trips_after_two, worker};

#[test]
fn an_answer_is_a_success_and_none_is_a_failure() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &LinkOptions::default().breaker(trips_after_two())).unwrap();
        assert_eq!(link.ask(|reply| Work::Answer(ms(5), Asked(reply))).await.unwrap(), 1);
        for _ in 0..2 {
            let none = link.ask(|reply| Work::Ignore(Asked(reply))).await.unwrap_err();
            assert_eq!(none.failed(), Some(&AskError::NoReply));
        }
        let refused = link.ask(|reply| Work::Answer(ms(5), Asked(reply))).await.unwrap_err();
        assert!(matches!(refused.refused(), Some(Refused::CircuitOpen(_))), "{refused}");
        assert!(matches!(refused.into_message(), Some(Work::Answer(..))));
        runtime.advance(Duration::from_secs(10)).await;
        assert_eq!(link.ask(|reply| Work::Answer(ms(5), Asked(reply))).await.unwrap(), 4);
        assert_eq!(link.policy().breaker().unwrap().state(), BreakerState::Closed);
        let snapshot = link.snapshot();
        assert_eq!((snapshot.ended(LinkEnd::Passed), snapshot.ended(LinkEnd::NoReply)), (2, 2));
        agent.stop().unwrap();
    });
}

#[test]
fn an_answer_that_does_not_come_in_time_is_a_failure() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let options = LinkOptions::default()
            .breaker(trips_after_two())
            .timeout(ms(100))
            .retry(RetryOptions::attempts(3));
        let link = agent.guarded("sender", &options).unwrap();
        for _ in 0..2 {
            let began = tokio::time::Instant::now();
            let late = link.ask(|reply| Work::Answer(ms(500), Asked(reply))).await.unwrap_err();
            assert_eq!(late.failed(), Some(&AskError::Timeout));
            assert_eq!(began.elapsed().as_millis(), 100, "it is asked once: the question is gone");
        }
        assert_eq!(link.policy().breaker().unwrap().state(), BreakerState::Open);
        assert_eq!(link.snapshot().outcomes[&Outcome::TimedOut], 2);
        runtime.advance(Duration::from_secs(1)).await;
        agent.stop().unwrap();
    });
}

#[test]
fn a_question_that_comes_back_is_asked_again_and_answered() {
    virtual_time(async |runtime| {
        let options = AgentOptions::default().capacity(1).reserve(0).overflow(Overflow::Reject);
        let (agent, gate) = worker(runtime, options);
        let again = RetryOptions { backoff: Backoff::constant(ms(100)), ..RetryOptions::attempts(5) };
        let options = LinkOptions::default().retry(again).bulkhead(BulkheadOptions::max_concurrent(1));
        let link = agent.guarded("sender", &options).unwrap();
        agent.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        agent.tell(Work::Do(1)).await.unwrap();
        let (answered, ()) = tokio::join!(link.ask(|reply| Work::Answer(ms(5), Asked(reply))), async {
            runtime.advance(ms(250)).await;
            gate.add_permits(1);
        });
        assert_eq!(answered.unwrap(), 3);
        let snapshot = link.snapshot();
        assert_eq!((snapshot.offered, snapshot.ended(LinkEnd::Passed)), (1, 1));
        assert_eq!(snapshot.outcomes[&Outcome::Ignored], 3, "three attempts found it full");
        assert_eq!(snapshot.guards.bulkhead.unwrap().in_use, 0);
        agent.stop().unwrap();
    });
}

#[test]
fn an_answer_that_says_no_can_count_as_a_failure() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &LinkOptions::default().breaker(trips_after_two())).unwrap();
        let verdict = |handled: &u32| if *handled > 1 { Verdict::Permanent } else { Verdict::Success };
        for expected in 1..=3 {
            let answer = link.ask_judged(verdict, |reply| Work::Answer(ms(1), Asked(reply))).await;
            assert_eq!(answer.unwrap(), expected);
        }
        assert_eq!(link.policy().breaker().unwrap().state(), BreakerState::Open);
        agent.stop().unwrap();
    });
}

#[test]
fn an_ask_that_is_dropped_gives_its_place_back_and_counts() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let options =
            LinkOptions::default().bulkhead(BulkheadOptions::max_concurrent(1)).breaker(trips_after_two());
        let link = agent.guarded("sender", &options).unwrap();
        let ask = link.ask(|reply| Work::Answer(ms(500), Asked(reply)));
        assert!(tokio::time::timeout(ms(50), ask).await.is_err());
        let snapshot = link.snapshot();
        assert_eq!(snapshot.ended(LinkEnd::Abandoned), 1);
        assert_eq!(snapshot.guards.bulkhead.unwrap().in_use, 0);
        assert_eq!(snapshot.guards.breaker.unwrap().calls.abandoned, 1);
        runtime.advance(Duration::from_secs(1)).await;
        agent.stop().unwrap();
    });
}
