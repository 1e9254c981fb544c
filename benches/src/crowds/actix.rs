//! A crowd of actix actors on one arbiter, where an actor starts others. Its messages go by `try_send`, which keeps the
//! mailbox's bound; no mailbox is ever full here, so nothing is sent twice.

use std::future::Future;

use actix::{Actor, ActorContext, Addr, Context, Handler, Message};
use actix_rt::{Arbiter, System as Actix};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::crowd::{After, Crowd, Member, Note, Venue};
use crate::stage::await_outcome;
use crate::{Ask, CAPACITY, Fault};

/// actix on one arbiter.
#[derive(Debug)]
pub struct OneArbiter;

impl Crowd for OneArbiter {
    type Ref = Addr<Host>;
    type Here = ();

    async fn start((): &(), member: Member<Self>) -> Result<Self::Ref, Fault> {
        Ok(Host::create(|context| {
            context.set_mailbox_capacity(CAPACITY);
            Host(member)
        }))
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.try_send(note).map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        to.send(ask).await.map_err(Fault::gone)
    }
}

impl Venue for OneArbiter {
    type Crowd = Self;

    fn name() -> String {
        "actix".to_owned()
    }

    fn package() -> &'static str {
        "actix"
    }

    fn run<T, D, F>(driver: D) -> Result<T, Fault>
    where
        T: Send + 'static,
        D: FnOnce(()) -> F + Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        await_outcome(move |report| {
            let outcome = Actix::new().block_on(async move {
                let arbiter = Arbiter::new();
                let (finished, outcome) = oneshot::channel();
                arbiter.spawn(async move {
                    let _ = finished.send(driver(()).await);
                });
                let outcome = outcome.await.unwrap_or(Err(Fault::Panicked));
                arbiter.stop();
                let _ = arbiter.join();
                outcome
            });
            let _ = report.send(outcome);
        })
    }
}

/// A member as an actix actor.
#[derive(Debug)]
pub struct Host(Member<OneArbiter>);

impl Actor for Host {
    type Context = Context<Self>;
}

impl Message for Note<OneArbiter> {
    type Result = ();
}

impl Handler<Note<OneArbiter>> for Host {
    type Result = ();

    fn handle(&mut self, note: Note<OneArbiter>, context: &mut Self::Context) {
        // Starting and sending never wait here, so the future is done when it has been looked at once.
        if self.0.handle(note, &()).now_or_never() == Some(After::End) {
            context.stop();
        }
    }
}

impl Handler<Ask> for Host {
    type Result = u64;

    fn handle(&mut self, ask: Ask, _: &mut Self::Context) -> u64 {
        self.0.answer(ask)
    }
}
