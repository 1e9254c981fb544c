//! ractor: one message enum per actor, an unbounded mailbox, no waiting. Its priorities live in its factory, not in an
//! actor's mailbox; that is measured besides, as a system of its own.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::{Ask, Counter, Fault, Peer, Target, Work};

/// ractor's `cast` and `call`.
#[derive(Debug)]
pub struct Ractor;

impl Peer for Ractor {
    const NAME: &'static str = "ractor";
    const PACKAGE: &'static str = "ractor";
    type Target = ActorRef<Message>;

    async fn start(counter: Counter, _: usize) -> Result<Self::Target, Fault> {
        let (actor, _) = Actor::spawn(None, Subject, counter).await.map_err(Fault::start)?;
        Ok(actor)
    }
}

impl Target for ActorRef<Message> {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        self.cast(Message::Work(work)).map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        ractor::call!(self, |reply| Message::Ask(ask, reply)).map_err(Fault::gone)
    }
}

/// What the actor under test receives.
#[derive(Debug)]
pub enum Message {
    /// No answer wanted.
    Work(Work),
    /// An answer wanted, over this port.
    Ask(Ask, RpcReplyPort<u64>),
}

/// The actor under test; its state is the counter.
#[derive(Debug)]
struct Subject;

impl Actor for Subject {
    type Msg = Message;
    type State = Counter;
    type Arguments = Counter;

    async fn pre_start(&self, _: ActorRef<Message>, counter: Counter) -> Result<Counter, ActorProcessingErr> {
        Ok(counter)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        counter: &mut Counter,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Work(work) => counter.work(work),
            Message::Ask(ask, reply) => reply.send(counter.answer(ask))?,
        }
        Ok(())
    }
}
