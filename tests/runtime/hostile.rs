//! Users' code that panics in odd places, and questions that outlive their runtime.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use statim::Severity;
use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do, eventually};

/// An error whose every use panics.
struct Unspeakable(&'static str);
impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}
impl Drop for Unspeakable {
    fn drop(&mut self) {
        assert!(self.0 != "drop" || std::thread::panicking(), "cannot be dropped");
    }
}

/// Fails with such an error where the message says so.
struct Fragile;
enum Poke {
    Fail(&'static str),
    Answer(Reply<u32>),
}
impl Message for Poke {}
impl Agent for Fragile {
    type Message = Poke;
    type Error = Unspeakable;
    async fn handle(&mut self, message: Poke, _: &mut Context<Self>) -> Result<(), Self::Error> {
        match message {
            Poke::Fail(how) => Err(Unspeakable(how)),
            Poke::Answer(reply) => {
                reply.send(1);
                Ok(())
            }
        }
    }
    fn severity(error: &Unspeakable) -> Severity {
        assert!(error.0 != "severity", "cannot be judged");
        Severity::Message
    }
    fn inspect(&self) -> serde_json::Value {
        panic!("cannot be inspected")
    }
}

/// Formats whatever is logged, as a real subscriber does.
struct Formatting;
impl tracing::Subscriber for Formatting {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |_: &tracing::field::Field, value: &dyn fmt::Debug| drop(format!("{value:?}")));
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn an_error_that_panics_when_it_is_shown_judged_or_dropped_costs_its_message_only() {
    let _logged = tracing::subscriber::set_default(Formatting);
    virtual_time(async |runtime| {
        let agent = runtime.spawn("fragile", AgentOptions::default(), || Fragile).unwrap();
        for how in ["show", "severity", "drop"] {
            agent.tell(Poke::Fail(how)).await.unwrap();
            runtime.advance(Duration::from_secs(1)).await;
            let answer = agent.ask(Poke::Answer).await;
            assert!(matches!(answer, Ok(1)), "{how}: {answer:?}");
            assert_eq!(agent.inspect().await.unwrap().len(), 1);
        }
        let letters = runtime.dead_letters();
        assert_eq!(letters.len(), 3);
        assert!(letters.iter().all(|letter| letter.reason == Reason::Poisoned), "{letters:?}");
        runtime.stop_and_wait("fragile").await;
    });
}

#[test]
fn a_message_whose_priority_or_batch_key_panics_harms_its_sender_only() {
    struct Odd(u32);
    impl Message for Odd {
        fn priority(&self) -> Priority {
            assert!(self.0 != 1, "no priority");
            Priority::Normal
        }
        fn batch_key(&self) -> Option<Key> {
            assert!(self.0 != 2, "no batch key");
            Some(Key::of("all"))
        }
    }
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    struct Count;
    impl Agent for Count {
        type Message = Odd;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, _: Odd, _: &mut Context<Self>) -> Result<(), Self::Error> {
            HANDLED.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let options = AgentOptions::default().batch(BatchOptions::up_to(4)).capacity(2).reserve(0);
        let agent = runtime.spawn("agent", options, || Count).unwrap();
        for n in 0..12 {
            let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| agent.try_tell(Odd(n % 3))));
            assert_eq!(told.is_err(), n % 3 != 0);
            runtime.settle().await;
        }
        assert_eq!(HANDLED.load(Ordering::Relaxed), 4);
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_question_that_times_out_after_waiting_for_room_does_so_once() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().capacity(1).reserve(0));
        agent.tell(Do::Sleep(Duration::from_secs(9))).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Sleep(Duration::from_secs(60))).await.unwrap();
        let began = tokio::time::Instant::now();
        // Room comes after 9 of its 10 seconds; it waits for one second more, not for another ten.
        let answer = agent.ask(Do::Count).timeout(Duration::from_secs(10)).await;
        assert_eq!(answer, Err(AskError::Timeout));
        let took = began.elapsed();
        assert!(took < Duration::from_millis(10_100), "{took:?}");
        agent.stop_now().unwrap();
        runtime.advance(Duration::from_secs(60)).await;
    });
}

/// Blocks its thread, as it should not.
struct Blocking;
static BLOCKED: AtomicBool = AtomicBool::new(false);
struct Block(#[expect(dead_code, reason = "dropped with the message")] Reply<()>);
impl Message for Block {}
impl Agent for Blocking {
    type Message = Block;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, _: Block, _: &mut Context<Self>) -> Result<(), Self::Error> {
        BLOCKED.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs(1));
        Ok(())
    }
}

#[test]
fn a_question_with_a_timeout_outlives_its_runtime_without_a_panic() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let agent = runtime.spawn("agent", AgentOptions::default(), || Blocking).unwrap();
    let asker = std::thread::spawn(move || {
        let program = tokio::runtime::Builder::new_current_thread().build().unwrap();
        program.block_on(async { agent.ask(Block).timeout(Duration::from_secs(20)).await })
    });
    eventually("the question is being handled", || BLOCKED.load(Ordering::SeqCst));
    std::thread::sleep(Duration::from_millis(50));
    drop(runtime);
    assert!(asker.join().expect("the asker is told, not broken").is_err());
}
