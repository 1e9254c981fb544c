//! A crowd of Statim agents: on one arbiter, as agents that talk to each other should be, or on the shared arbiters in
//! turn, as agents that are placed without a thought are.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use statim::prelude::*;

use crate::crowd::{After, Crowd, Member, Note, Venue};
use crate::stage::await_outcome;
use crate::systems::statim::{Once, inside};
use crate::{Ask, CAPACITY, Fault};

/// Statim's agents.
#[derive(Debug)]
pub struct Agents;

/// Their threads: one arbiter for all, the driver too, or the shared arbiters in turn, one for each processor.
#[derive(Debug)]
pub struct Threads<const TOGETHER: bool>;

/// Where agents are started, and what the next one is called.
#[derive(Debug)]
pub struct Here {
    runtime: RuntimeHandle,
    placement: Placement,
    started: AtomicU64,
}

/// What an agent of the crowd receives.
#[derive(Debug)]
pub enum Post {
    /// No answer wanted.
    Note(Note<Agents>),
    /// An answer wanted.
    Ask(Ask, Reply<u64>),
}

impl Message for Post {}

impl Crowd for Agents {
    type Ref = AgentRef<Post>;
    type Here = Arc<Here>;

    async fn start(here: &Arc<Here>, member: Member<Self>) -> Result<Self::Ref, Fault> {
        let name = format!("member-{}", here.started.fetch_add(1, Ordering::Relaxed));
        let options = AgentOptions::default().capacity(CAPACITY).placement(here.placement.clone());
        let member = Once::new((member, Arc::clone(here)));
        let host = move || {
            let (member, here) = member.take();
            Host(member, here)
        };
        here.runtime.spawn(&name, options, host).map_err(Fault::start)
    }

    async fn tell(to: &Self::Ref, note: Note<Self>) -> Result<(), Fault> {
        to.tell(Post::Note(note)).await.map_err(Fault::gone)
    }

    async fn ask(to: &Self::Ref, ask: Ask) -> Result<u64, Fault> {
        to.ask(|reply| Post::Ask(ask, reply)).await.map_err(Fault::gone)
    }
}

/// A member as an agent.
struct Host(Member<Agents>, Arc<Here>);

impl Agent for Host {
    type Message = Post;
    type Error = Infallible;

    async fn handle(&mut self, post: Post, context: &mut Context<Self>) -> Result<(), Infallible> {
        match post {
            Post::Note(note) => {
                if self.0.handle(note, &self.1).await == After::End {
                    context.stop();
                }
            }
            Post::Ask(ask, reply) => reply.send(self.0.answer(ask)),
        }
        Ok(())
    }
}

impl<const TOGETHER: bool> Venue for Threads<TOGETHER> {
    type Crowd = Agents;

    fn name() -> String {
        if TOGETHER { "statim".to_owned() } else { "statim (shared arbiters)".to_owned() }
    }

    fn package() -> &'static str {
        "statim"
    }

    fn run<T, D, F>(driver: D) -> Result<T, Fault>
    where
        T: Send + 'static,
        D: FnOnce(Arc<Here>) -> F + Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        run(if TOGETHER { Placement::group("crowd") } else { Placement::Shared }, driver)
    }
}

fn run<T, D, F>(placement: Placement, driver: D) -> Result<T, Fault>
where
    T: Send + 'static,
    D: FnOnce(Arc<Here>) -> F + Send + 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
{
    await_outcome(move |report| {
        let runtime = match Runtime::builder().start() {
            Ok(runtime) => runtime,
            Err(error) => return drop(report.send(Err(Fault::start(error)))),
        };
        let handle = runtime.handle().clone();
        let here = Here { runtime: handle, placement: placement.clone(), started: AtomicU64::new(0) };
        let outcome = inside(&runtime, "driver", placement, async move { driver(Arc::new(here)).await });
        let outcome = outcome.and_then(|outcome| outcome.recv().unwrap_or(Err(Fault::Panicked)));
        // Before the crowd ends: how long that takes is no part of the patience with the driver.
        let _ = report.send(outcome);
        runtime.shutdown_blocking();
    })
}
