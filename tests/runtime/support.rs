//! An agent whose handler does what the message says.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::prelude::*;
use tokio::sync::Semaphore;

/// What the scripted agent is told.
pub(crate) enum Do {
    /// Write a number down.
    Note(Priority, u32),
    /// Write a number down; the message is about `key`.
    About(&'static str, u32),
    /// Wait until the gate has a permit, then write the number down.
    Hold(u32),
    /// Take this long.
    Sleep(Duration),
    /// Panic; after so many times, succeed and write the number down.
    Panic(u32),
    /// Fail with an error.
    Fail,
    /// Like `Fail`, and may be tried again.
    FailAgain(u32),
    /// Answer with how many messages this incarnation has handled.
    Count(Reply<u64>),
    /// Take the reply and never answer.
    Ignore(Reply<u64>),
}

impl Message for Do {
    fn priority(&self) -> Priority {
        match self {
            Do::Note(priority, _) => *priority,
            _ => Priority::Normal,
        }
    }

    fn key(&self) -> Option<Key> {
        match self {
            Do::About(key, _) => Some(Key::of(key)),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Do::Note(..) => "note",
            Do::About(..) => "about",
            Do::Hold(_) => "hold",
            Do::Sleep(_) => "sleep",
            Do::Panic(_) => "panic",
            Do::Fail => "fail",
            Do::FailAgain(_) => "fail_again",
            Do::Count(_) => "count",
            Do::Ignore(_) => "ignore",
        }
    }

    fn body(&self) -> Option<Vec<u8>> {
        match self {
            Do::FailAgain(n) => Some(n.to_string().into_bytes()),
            _ => None,
        }
    }

    fn for_retry(&self) -> Option<Self> {
        match self {
            Do::FailAgain(n) => Some(Do::FailAgain(*n)),
            Do::Panic(n) => Some(Do::Panic(*n)),
            _ => None,
        }
    }
}

impl PartialEq for Do {
    /// So that a refusal, which carries the message, can be compared.
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
}

/// Notes and the gate, shared with the test.
#[derive(Clone)]
pub(crate) struct Desk {
    notes: Arc<Mutex<Vec<u32>>>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { notes: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn spawn(&self, runtime: &RuntimeHandle, name: &str, options: AgentOptions) -> AgentRef<Do> {
        let desk = self.clone();
        runtime.spawn(name, options, move || scripted(&desk)).expect("the name is free")
    }

    pub(crate) fn note(&self, n: u32) {
        self.notes.lock().unwrap().push(n);
    }

    pub(crate) fn notes(&self) -> Vec<u32> {
        self.notes.lock().unwrap().clone()
    }
}

pub(crate) struct Scripted {
    desk: Desk,
    handled: u64,
}

pub(crate) fn scripted(desk: &Desk) -> Scripted {
    Scripted { desk: desk.clone(), handled: 0 }
}

impl Agent for Scripted {
    type Message = Do;
    type Error = &'static str;

    async fn handle(&mut self, message: Do, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        self.handled += 1;
        match message {
            Do::Note(_, n) | Do::About(_, n) => self.desk.note(n),
            Do::Hold(n) => {
                self.desk.gate.acquire().await.expect("the gate stays").forget();
                self.desk.note(n);
            }
            Do::Sleep(time) => tokio::time::sleep(time).await,
            Do::Panic(n) if u32::from(ctx.attempt()) <= n => panic!("as told"),
            Do::Panic(n) => self.desk.note(n),
            Do::Fail | Do::FailAgain(_) => return Err("as told"),
            Do::Count(reply) => reply.send(self.handled),
            Do::Ignore(reply) => drop(reply),
        }
        Ok(())
    }

    fn inspect(&self) -> serde_json::Value {
        serde_json::json!({ "handled": self.handled })
    }
}

/// Waits for something that happens on other threads; panics when it does not.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The machine for one test: those that measure time and those that take all of it keep out of each
/// other's way.
pub(crate) fn the_machine() -> std::sync::MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Does nothing, as fast as possible, and counts.
pub(crate) struct Counter(pub(crate) Arc<std::sync::atomic::AtomicU64>);

pub(crate) struct Tick;
impl Message for Tick {}

impl Agent for Counter {
    type Message = Tick;
    type Error = Infallible;

    async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}
