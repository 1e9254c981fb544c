//! xtra: boxed messages through a bounded mailbox, plain and with its priorities. It is the one peer whose mailbox
//! knows priorities; within one priority it does not keep order.

use xtra::{Actor, Address, Context, Handler, Mailbox};

use crate::{Ask, Counter, Fault, Level, Peer, Target, Work};

/// xtra's `send`, detached for a tell; every message alike.
#[derive(Debug)]
pub struct Xtra;

/// The same with each message's level as its priority.
#[derive(Debug)]
pub struct XtraPriorities;

impl Peer for Xtra {
    const NAME: &'static str = "xtra";
    const PACKAGE: &'static str = "xtra";
    type Target = Plain;

    async fn start(counter: Counter, capacity: usize) -> Result<Plain, Fault> {
        Ok(Plain(spawn(counter, capacity)))
    }
}

impl Peer for XtraPriorities {
    const NAME: &'static str = "xtra (priorities)";
    const PACKAGE: &'static str = "xtra";
    type Target = Prioritised;

    async fn start(counter: Counter, capacity: usize) -> Result<Prioritised, Fault> {
        Ok(Prioritised(spawn(counter, capacity)))
    }
}

/// An address used without priorities.
#[derive(Debug, Clone)]
pub struct Plain(Address<Subject>);

/// An address used with priorities.
#[derive(Debug, Clone)]
pub struct Prioritised(Address<Subject>);

impl Target for Plain {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        // The receiver it gives would resolve when this message is handled; the counter's end covers all.
        let receiver = self.0.send(work).detach().await;
        receiver.map(drop).map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        self.0.send(ask).await.map_err(Fault::gone)
    }
}

impl Target for Prioritised {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        let sending = self.0.send(work).priority(rank(work.level)).detach();
        sending.await.map(drop).map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        self.0.send(ask).priority(rank(Level::High)).await.map_err(Fault::gone)
    }
}

/// The actor under test.
#[derive(Debug)]
pub struct Subject(Counter);

impl Actor for Subject {
    type Stop = ();

    async fn stopped(self) {}
}

impl Handler<Work> for Subject {
    type Return = ();

    async fn handle(&mut self, work: Work, _: &mut Context<Self>) {
        self.0.work(work);
    }
}

impl Handler<Ask> for Subject {
    type Return = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self>) -> u64 {
        self.0.answer(ask)
    }
}

fn spawn(counter: Counter, capacity: usize) -> Address<Subject> {
    xtra::spawn_tokio(Subject(counter), Mailbox::bounded(capacity))
}

/// Higher goes first.
fn rank(level: Level) -> u32 {
    match level {
        Level::Critical => 3,
        Level::High => 2,
        Level::Normal => 1,
        Level::Low => 0,
    }
}
