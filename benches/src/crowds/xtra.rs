//! A crowd of xtra actors, without priorities: nothing in a crowd is urgent.

use xtra::{Actor, Address, Context, Handler, Mailbox};

use crate::crowd::{After, Crowd, Member, Note};
use crate::systems::xtra::Xtra;
use crate::{Ask, CAPACITY, Fault};

impl Crowd for Xtra {
    type Ref = Address<Host>;
    type Here = ();

    async fn start((): &(), member: Member<Self>) -> Result<Self::Ref, Fault> {
        Ok(xtra::spawn_tokio(Host(member), Mailbox::bounded(CAPACITY)))
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.send(note).detach().await.map(drop).map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        to.send(ask).await.map_err(Fault::gone)
    }
}

/// A member as an xtra actor.
#[derive(Debug)]
pub struct Host(Member<Xtra>);

impl Actor for Host {
    type Stop = ();

    async fn stopped(self) {}
}

impl Handler<Note<Xtra>> for Host {
    type Return = ();

    async fn handle(&mut self, note: Note<Xtra>, context: &mut Context<Self>) {
        if self.0.handle(note, &()).await == After::End {
            context.stop_self();
        }
    }
}

impl Handler<Ask> for Host {
    type Return = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self>) -> u64 {
        self.0.answer(ask)
    }
}
