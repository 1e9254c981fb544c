//! Admission control at a mailbox: who is refused, when, and when no longer.

use std::time::Duration;

use statim::prelude::*;
use statim::resilience::AdmissionOptions;
use statim::testing::virtual_time;
use statim::{SpawnError, TellError};

use crate::load::{CAPACITY, Job, MIX, Stage, admitting, run};

#[test]
fn when_the_load_is_gone_everybody_is_admitted_again() {
    let stages = [Stage { seconds: 5, load: 10 }, Stage { seconds: 10, load: 1 }];
    let half = [0.05, 0.1, 0.15, 0.2];
    let run = run(&stages, half, admitting());
    let last = run.done.iter().map(|done| done.sent_at).max().unwrap();
    assert!(last - run.began > Duration::from_secs(14));
    let goodput = run.goodput();
    assert!(goodput[12..14].iter().all(|handled| *handled >= CAPACITY * 9 / 10), "{goodput:?}");
}

#[test]
fn a_queue_that_is_short_enough_refuses_nobody() {
    let run = run(&[Stage { seconds: 5, load: 1 }], MIX, admitting());
    assert!(run.refused.is_empty(), "{:?}", run.refused);
    assert_eq!(run.agent.admission.unwrap().refused.values().sum::<f64>(), 0.0);
}

#[test]
fn a_flood_of_critical_is_never_refused() {
    let run = run(&[Stage { seconds: 3, load: 3 }], [0.9, 0.04, 0.03, 0.03], admitting());
    assert_eq!(run.refused_of(Priority::Critical), 0);
    assert_eq!(run.agent.latency[&Priority::Critical].count, run.sent[0]);
    for priority in [Priority::Normal, Priority::Low] {
        assert!(run.refused_of(priority) > 0, "{priority}: {:?}", run.refused);
    }
}

#[test]
fn messages_that_lapse_unhandled_still_say_that_the_queue_is_long() {
    virtual_time(async |runtime| {
        let (agent, _) = statim::testing::Probe::<Slow>::spawn(
            runtime,
            "slow",
            AgentOptions::default().admission(AdmissionOptions::default()),
        )
        .unwrap();
        agent.pause().unwrap();
        runtime.settle().await;
        for _ in 0..20 {
            for _ in 0..100 {
                // Each has lapsed when its turn comes, so none is ever handled.
                let _ = agent.tell(Slow).deadline(Duration::from_millis(1)).await;
            }
            runtime.advance(Duration::from_millis(60)).await;
            agent.resume().unwrap();
            runtime.settle().await;
            agent.pause().unwrap();
            runtime.settle().await;
        }
        let snapshot = runtime.snapshot();
        let dropped = &snapshot.agent("slow").unwrap().dropped;
        assert!(dropped[&Reason::Expired] > 100, "{dropped:?}");
        assert!(dropped.get(&Reason::Overloaded).is_some_and(|count| *count > 100), "{dropped:?}");
        agent.stop().unwrap();
    });
}

struct Slow;
impl Message for Slow {}

/// An agent that takes what it is given in batches, a millisecond each message.
struct Batched;

impl Agent for Batched {
    type Message = Job;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, _: Job, _: &mut Context<Self>) -> Result<(), Self::Error> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[test]
fn a_pool_is_judged_by_its_one_queue() {
    virtual_time(async |runtime| {
        let options = admitting().pool(Pool::Shared(4));
        let agent = runtime.spawn("pool", options, || Batched).unwrap();
        let (mut refused, mut sent) = (0_u64, 0_u64);
        for _ in 0..3_000 {
            for _ in 0..8 {
                let job = Job { priority: Priority::Low, sent_at: tokio::time::Instant::now() };
                refused += u64::from(agent.try_tell(job).is_err());
                sent += 1;
            }
            runtime.advance(Duration::from_millis(1)).await;
        }
        runtime.advance(Duration::from_secs(10)).await;
        let pool = runtime.snapshot().agent("pool").unwrap().clone();
        assert_eq!(pool.handled + pool.dropped.values().sum::<u64>(), sent);
        // Four members at 1,000 a second each, offered 8,000.
        let share = refused as f64 / sent as f64;
        assert!((0.4..0.6).contains(&share), "{share}");
        agent.stop().unwrap();
    });
}

#[test]
fn an_agent_that_stands_still_refuses_no_longer_than_ten_intervals() {
    virtual_time(async |runtime| {
        let (agent, _) =
            statim::testing::Probe::<Slow>::spawn(runtime, "still", admitting().capacity(100_000)).unwrap();
        // Taken by fits and starts, and always too late.
        for _ in 0..10 {
            agent.pause().unwrap();
            runtime.settle().await;
            for _ in 0..100 {
                let _ = agent.try_tell(Slow);
            }
            runtime.advance(Duration::from_millis(110)).await;
            agent.resume().unwrap();
            runtime.settle().await;
        }
        agent.pause().unwrap();
        runtime.settle().await;
        let refused = |count: usize| (0..count).filter(|_| agent.try_tell(Slow).is_err()).count();
        assert!(refused(100) > 0);
        runtime.advance(Duration::from_millis(1100)).await;
        assert_eq!(refused(100), 0);
        agent.resume().unwrap();
        runtime.settle().await;
        agent.stop().unwrap();
    });
}

#[test]
fn a_closed_agent_says_closed_and_a_waiting_tell_says_overloaded() {
    virtual_time(async |runtime| {
        let options = AgentOptions::default().admission(AdmissionOptions::default());
        let agent = runtime.spawn("server", options, || Batched).unwrap();
        let job = |priority| Job { priority, sent_at: tokio::time::Instant::now() };
        for _ in 0..600 {
            for _ in 0..4 {
                let _ = agent.try_tell(job(Priority::Low));
            }
            runtime.advance(Duration::from_millis(1)).await;
        }
        let mut overloaded = None;
        for _ in 0..100 {
            if let Err(error) = agent.tell(job(Priority::Low)).await {
                overloaded = Some(error);
            }
        }
        let overloaded = overloaded.expect("one of a hundred is refused");
        assert!(matches!(overloaded, TellError::Overloaded(_)), "{overloaded}");
        assert!(overloaded.to_string().contains("overloaded"), "{overloaded}");
        assert!(agent.tell(job(Priority::High)).await.is_ok());
        agent.stop_now().unwrap();
        runtime.advance(Duration::from_millis(20)).await;
        for _ in 0..10 {
            assert!(matches!(agent.tell(job(Priority::Low)).await, Err(TellError::Closed(_))));
        }
    });
}

#[test]
fn options_that_cannot_be_are_refused_at_the_spawn() {
    virtual_time(async |runtime| {
        let options =
            AdmissionOptions { clear: 7.0, interval: Duration::ZERO, ..AdmissionOptions::default() };
        let refused = runtime.spawn("x", AgentOptions::default().admission(options), || Batched).unwrap_err();
        let SpawnError::Admission { source, .. } = &refused else { panic!("{refused}") };
        let fields: Vec<_> = source.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["clear", "interval_seconds"]);
        assert!(runtime.living().is_empty());
    });
}
