//! An agent whose handler does what the message says.

use std::sync::Arc;
use std::time::Duration;

use statim::prelude::*;
use statim::resilience::{Backoff, BreakerOptions, Window};
use tokio::sync::Semaphore;

/// What the scripted agent is told. Not `Clone`: what is sent again is the message that came back.
#[derive(Debug, PartialEq)]
pub(crate) enum Work {
    /// Succeed.
    Do(u32),
    /// Succeed; Critical.
    Now(u32),
    /// Succeed; about this key.
    About(&'static str),
    /// Fail.
    Fail,
    /// Wait until the gate has a permit.
    Hold,
    /// Take this long, then answer.
    Answer(Duration, Asked),
    /// End without an answer.
    Ignore(Asked),
}

#[derive(Debug)]
pub(crate) struct Asked(pub(crate) Reply<u32>);

impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Message for Work {
    fn priority(&self) -> Priority {
        match self {
            Work::Now(_) => Priority::Critical,
            _ => Priority::Normal,
        }
    }

    fn key(&self) -> Option<Key> {
        match self {
            Work::About(key) => Some(Key::of(key)),
            _ => None,
        }
    }
}

pub(crate) struct Worker {
    gate: Arc<Semaphore>,
    handled: u32,
}

impl Agent for Worker {
    type Message = Work;
    type Error = &'static str;

    async fn handle(&mut self, message: Work, _: &mut Context<Self>) -> Result<(), &'static str> {
        self.handled += 1;
        match message {
            Work::Do(_) | Work::Now(_) | Work::About(_) => {}
            Work::Fail => return Err("as told"),
            Work::Hold => self.gate.acquire().await.expect("the gate stays").forget(),
            Work::Answer(time, Asked(reply)) => {
                tokio::time::sleep(time).await;
                reply.send(self.handled);
            }
            Work::Ignore(asked) => drop(asked),
        }
        Ok(())
    }
}

/// Spawns a worker, and returns the gate that `Hold` waits at.
pub(crate) fn worker(runtime: &RuntimeHandle, options: AgentOptions) -> (AgentRef<Work>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let its = Arc::clone(&gate);
    let agent = runtime
        .spawn("worker", options, move || Worker { gate: Arc::clone(&its), handled: 0 })
        .expect("the name is free");
    (agent, gate)
}

/// Trips after two failures in a row, opens for 10 s, and then wants one probe.
pub(crate) fn trips_after_two() -> BreakerOptions {
    BreakerOptions {
        window: Window::Calls(2),
        minimum_calls: None,
        open: Backoff::constant(Duration::from_secs(10)),
        ..BreakerOptions::consecutive_failures(2)
    }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits for something that happens on other threads; panics when it does not.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it did not happen within 30 s");
        std::thread::sleep(ms(1));
    }
}
