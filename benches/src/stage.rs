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

use crate::{Counter, Fault, Placement, Stage, System, Target, Verb};

/// How long a run may go without confirming its work before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// An actor system whose actors are tasks of whichever Tokio runtime starts them.
pub trait Peer: 'static {
    /// The name as printed.
    const NAME: &'static str;
    /// The crate it comes from.
    const PACKAGE: &'static str;
    /// What it is measured at.
    const VERBS: &'static [Verb] = &[Verb::Tell, Verb::Ask];
    /// The address of its actor.
    type Target: Target + Clone;

    /// Starts the actor under test on the current runtime, with a mailbox of `capacity` messages where it can be
    /// bounded.
    fn start(counter: Counter, capacity: usize) -> impl Future<Output = Result<Self::Target, Fault>> + Send;
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

    fn run<D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        match stage.placement {
            Placement::SameThread => together::<P, D, F>(single_threaded()?, stage, counter, drivers),
            Placement::AcrossThreads => across::<P, D, F>(stage, counter, drivers),
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

    fn run<D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        together::<P, D, F>(two_workers()?, stage, counter, drivers)
    }
}

/// A runtime whose only thread is the one that blocks on it.
pub(crate) fn single_threaded() -> Result<Runtime, Fault> {
    Builder::new_current_thread().enable_all().build().map_err(Fault::start)
}

/// Tokio's ordinary runtime, as wide as the smallest machine the figures are for.
pub(crate) fn two_workers() -> Result<Runtime, Fault> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Fault::start)
}

/// Runs `body` on a thread of its own and waits, with patience, for the one outcome it reports.
///
/// A run that stalls leaves its threads behind; the fault it gives ends the benchmark, and the process with it.
pub(crate) fn await_outcome<T, B>(body: B) -> Result<T, Fault>
where
    T: Send + 'static,
    B: FnOnce(mpsc::Sender<Result<T, Fault>>) + Send + 'static,
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

/// The actor and all drivers on one runtime.
fn together<P, D, F>(
    runtime: Runtime,
    stage: Stage,
    counter: Counter,
    drivers: Vec<D>,
) -> Result<Duration, Fault>
where
    P: Peer,
    D: FnOnce(P::Target) -> F + Send + 'static,
    F: Future<Output = Result<Duration, Fault>> + Send + 'static,
{
    await_outcome(move |report| {
        drive(
            &runtime,
            async move {
                let target = P::start(counter, stage.capacity).await?;
                let running = drivers.into_iter().map(|driver| tokio::spawn(driver(target.clone())));
                let outcomes = futures_util::future::join_all(running.collect::<Vec<_>>()).await;
                longest(outcomes.into_iter().map(flatten))
            },
            report,
        );
    })
}

/// The actor on one thread, each driver on another.
fn across<P, D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
where
    P: Peer,
    D: FnOnce(P::Target) -> F + Send + 'static,
    F: Future<Output = Result<Duration, Fault>> + Send + 'static,
{
    let back = single_threaded()?;
    let fronts = drivers.into_iter().map(|driver| Ok((single_threaded()?, driver)));
    let fronts = fronts.collect::<Result<Vec<_>, Fault>>()?;
    await_outcome(move |report| {
        let (started, target) = mpsc::channel();
        let (finished, release) = oneshot::channel::<()>();
        let back = thread::spawn(move || {
            back.block_on(async move {
                let target = flatten(tokio::spawn(P::start(counter, stage.capacity)).await);
                // Neither end can be gone but by a failure the drivers report.
                let _ = started.send(target);
                let _ = release.await;
            });
        });
        let outcome = target.recv().map_err(Fault::gone).flatten().and_then(|target| {
            let running = fronts.into_iter().map(|(front, driver)| {
                let target = target.clone();
                thread::spawn(move || flatten(front.block_on(front.spawn(driver(target)))))
            });
            let running: Vec<_> = running.collect();
            longest(running.into_iter().map(|front| front.join().unwrap_or(Err(Fault::Panicked))))
        });
        let _ = report.send(outcome);
        drop(finished);
        let _ = back.join();
    })
}

/// The longest of several drivers' times, or the first fault.
pub(crate) fn longest(
    outcomes: impl IntoIterator<Item = Result<Duration, Fault>>,
) -> Result<Duration, Fault> {
    outcomes.into_iter().try_fold(Duration::ZERO, |longest, outcome| Ok(longest.max(outcome?)))
}

/// Runs the driver as an ordinary task: a runtime's root task is woken by another, slower path.
pub(crate) fn drive<T, F>(runtime: &Runtime, driver: F, report: mpsc::Sender<Result<T, Fault>>)
where
    T: Send + 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
{
    let outcome = flatten(runtime.block_on(runtime.spawn(driver)));
    let _ = report.send(outcome);
}

fn flatten<T>(joined: Result<Result<T, Fault>, tokio::task::JoinError>) -> Result<T, Fault> {
    joined.unwrap_or(Err(Fault::Panicked))
}
