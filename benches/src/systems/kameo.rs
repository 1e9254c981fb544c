//! kameo: one handler per message type, boxed messages, a bounded mailbox that senders wait for.

use std::convert::Infallible;

use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};

use crate::{Ask, Counter, Fault, Peer, Target, Work};

/// kameo's `tell` and `ask`.
#[derive(Debug)]
pub struct Kameo;

impl Peer for Kameo {
    const NAME: &'static str = "kameo";
    const PACKAGE: &'static str = "kameo";
    type Target = ActorRef<Subject>;

    async fn start(counter: Counter, capacity: usize) -> Result<Self::Target, Fault> {
        let actor = Subject::spawn_with_mailbox(counter, mailbox::bounded(capacity));
        actor.wait_for_startup().await;
        Ok(actor)
    }
}

impl Target for ActorRef<Subject> {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        ActorRef::tell(self, work).send().await.map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        ActorRef::ask(self, ask).send().await.map_err(Fault::gone)
    }
}

/// The actor under test.
#[derive(Debug)]
pub struct Subject(Counter);

impl kameo::Actor for Subject {
    type Args = Counter;
    type Error = Infallible;

    async fn on_start(counter: Counter, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self(counter))
    }
}

impl Message<Work> for Subject {
    type Reply = ();

    async fn handle(&mut self, work: Work, _: &mut Context<Self, ()>) {
        self.0.work(work);
    }
}

impl Message<Ask> for Subject {
    type Reply = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self, u64>) -> u64 {
        self.0.answer(ask)
    }
}
