//! Links by name, their options, and what the runtime shows of them.

use statim::link::NewLinkError;
use statim::prelude::*;
use statim::resilience::RateLimitOptions;
use statim::testing::virtual_time;
use statim::{LinkOptions, Snapshot};

use crate::support::{Work, worker};

#[test]
fn a_name_is_one_links_as_long_as_somebody_holds_it() {
    virtual_time(async |runtime| {
        let (agent, gate) = worker(runtime, AgentOptions::default());
        let link = agent.guarded("sender", &LinkOptions::health_sync()).unwrap();
        let taken = agent.guarded("sender", &LinkOptions::default()).unwrap_err();
        assert!(matches!(&taken, NewLinkError::NameTaken { name } if name == "sender -> worker"), "{taken}");
        link.tell(Work::Hold).await.unwrap();
        drop(link);
        assert!(agent.guarded("sender", &LinkOptions::default()).is_err(), "a message is on its way");
        gate.add_permits(1);
        runtime.settle().await;
        // Its counters stay until the name is taken again.
        assert_eq!(runtime.snapshot().link("sender -> worker").unwrap().offered, 1);
        let link = agent.guarded("sender", &LinkOptions::default()).unwrap();
        assert_eq!(link.snapshot().offered, 0);
        assert_eq!(runtime.snapshot().links.len(), 1);
        agent.stop().unwrap();
    });
}

#[test]
fn links_that_come_and_go_are_not_kept_for_ever() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        for n in 0..2_000 {
            agent.guarded(&format!("sender {n}"), &LinkOptions::default()).unwrap();
        }
        let kept = runtime.snapshot().links.len();
        assert!(kept <= 256, "{kept}");
        agent.stop().unwrap();
    });
}

#[test]
fn options_that_cannot_be_are_refused_with_every_fault() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let mut options = LinkOptions::resilience4j().rate_limit(RateLimitOptions::per_second(0));
        options.guards.breaker.as_mut().unwrap().failure_rate = 2.0;
        let Err(NewLinkError::Options { source, .. }) = agent.guarded("sender", &options) else {
            panic!("is refused")
        };
        let fields: Vec<_> = source.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["rate_limit.permits", "breaker.failure_rate"]);
        assert!(runtime.snapshot().links.is_empty());
        agent.stop().unwrap();
    });
}

#[test]
fn the_runtimes_snapshot_has_every_link_and_survives_json() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default());
        let second = agent.guarded("b", &LinkOptions::resilience4j()).unwrap();
        let first = agent.guarded("a", &LinkOptions::default()).unwrap();
        first.tell(Work::Do(1)).await.unwrap();
        second.tell(Work::Do(2)).await.unwrap();
        runtime.settle().await;
        let snapshot = runtime.snapshot();
        let names: Vec<_> = snapshot.links.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["a -> worker", "b -> worker"]);
        let json = serde_json::to_string(&snapshot).unwrap();
        assert!(json.contains(r#""ended":{"passed":1},"outcomes":{"success":1}"#), "{json}");
        let read: Snapshot = serde_json::from_str(&json).unwrap();
        assert_eq!(read.links, snapshot.links);
        agent.stop().unwrap();
    });
}

#[test]
fn a_pool_by_key_can_be_linked_too() {
    virtual_time(async |runtime| {
        let (agent, _) = worker(runtime, AgentOptions::default().pool(Pool::ByKey(3)));
        let link = agent.guarded("sender", &LinkOptions::resilience4j()).unwrap();
        assert_eq!(link.name(), "sender -> worker");
        for key in ["a", "b", "c", "d"] {
            link.tell(Work::About(key)).await.unwrap();
        }
        runtime.settle().await;
        let handled: u64 = runtime.snapshot().agents.iter().map(|agent| agent.handled).sum();
        assert_eq!(handled, 4);
        agent.stop().unwrap();
    });
}
