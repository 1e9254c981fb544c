//! actix, as it comes: three ways of sending, of which only one keeps the mailbox's bound.
//!
//! `do_send` ignores the bound, so its figure is that of an unbounded queue. `try_send` refuses when the mailbox is
//! full, and the sender yields and tries again. `send` waits for the answer, so it is measured as an ask alone.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Message};
use actix_rt::{Arbiter, System as Actix};
use tokio::sync::oneshot;

use crate::stage::{await_outcome, longest};
use crate::{Ask, Counter, Fault, Placement, Stage, System, Target, Verb, Work};

/// actix with one of its ways of sending.
#[derive(Debug)]
pub struct OnArbiters<W>(PhantomData<W>);

/// One way of sending.
pub trait Way: fmt::Debug + Send + Sync + 'static {
    /// Its name in actix.
    const NAME: &'static str;
    /// What it can do.
    const VERB: Verb;

    /// Sends a message that wants no answer.
    fn tell(addr: &Addr<Subject>, work: Work) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Fire and forget, past the bound.
#[derive(Debug)]
pub struct DoSend;

/// Refused when full, tried again.
#[derive(Debug)]
pub struct TrySend;

/// Sent and answered.
#[derive(Debug)]
pub struct Request;

impl Way for DoSend {
    const NAME: &'static str = "do_send";
    const VERB: Verb = Verb::Tell;

    async fn tell(addr: &Addr<Subject>, work: Work) -> Result<(), Fault> {
        addr.do_send(work);
        Ok(())
    }
}

impl Way for TrySend {
    const NAME: &'static str = "try_send";
    const VERB: Verb = Verb::Tell;

    async fn tell(addr: &Addr<Subject>, mut work: Work) -> Result<(), Fault> {
        loop {
            match addr.try_send(work) {
                Ok(()) => return Ok(()),
                Err(actix::prelude::SendError::Full(refused)) => {
                    work = refused;
                    tokio::task::yield_now().await;
                }
                Err(closed) => return Err(Fault::gone(closed)),
            }
        }
    }
}

impl Way for Request {
    const NAME: &'static str = "send";
    const VERB: Verb = Verb::Ask;

    async fn tell(addr: &Addr<Subject>, work: Work) -> Result<(), Fault> {
        addr.send(work).await.map_err(Fault::gone)
    }
}

impl<W: Way> System for OnArbiters<W> {
    type Target = Address<W>;

    fn name() -> String {
        format!("actix ({})", W::NAME)
    }

    fn package() -> &'static str {
        "actix"
    }

    fn offers(verb: Verb, _: Placement) -> bool {
        verb == W::VERB
    }

    fn run<D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        await_outcome(move |report| {
            let outcome = Actix::new().block_on(async move {
                let back = Arbiter::new();
                let (started, target) = oneshot::channel();
                back.spawn_fn(move || {
                    let _ = started.send(start(counter, stage.capacity));
                });
                let target = target.await.map_err(Fault::start)?;
                let (mut fronts, mut running) = (Vec::new(), Vec::new());
                for driver in drivers {
                    let (finished, outcome) = oneshot::channel();
                    let target = Address(target.clone(), PhantomData);
                    let driven = async move {
                        let _ = finished.send(driver(target).await);
                    };
                    match stage.placement {
                        Placement::SameThread => back.spawn(driven),
                        Placement::AcrossThreads => {
                            let front = Arbiter::new();
                            let spawned = front.spawn(driven);
                            fronts.push(front);
                            spawned
                        }
                    };
                    running.push(outcome);
                }
                let mut outcomes = Vec::new();
                for outcome in running {
                    outcomes.push(outcome.await.unwrap_or(Err(Fault::Panicked)));
                }
                for arbiter in fronts.into_iter().chain([back]) {
                    arbiter.stop();
                    let _ = arbiter.join();
                }
                longest(outcomes)
            });
            let _ = report.send(outcome);
        })
    }
}

/// The actor's address, with the way it is used.
#[derive(Debug)]
pub struct Address<W>(Addr<Subject>, PhantomData<W>);

impl<W: Way> Target for Address<W> {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        W::tell(&self.0, work).await
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        self.0.send(ask).await.map_err(Fault::gone)
    }
}

/// The actor under test.
#[derive(Debug)]
pub struct Subject(Counter);

fn start(counter: Counter, capacity: usize) -> Addr<Subject> {
    Subject::create(|context| {
        context.set_mailbox_capacity(capacity);
        Subject(counter)
    })
}

impl Actor for Subject {
    type Context = Context<Self>;
}

impl Message for Work {
    type Result = ();
}

impl Message for Ask {
    type Result = u64;
}

impl Handler<Work> for Subject {
    type Result = ();

    fn handle(&mut self, work: Work, _: &mut Self::Context) {
        self.0.work(work);
    }
}

impl Handler<Ask> for Subject {
    type Result = u64;

    fn handle(&mut self, ask: Ask, _: &mut Self::Context) -> u64 {
        self.0.answer(ask)
    }
}
