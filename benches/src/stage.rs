//! The threads that Tokio-based systems run on, in the two arrangements their users choose between.
//!
//! [`Pinned`] gives each side a single-threaded runtime of its own, as an actix arbiter is: the arrangement in which
//! all systems do the same work. [`WorkStealing`] is Tokio's ordinary two-worker runtime, which may bring the two sides
//! together on one worker: what a user of such a system gets without asking for anything.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::{Counter, Fault, Placement, System, Target, Verb};

/// How long a run may go without confirming its work before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// An actor system whose actors are tasks of whichever Tokio runtime starts them.
pub trait Peer: 'static {
    /// The name as printed.
    const NAME: &'static str;
    /// The crate it comes from.
    const PACKAGE: &'static str;
    /// What it is measured at.
    const VERBS: &'static [Verb] = &[Verb::Tell, Verb::Ask];
    /// The address of its actor.
    type Target: Target;

    /// Starts the actor under test on the current runtime, with a mailbox of [`CAPACITY`](crate::CAPACITY) where it
    /// can be bounded.
    fn start(counter: Counter) -> impl Future<Output = Result<Self::Target, Fault>> + Send;
}

/// A peer with each side on a single-threaded runtime.
#[derive(Debug)]
pub struct Pinned<P>(PhantomData<P>);

/// A peer on one runtime of two workers, free to move tasks between them.
#[derive(Debug)]
pub struct WorkStealing<P>(PhantomData<P>);

impl<P: Peer> System for Pinned<P> {
    type Target = P::Target;

    fn name() -> String {
        P::NAME.to_owned()
    }

    fn package() -> &'static str {
        P::PACKAGE
    }

    fn offers(verb: Verb, _: Placement) -> bool {
        P::VERBS.contains(&verb)
    }

    fn run<D, F>(placement: Placement, counter: Counter, driver: D) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        match placement {
            Placement::SameThread => {
                let runtime = Builder::new_current_thread().enable_all().build().map_err(Fault::start)?;
                await_outcome(move |report| {
                    drive(&runtime, async move { driver(P::start(counter).await?).await }, report);
                })
            }
            Placement::AcrossThreads => across::<P, D, F>(counter, driver),
        }
    }
}

impl<P: Peer> System for WorkStealing<P> {
    type Target = P::Target;

    fn name() -> String {
        format!("{} (work-stealing)", P::NAME)
    }

    fn package() -> &'static str {
        P::PACKAGE
    }

    fn offers(verb: Verb, placement: Placement) -> bool {
        placement == Placement::AcrossThreads && P::VERBS.contains(&verb)
    }

    fn run<D, F>(_: Placement, counter: Counter, driver: D) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        let runtime =
            Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Fault::start)?;
        await_outcome(move |report| {
            drive(&runtime, async move { driver(P::start(counter).await?).await }, report);
        })
    }
}

/// Runs `body` on a thread of its own and waits, with patience, for the one outcome it reports.
///
/// A run that stalls leaves its threads behind; the fault it gives ends the benchmark, and the process with it.
pub(crate) fn await_outcome<B>(body: B) -> Result<Duration, Fault>
where
    B: FnOnce(mpsc::Sender<Result<Duration, Fault>>) + Send + 'static,
{
    let (report, outcome) = mpsc::channel();
    let thread = thread::Builder::new().name("bench-front".to_owned()).spawn(move || body(report));
    let thread = thread.map_err(Fault::start)?;
    let result = outcome.recv_timeout(PATIENCE).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => Fault::Stalled(PATIENCE),
        mpsc::RecvTimeoutError::Disconnected => Fault::Panicked,
    })??;
    // Joined so that one run's teardown does not reach into the next one's time.
    thread.join().map_err(|_| Fault::Panicked)?;
    Ok(result)
}

/// The actor on one thread, the driver on another.
fn across<P, D, F>(counter: Counter, driver: D) -> Result<Duration, Fault>
where
    P: Peer,
    D: FnOnce(P::Target) -> F + Send + 'static,
    F: Future<Output = Result<Duration, Fault>> + Send + 'static,
{
    let back = Builder::new_current_thread().enable_all().build().map_err(Fault::start)?;
    let front = Builder::new_current_thread().enable_all().build().map_err(Fault::start)?;
    await_outcome(move |report| {
        let (started, target) = oneshot::channel();
        let (finished, release) = oneshot::channel::<()>();
        let back = thread::spawn(move || {
            back.block_on(async move {
                let target = flatten(tokio::spawn(P::start(counter)).await);
                // Neither end can be gone but by a failure the driver reports.
                let _ = started.send(target);
                let _ = release.await;
            });
        });
        drive(&front, async move { driver(target.await.map_err(Fault::gone)??).await }, report);
        drop(finished);
        let _ = back.join();
    })
}

/// Runs the driver as an ordinary task: a runtime's root task is woken by another, slower path.
fn drive<F>(runtime: &Runtime, driver: F, report: mpsc::Sender<Result<Duration, Fault>>)
where
    F: Future<Output = Result<Duration, Fault>> + Send + 'static,
{
    let outcome = flatten(runtime.block_on(runtime.spawn(driver)));
    let _ = report.send(outcome);
}

fn flatten<T>(joined: Result<Result<T, Fault>, tokio::task::JoinError>) -> Result<T, Fault> {
    joined.unwrap_or(Err(Fault::Panicked))
}
