//! A crowd of kameo actors.

use std::convert::Infallible;

use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};

use crate::crowd::{After, Crowd, Member, Note};
use crate::systems::kameo::Kameo;
use crate::{Ask, CAPACITY, Fault};

impl Crowd for Kameo {
    type Ref = ActorRef<Host>;
    type Here = ();

    async fn start((): &(), member: Member<Self>) -> Result<Self::Ref, Fault> {
        Ok(Host::spawn_with_mailbox(member, mailbox::bounded(CAPACITY)))
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.tell(note).send().await.map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        to.ask(ask).send().await.map_err(Fault::gone)
    }
}

/// A member as a kameo actor.
#[derive(Debug)]
pub struct Host(Member<Kameo>);

impl kameo::Actor for Host {
    type Args = Member<Kameo>;
    type Error = Infallible;

    async fn on_start(member: Member<Kameo>, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self(member))
    }
}

impl Message<Note<Kameo>> for Host {
    type Reply = ();

    async fn handle(&mut self, note: Note<Kameo>, context: &mut Context<Self, ()>) {
        if self.0.handle(note, &()).await == After::End {
            context.stop();
        }
    }
}

impl Message<Ask> for Host {
    type Reply = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self, u64>) -> u64 {
        self.0.answer(ask)
    }
}
