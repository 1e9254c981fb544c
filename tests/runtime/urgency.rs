//! Urgent first: strictly, in order, and without starving the rest.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do};

/// Queues messages behind a held one, lets go, and gives back the order in which they were handled.
async fn order(runtime: &RuntimeHandle, options: AgentOptions, messages: Vec<Do>) -> Vec<u32> {
    let desk = Desk::new();
    let agent = desk.spawn(runtime, "agent", options);
    agent.tell(Do::Hold(0)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    for message in messages {
        agent.tell(message).await.unwrap();
    }
    desk.gate.add_permits(1);
    runtime.stop_and_wait("agent").await;
    desk.notes()
}

#[test]
fn critical_comes_first_and_lanes_keep_their_order() {
    let order = virtual_time(async |runtime| {
        let mut messages = Vec::new();
        for n in 0..3 {
            messages.push(Do::Note(Priority::Low, 40 + n));
            messages.push(Do::Note(Priority::Normal, 30 + n));
            messages.push(Do::Note(Priority::High, 20 + n));
            messages.push(Do::Note(Priority::Critical, 10 + n));
        }
        order(runtime, AgentOptions::default(), messages).await
    });
    assert_eq!(order, [0, 10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42]);
}

#[test]
fn a_low_message_is_passed_over_at_most_as_often_as_the_bypass_says() {
    let order = virtual_time(async |runtime| {
        let mut messages = vec![Do::Note(Priority::Low, 999)];
        messages.extend((1..=20).map(|n| Do::Note(Priority::High, n)));
        order(runtime, AgentOptions::default().bypass(Some(5)), messages).await
    });
    let place = order.iter().position(|n| *n == 999).unwrap();
    assert_eq!(place, 6, "the held one, five urgent ones, then its turn: {order:?}");
}

#[test]
fn without_a_bypass_priority_is_strict() {
    let order = virtual_time(async |runtime| {
        let mut messages = vec![Do::Note(Priority::Low, 999)];
        messages.extend((1..=200).map(|n| Do::Note(Priority::High, n)));
        order(runtime, AgentOptions::default().bypass(None), messages).await
    });
    assert_eq!(order.last(), Some(&999));
}

#[test]
fn a_sender_can_lower_a_priority_and_not_raise_it() {
    let order = virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Note(Priority::Critical, 1)).priority(Priority::Low).await.unwrap();
        agent.tell(Do::Note(Priority::Low, 2)).priority(Priority::Critical).await.unwrap();
        agent.tell(Do::Note(Priority::High, 3)).await.unwrap();
        desk.gate.add_permits(1);
        runtime.stop_and_wait("agent").await;
        desk.notes()
    });
    assert_eq!(order, [0, 3, 1, 2]);
}

#[test]
fn a_critical_message_waits_for_one_running_handler_however_deep_the_backlog() {
    // Virtual time: every Low message takes exactly 1 ms, so the wait is exact.
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().capacity(200_000));
        for _ in 0..10_000 {
            agent.tell(Do::Sleep(Duration::from_millis(1))).priority(Priority::Low).await.unwrap();
        }
        tokio::time::sleep(Duration::from_micros(100_500)).await;
        agent.tell(Do::Note(Priority::Critical, 1)).await.unwrap();
        let began = tokio::time::Instant::now();
        while desk.notes().is_empty() {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        assert!(began.elapsed() <= Duration::from_millis(2), "{:?}", began.elapsed());
        agent.stop_now().unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    });
}

#[test]
fn a_message_past_its_deadline_is_not_handled() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        let soon = Duration::from_millis(10);
        agent.tell(Do::Note(Priority::High, 1)).deadline(soon).await.unwrap();
        agent.tell(Do::Note(Priority::High, 2)).deadline(Duration::from_secs(1)).await.unwrap();
        runtime.advance(Duration::from_millis(11)).await;
        desk.gate.add_permits(1);
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [0, 2]);
        let letters = runtime.dead_letters();
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].reason, letters[0].kind), (Reason::Expired, "note"));
        assert_eq!(letters[0].age_nanos, 11_000_000);
    });
}

#[test]
fn a_purge_removes_what_is_queued_about_a_key_and_nothing_else() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        for n in 0..5 {
            agent.tell(Do::About("p1", 10 + n)).await.unwrap();
            agent.tell(Do::About("p2", 20 + n)).await.unwrap();
        }
        assert_eq!(runtime.purge(Key::of("p1")), 5);
        assert_eq!(runtime.purge(Key::of("p1")), 0);
        desk.gate.add_permits(1);
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [0, 20, 21, 22, 23, 24]);
        assert!(runtime.dead_letters().iter().all(|letter| letter.reason == Reason::Purged));
    });
}

#[test]
fn a_purge_reaches_senders_that_wait_for_room() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().capacity(1).reserve(0));
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::About("p1", 1)).await.unwrap();
        let (first, second) = (agent.tell(Do::About("p1", 2)), agent.tell(Do::About("p2", 3)));
        let purge = async {
            runtime.settle().await;
            runtime.purge(Key::of("p1"))
        };
        let (first, second, purged) = tokio::join!(first, second, purge);
        assert_eq!(purged, 2, "the one queued and the one that waited");
        assert!(first.is_ok() && second.is_ok(), "the purged one was accepted and is accounted for");
        desk.gate.add_permits(1);
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [0, 3]);
        assert!(runtime.dead_letters().iter().all(|letter| letter.reason == Reason::Purged));
    });
}
