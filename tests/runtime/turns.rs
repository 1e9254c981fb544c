//! Whose turn it is among the agents of one thread, and what urgency has to say in it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join;
use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do};

/// Writes its number down, and then does something.
struct Note {
    priority: Priority,
    number: u32,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Message for Note {
    fn priority(&self) -> Priority {
        self.priority
    }
}

fn note(priority: Priority, number: u32) -> Note {
    Note { priority, number, then: None }
}

impl Note {
    fn then(self, then: impl FnOnce() + Send + 'static) -> Self {
        Self { then: Some(Box::new(then)), ..self }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u32>>>);

impl Log {
    fn spawn(&self, runtime: &RuntimeHandle, name: &str) -> AgentRef<Note> {
        let log = self.clone();
        runtime.spawn(name, AgentOptions::default(), move || Clerk(log.clone())).expect("the name is free")
    }

    fn numbers(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

struct Clerk(Log);

impl Agent for Clerk {
    type Message = Note;
    type Error = Infallible;

    async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.0.0.lock().unwrap().push(note.number);
        if let Some(then) = note.then {
            then();
        }
        Ok(())
    }
}

#[test]
fn a_critical_message_overtakes_the_other_agents_of_its_thread() {
    virtual_time(async |runtime| {
        let log = Log::default();
        let (bulk, urgent) = (log.spawn(runtime, "bulk"), log.spawn(runtime, "urgent"));
        for number in 0..100 {
            let urgent = urgent.clone();
            let message = note(Priority::Low, number);
            let message = match number {
                10 => message.then(move || drop(urgent.try_tell(note(Priority::Critical, 1_000)))),
                _ => message,
            };
            bulk.tell(message).await.unwrap();
        }
        runtime.settle().await;
        let numbers = log.numbers();
        assert_eq!(numbers.len(), 101);
        assert_eq!(numbers[10..13], [10, 1_000, 11], "the bulk was to make way after one message");
        for name in ["bulk", "urgent"] {
            runtime.stop_and_wait(name).await;
        }
    });
}

#[test]
fn an_agent_that_waits_for_its_turn_is_moved_up_by_something_urgent() {
    moves_up(true);
}

#[test]
fn an_agent_that_has_worked_ever_since_it_started_is_moved_up_too() {
    moves_up(false);
}

/// c makes way for b, and a is in front of it for bulk, when something critical comes for c.
fn moves_up(after_a_sleep: bool) {
    virtual_time(async |runtime| {
        let log = Log::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| log.spawn(runtime, name));
        if after_a_sleep {
            runtime.settle().await;
        }
        let to_c = c.clone();
        c.tell(note(Priority::Low, 1).then(move || {
            a.try_tell(note(Priority::Low, 300)).unwrap();
            let for_b = note(Priority::Critical, 200);
            b.try_tell(for_b.then(move || to_c.try_tell(note(Priority::Critical, 2)).unwrap())).unwrap();
        }))
        .await
        .unwrap();
        c.tell(note(Priority::Low, 3)).await.unwrap();
        runtime.settle().await;
        assert_eq!(log.numbers(), [1, 200, 2, 300, 3]);
        for name in ["a", "b", "c"] {
            runtime.stop_and_wait(name).await;
        }
    });
}

#[test]
fn messages_that_lapsed_are_buried_in_turns_like_handled_ones() {
    virtual_time(async |runtime| {
        let log = Log::default();
        let (lapsed, urgent) = (log.spawn(runtime, "lapsed"), log.spawn(runtime, "urgent"));
        runtime.settle().await;
        lapsed.pause().unwrap();
        runtime.settle().await;
        for number in 0..5_000 {
            lapsed.tell(note(Priority::Low, number)).deadline(Duration::from_secs(1)).await.unwrap();
        }
        lapsed.tell(note(Priority::Low, 9_999)).await.unwrap();
        runtime.advance(Duration::from_secs(2)).await;
        lapsed.resume().unwrap();
        urgent.tell(note(Priority::Low, 1)).await.unwrap();
        runtime.settle().await;
        // A slice is 1,024 messages, lapsed or not, and then the neighbour has its turn.
        assert_eq!(log.numbers(), [1, 9_999]);
        for name in ["lapsed", "urgent"] {
            runtime.stop_and_wait(name).await;
        }
    });
}

/// Sends itself something critical for each message it handles, until it is enough.
struct Flood {
    enough: Arc<AtomicBool>,
    handled: Arc<AtomicU64>,
}

struct Drop1;
impl Message for Drop1 {
    fn priority(&self) -> Priority {
        Priority::Critical
    }
}

impl Agent for Flood {
    type Message = Drop1;
    type Error = Infallible;

    async fn handle(&mut self, _: Drop1, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        let handled = self.handled.fetch_add(1, Ordering::Relaxed);
        if !self.enough.load(Ordering::Relaxed) && handled < 1_000_000 {
            let _ = ctx.me().try_tell(Drop1);
        }
        Ok(())
    }
}

#[test]
fn an_agent_flooded_with_critical_messages_does_not_silence_its_neighbours() {
    virtual_time(async |runtime| {
        let log = Log::default();
        let neighbour = log.spawn(runtime, "neighbour");
        let (enough, handled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (until, count) = (Arc::clone(&enough), Arc::clone(&handled));
        let flood = runtime
            .spawn("flood", AgentOptions::default(), move || Flood {
                enough: Arc::clone(&until),
                handled: Arc::clone(&count),
            })
            .unwrap();
        runtime.settle().await;
        flood.tell(Drop1).await.unwrap();
        neighbour
            .tell(note(Priority::Low, 1).then(move || enough.store(true, Ordering::Relaxed)))
            .await
            .unwrap();
        runtime.settle().await;
        // 32 turns of at most 1,024 messages, and the one in which the neighbour was told.
        let handled = handled.load(Ordering::Relaxed);
        assert!(handled <= 34 * 1_024, "the neighbour waited for {handled} critical messages");
        assert_eq!(log.numbers(), [1]);
        for name in ["neighbour", "flood"] {
            runtime.stop_and_wait(name).await;
        }
    });
}

#[test]
fn a_sender_is_let_into_a_free_place_at_the_latest_when_the_handler_waits() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let options = AgentOptions::default().capacity(64).reserve(0);
        let agent = desk.spawn(runtime, "agent", options);
        runtime.settle().await;
        // Full, with two that leave quickly and a third that waits; nothing runs before the first wait below.
        for n in 0..2 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
        }
        agent.tell(Do::Hold(2)).await.unwrap();
        for n in 3..64 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
        }
        let more = || agent.tell(Do::Note(Priority::Normal, 100));
        // Three places come free, an eighth of the mailbox would be eight.
        let waiting = join(join(more(), more()), more());
        let let_in = tokio::time::timeout(Duration::from_secs(1), waiting).await;
        assert!(let_in.is_ok(), "places are free and senders wait");
        assert_eq!(agent.depth(), 64);
        assert_eq!(desk.notes(), [0, 1]);
        desk.gate.add_permits(1);
        runtime.stop_and_wait("agent").await;
    });
}
