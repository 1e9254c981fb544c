//! Panics and errors: one message is lost to them at most, and it is accounted for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;
use statim::{AgentState, Backoff, Escalation, Intensity, Restart, Supervision};

use crate::support::{Desk, Do};

#[test]
fn a_panicking_handler_loses_no_other_message() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let options = AgentOptions::default().supervision(often());
        let agent = desk.spawn(runtime, "agent", options);
        for n in 0..100 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
            if n % 10 == 0 {
                agent.tell(Do::Panic(u32::MAX)).await.unwrap();
            }
        }
        runtime.advance(Duration::from_secs(60)).await;
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), (0..100).collect::<Vec<_>>(), "every one, in order");
        let letters = runtime.dead_letters();
        assert_eq!(letters.len(), 10);
        assert!(letters.iter().all(|l| l.reason == Reason::Poisoned && l.kind == "panic"));
    });
}

fn often() -> Supervision {
    Supervision {
        intensity: Intensity { restarts: 1_000, within: Duration::from_secs(1) },
        ..Supervision::default()
    }
}

#[test]
fn an_error_costs_its_message_and_not_the_agents_state() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        agent.tell(Do::Fail).await.unwrap();
        assert_eq!(agent.ask(Do::Count).await, Ok(3), "the same incarnation counted all three");
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_message_is_tried_as_often_as_allowed_and_then_poisoned_with_its_body() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().attempts(3));
        agent.tell(Do::FailAgain(7)).await.unwrap();
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        runtime.settle().await;
        let snapshot = runtime.snapshot();
        assert_eq!(snapshot.agent("agent").unwrap().failed, 3);
        let letters = runtime.dead_letters();
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].attempts, letters[0].reason), (3, Reason::Poisoned));
        assert_eq!(letters[0].body.as_deref(), Some(b"7".as_slice()));
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [1]);
    });
}

#[test]
fn a_message_that_panics_is_tried_again_by_the_next_incarnation() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let options = AgentOptions::default().attempts(3).supervision(often());
        let agent = desk.spawn(runtime, "agent", options);
        agent.tell(Do::Panic(2)).await.unwrap();
        agent.tell(Do::Note(Priority::Normal, 9)).await.unwrap();
        runtime.advance(Duration::from_secs(10)).await;
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [2, 9], "in its place, before what came after it");
        assert!(runtime.dead_letters().is_empty());
    });
}

#[test]
fn an_agent_that_fails_too_often_is_given_up_and_its_mailbox_accounted_for() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let supervision = Supervision {
            intensity: Intensity { restarts: 2, within: Duration::from_secs(3_600) },
            ..Supervision::default()
        };
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().supervision(supervision));
        for _ in 0..3 {
            agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        }
        for n in 0..5 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
        }
        runtime.advance(Duration::from_secs(60)).await;
        let snapshot = runtime.snapshot();
        let seen = snapshot.agent("agent").unwrap();
        assert_eq!(seen.state, AgentState::Failed);
        assert_eq!((seen.panicked, seen.restarts), (3, 2));
        assert_eq!(seen.dropped[&Reason::Undeliverable], 5);
        let refused = agent.tell(Do::Note(Priority::Normal, 9)).await;
        assert!(matches!(refused, Err(TellError::Closed(_))));
        assert!(runtime.find::<Do>("agent").is_err());
    });
}

#[test]
fn never_restart_means_never() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let never = Supervision { restart: Restart::Never, ..Supervision::default() };
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().supervision(never));
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        runtime.settle().await;
        assert!(agent.is_closed());
    });
}

/// Fails to start until the third attempt.
struct Shy(&'static AtomicU32);
impl Agent for Shy {
    type Message = Do;
    type Error = &'static str;
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Self::Error> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Err("not yet"),
            1 => panic!("not yet either"),
            _ => Ok(()),
        }
    }
    async fn handle(&mut self, message: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if let Do::Count(reply) = message {
            reply.send(1);
        }
        Ok(())
    }
}

