//! What may not wait is not refused.

use statim::LinkOptions;
use statim::link::{Exempt, LinkEnd};
use statim::prelude::*;
use statim::resilience::{BulkheadOptions, RateLimitOptions};
use statim::testing::virtual_time;

use crate::support::{Work, ms, trips_after_two, worker};

fn everything() -> LinkOptions {
    LinkOptions::default()
        .breaker(trips_after_two())
        .bulkhead(BulkheadOptions::max_concurrent(1))
        .rate_limit(RateLimitOptions { burst: Some(1), max_wait: ms(0), ..RateLimitOptions::per_second(1) })
        .timeout(ms(10))
}

#[test]
fn critical_goes_past_every_guard() {
    virtual_time(async |runtime| {
        let (agent, gate) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &everything()).unwrap();
        link.try_tell(Work::Hold).unwrap();
        link.policy().breaker().unwrap().force_open();
        assert!(link.try_tell(Work::Do(0)).unwrap_err().refused().is_some());
        for n in 0..100 {
            link.try_tell(Work::Now(n)).unwrap();
            link.tell(Work::Now(n)).await.unwrap();
        }
        gate.add_permits(1);
        runtime.settle().await;
        let snapshot = link.snapshot();
        assert_eq!((snapshot.exempt, snapshot.ended(LinkEnd::Passed), snapshot.refused()), (200, 201, 1));
        assert_eq!(runtime.snapshot().agent("worker").unwrap().handled, 201);
        agent.stop().unwrap();
    });
}

#[test]
fn critical_waits_for_room_as_long_as_it_takes() {
    virtual_time(async |runtime| {
        let (agent, gate) = worker(runtime, AgentOptions::default().capacity(1).reserve(0));
        let link = agent.guarded("sender", &everything()).unwrap();
        agent.tell(Work::Hold).await.unwrap();
        runtime.settle().await;
        agent.tell(Work::Do(1)).await.unwrap();
        let (told, ()) = tokio::join!(link.tell(Work::Now(1)), async {
            runtime.advance(ms(500)).await;
            gate.add_permits(1);
        });
        told.unwrap();
        agent.stop().unwrap();
    });
}

#[test]
fn a_sender_that_lowers_its_priority_is_asked_and_so_is_everybody_where_nothing_is_exempt() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &everything()).unwrap();
        link.policy().breaker().unwrap().force_open();
        let bulk = link.at_most(Priority::Low);
        assert!(bulk.try_tell(Work::Now(1)).unwrap_err().refused().is_some());
        link.try_tell(Work::Now(1)).unwrap();
        assert_eq!(link.snapshot().offered, 2, "a handle at a lower priority is the same link");
        let strict = agent.guarded("strict", &everything().exempt(Exempt::None)).unwrap();
        strict.policy().breaker().unwrap().force_open();
        assert!(strict.try_tell(Work::Now(1)).unwrap_err().refused().is_some());
        agent.stop().unwrap();
    });
}
