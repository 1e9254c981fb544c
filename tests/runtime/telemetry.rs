//! What a snapshot tells.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do};

#[test]
fn a_snapshot_has_wait_service_and_end_to_end_by_priority() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        for _ in 0..10 {
            agent.tell(Do::Sleep(Duration::from_millis(100))).await.unwrap();
        }
        runtime.advance(Duration::from_millis(1_500)).await;
        let snapshot = runtime.snapshot();
        let seen = snapshot.agent("agent").unwrap();
        assert_eq!((seen.handled, seen.failed), (10, 0));
        let normal = seen.latency[&Priority::Normal];
        let near = |measured: u64, millis: u64| {
            let expected = millis * 1_000_000;
            assert!(measured.abs_diff(expected) * 50 <= expected, "{measured} is not {millis} ms");
        };
        assert_eq!(normal.count, 10);
        // Tokio's timers have a granularity of 1 ms, so each sleep may take 101.
        near(normal.service.p50, 100);
        near(normal.wait.max, 905);
        near(normal.end_to_end.max, 1_006);
        assert!(!seen.latency.contains_key(&Priority::Low));
        assert!(seen.utilization > 0.6 && seen.utilization < 0.7, "{}", seen.utilization);
        let json = serde_json::to_value(&snapshot).unwrap();
        assert_eq!(json["agents"][0]["latency"]["normal"]["count"], 10);
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_snapshot_counts_depth_and_every_outcome() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let options = AgentOptions::default().capacity(3).reserve(1).overflow(Overflow::Reject);
        let agent = desk.spawn(runtime, "agent", options);
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Note(Priority::Low, 1)).await.unwrap();
        agent.tell(Do::Note(Priority::High, 2)).await.unwrap();
        agent.tell(Do::Fail).await.unwrap();
        assert!(agent.tell(Do::Note(Priority::Low, 4)).await.is_err());
        let snapshot = runtime.snapshot();
        let seen = snapshot.agent("agent").unwrap();
        assert_eq!(seen.depth[&Priority::Low], 1);
        assert_eq!(seen.depth[&Priority::High], 1);
        assert_eq!(seen.depth.values().sum::<u64>(), 3);
        assert_eq!(seen.dropped[&Reason::Rejected], 1);
        desk.gate.add_permits(1);
        runtime.settle().await;
        let snapshot = runtime.snapshot();
        let seen = snapshot.agent("agent").unwrap();
        assert_eq!((seen.handled, seen.failed), (3, 1));
        assert_eq!(seen.dropped[&Reason::Poisoned], 1);
        assert_eq!(snapshot.dead_letters, 1);
        runtime.stop_and_wait("agent").await;
    });
}