#[test]
fn messages_wait_while_an_agent_fails_to_start() {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    virtual_time(async |runtime| {
        let agent = runtime.spawn("shy", AgentOptions::default(), || Shy(&ATTEMPTS)).unwrap();
        assert_eq!(agent.ask(Do::Count).await, Ok(1));
        assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3);
        runtime.stop_and_wait("shy").await;
    });
}

/// Spawns a child that panics as told.
struct Parent(Desk);
impl Agent for Parent {
    type Message = Do;
    type Error = &'static str;
    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        let desk = self.0.clone();
        let once = Supervision {
            intensity: Intensity { restarts: 0, within: Duration::from_secs(1) },
            ..Supervision::default()
        };
        let child = Child(desk);
        let child = std::sync::Mutex::new(Some(child));
        ctx.spawn_child("child", AgentOptions::default().supervision(once), move || {
            child.lock().unwrap().take().expect("given up at its first failure")
        })
        .map_err(|_| "the child's name is taken")?;
        self.0.note(100);
        Ok(())
    }
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Child(Desk);
impl Agent for Child {
    type Message = Do;
    type Error = &'static str;
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        panic!("as told")
    }
    async fn stopped(&mut self, _: &mut Context<Self>) {
        self.0.note(200);
    }
}

#[test]
fn a_child_that_is_given_up_fails_its_parent_which_starts_over_with_a_new_child() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let kept = desk.clone();
        runtime.spawn("parent", AgentOptions::default(), move || Parent(kept.clone())).unwrap();
        runtime.settle().await;
        let child = runtime.find::<Do>("child").unwrap();
        child.tell(Do::Fail).await.unwrap();
        runtime.advance(Duration::from_secs(1)).await;
        assert_eq!(desk.notes(), [100, 100], "the parent started twice");
        assert!(runtime.find::<Do>("child").is_ok());
        runtime.stop_and_wait("parent").await;
        assert_eq!(desk.notes(), [100, 100, 200], "and its child stopped with it");
        assert!(runtime.living().is_empty());
    });
}

#[test]
fn an_escalation_to_the_runtime_asks_for_its_shutdown() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let supervision =
        Supervision { restart: Restart::Never, escalation: Escalation::Shutdown, ..Supervision::default() };
    let other = desk.spawn(&runtime, "other", AgentOptions::default());
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default().supervision(supervision));
    agent.try_tell(Do::Panic(u32::MAX)).unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), runtime.shutdown_requested()).await.unwrap();
    });
    crate::support::eventually("the other agent ends too", || other.is_closed());
    runtime.shutdown_blocking();
}

#[test]
fn a_panic_while_messages_of_a_batch_are_in_hand_loses_only_what_was_taken() {
    struct Picky;
    #[derive(Clone)]
    struct Item(u32);
    impl Message for Item {
        fn batch_key(&self) -> Option<Key> {
            Some(Key::of("all"))
        }
    }
    static HANDLED: std::sync::Mutex<Vec<u32>> = std::sync::Mutex::new(Vec::new());
    impl Agent for Picky {
        type Message = Item;
        type Error = &'static str;
        async fn handle(&mut self, item: Item, _: &mut Context<Self>) -> Result<(), Self::Error> {
            assert!(item.0 != 3, "three is unlucky");
            HANDLED.lock().unwrap().push(item.0);
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let options = AgentOptions::default()
            .batch(BatchOptions::up_to(10).linger(Duration::from_millis(10)))
            .supervision(Supervision {
                backoff: Backoff { first: Duration::ZERO, ..Supervision::default().backoff },
                ..Supervision::default()
            });
        let agent = runtime.spawn("picky", options, || Picky).unwrap();
        for n in 0..8 {
            agent.tell(Item(n)).await.unwrap();
        }
        runtime.advance(Duration::from_secs(1)).await;
        runtime.stop_and_wait("picky").await;
        assert_eq!(*HANDLED.lock().unwrap(), [0, 1, 2, 4, 5, 6, 7]);
        assert_eq!(runtime.dead_letters().len(), 1);
    });
}
