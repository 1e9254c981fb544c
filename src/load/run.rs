//! Runs a load test.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::conductor::{Conductor, FirstLook, Progress, Tell};
use super::engine::{self, Arrivals as Open, Mix, Schedule, Sender, Shared, Source, Timeline, Users};
use super::error::LoadError;
use super::measure::{Class, Recorders};
use super::measured::Measured;
use super::scenario::{Arrivals, Scenario};
use super::target::Target;
use crate::clock::{Clock, nanos};
use crate::sync::{Arc, Ordering};

/// Time for the threads to be there before the first message is due.
const LEAD: Duration = Duration::from_millis(20);

/// A load test: a scenario against a target.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use statim::Priority;
/// use statim::load::{Kind, Load, Outcome, Request, Scenario, Target};
///
/// struct Echo;
/// impl Target for Echo {
///     fn kinds(&self) -> Vec<Kind> {
///         vec![Kind::new("message", Priority::Normal)]
///     }
///     async fn send(&self, _: Request) -> Outcome {
///         Outcome::Done
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut scenario = Scenario::new("echo", 2_000.0, Duration::from_millis(200));
/// scenario.thresholds = vec!["error_rate < 1%".parse()?];
/// let measured = Load::new(scenario, Echo).run().await?;
/// assert_eq!(measured.result.results.errors.len(), 0);
/// assert!(measured.result.thresholds[0].passed);
/// # Ok(())
/// # }
/// ```
#[must_use = "a load test does nothing until it is run"]
pub struct Load<T> {
    scenario: Scenario,
    target: Arc<T>,
    workers: usize,
    tell: Option<Tell>,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    in_place: bool,
}

impl<T: Target> Load<T> {
    /// A load test that sends from one thread.
    pub fn new(scenario: Scenario, target: T) -> Self {
        Self { scenario, target: Arc::new(target), workers: 1, tell: None, cancel: None, in_place: false }
    }

    /// Sends from so many threads, 1 to 64. One makes a million messages a second and more, so more than one is for
    /// targets whose [`send`](Target::send) itself takes long. What is sent when does not depend on it in an open model.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.clamp(1, 64);
        self
    }

    /// Tells somebody once a second how far it is, on a thread of the load test. Should take no longer than some
    /// milliseconds.
    pub fn on_progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.tell = Some(Box::new(tell));
        self
    }

    /// Ends the test early when this resolves: nothing more is sent, what is under way has 2 s at most, and the result says
    /// that it was interrupted.
    pub fn cancel_on(mut self, cancel: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(cancel));
        self
    }

    /// Sends from the task that runs it, in Tokio's time: for tests whose hours pass in milliseconds. Tokio's clock has
    /// milliseconds, so messages are up to one late.
    pub fn in_place(mut self) -> Self {
        self.in_place = true;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// [`LoadError`]: the scenario makes no sense or does not fit the target, there is no Tokio runtime, a thread could not be
    /// started, or the target panicked. A target that fails messages is no error but a result.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, the test ends and its result is lost; messages under way may still end at the target. To
    /// end it and keep what was measured, use [`cancel_on`](Self::cancel_on).
    pub async fn run(mut self) -> Result<Measured, LoadError> {
        self.scenario.validate()?;
        let context = Handle::try_current().map_err(|_| LoadError::NoRuntime)?;
        let cancel: Pin<Box<dyn Future<Output = ()> + Send>> =
            self.cancel.take().unwrap_or_else(|| Box::pin(std::future::pending()));
        if self.in_place {
            let timeline = || Timeline::after(Clock::virtual_time(), 0);
            return Ok(Parts::new(self, timeline)?.run_in_place(cancel).await);
        }
        let timeline = || Timeline::after(Clock::real(), nanos(LEAD));
        Parts::new(self, timeline)?.run_on_threads(context, cancel).await
    }
}

impl<T> fmt::Debug for Load<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("scenario", &self.scenario.name).finish_non_exhaustive()
    }
}

/// What a run is made of, before it begins.
struct Parts<T> {
    target: Arc<T>,
    sources: Vec<Source>,
    bounds: Vec<u64>,
    shared: Arc<Shared>,
    conductor: Conductor<T>,
    stop: Stop,
}

/// Ends a run when it is dropped.
struct Stop {
    shared: Arc<Shared>,
    cancel: Arc<AtomicBool>,
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Release);
        self.shared.halt(self.shared.timeline.now());
        self.shared.finish();
    }
}

impl<T: Target> Parts<T> {
    fn new(load: Load<T>, timeline: impl FnOnce() -> Timeline) -> Result<Self, LoadError> {
        let Load { scenario, target, workers, tell, .. } = load;
        let kinds = target.kinds();
        let mix = Mix::new(&scenario.mix, &kinds).map_err(|kind| LoadError::UnknownKind {
            scenario: scenario.name.clone(),
            kind,
            known: kinds.iter().map(|kind| kind.name.as_ref()).collect::<Vec<_>>().join(", "),
        })?;
        let mix = Arc::new(mix);
        let workers = workers.min(scenario.in_flight);
        let schedule = Arc::new(Schedule::default());
        let classes = scenario.mix.iter().enumerate();
        let classes = classes.map(|(share, it)| Class::new(&it.kind, mix.priority(share))).collect();
        let look = FirstLook::at(&*target);
        let shared = Arc::new(Shared::new(
            timeline(),
            Arc::clone(&schedule),
            Recorders::new(mix.len()),
            workers,
            nanos(scenario.warm_up),
            nanos(scenario.timeout),
        ));
        let source = |number: usize| {
            let (schedule, mix, seed) = (Arc::clone(&schedule), Arc::clone(&mix), scenario.seed);
            let (us, all) = (number as u64, workers as u64);
            match scenario.arrivals {
                Arrivals::Constant => Source::Open(Box::new(Open::new(schedule, mix, seed, false, us, all))),
                Arrivals::Poisson => Source::Open(Box::new(Open::new(schedule, mix, seed, true, us, all))),
                Arrivals::Closed { think } => Source::Closed(Box::new(Users::new(
                    schedule,
                    mix,
                    seed,
                    nanos(think),
                    us as u32,
                    all as u32,
                ))),
            }
        };
        let sources = (0..workers).map(source).collect();
        // The bound of the whole, shared out to the last message.
        let each = |number| ((scenario.in_flight + workers - 1 - number) / workers) as u64;
        let bounds = (0..workers).map(each).collect();
        let cancel = Arc::new(AtomicBool::new(false));
        let stop = Stop { shared: Arc::clone(&shared), cancel: Arc::clone(&cancel) };
        let conductor = Conductor::new(
            (Arc::clone(&target), look),
            scenario,
            Arc::clone(&shared),
            classes,
            cancel,
            tell,
            workers,
        );
        Ok(Self { target, sources, bounds, shared, conductor, stop })
    }

    async fn run_in_place(self, cancel: impl Future<Output = ()> + Unpin) -> Measured {
        let Self { target, sources, bounds, shared, mut conductor, stop } = self;
        let (target, timeline) = (&*target, &shared.timeline);
        let senders = sources.into_iter().zip(bounds).enumerate().map(|(number, (source, bound))| {
            let (rouse, waker) = engine::in_place::waker();
            let calls = (|request, end| target.start(request, end), |request| target.send(request));
            let mut sender = Sender::new(calls, source, Arc::clone(&shared), number, bound, waker);
            async move {
                engine::in_place::drive(timeline, &rouse, &mut sender, Sender::turn, Sender::is_called).await;
            }
        });
        {
            let conduct = async {
                while let Some(next) = conductor.tick() {
                    tokio::time::sleep(Duration::from_nanos(next.saturating_sub(timeline.now()))).await;
                }
            };
            let run = std::pin::pin!(join(join_all(senders), conduct));
            if let Either::Right(((), run)) = select(run, cancel).await {
                stop.cancel.store(true, Ordering::Release);
                run.await;
            }
        }
        conductor.conclude()
    }

    async fn run_on_threads(
        self,
        context: Handle,
        cancel: impl Future<Output = ()> + Unpin,
    ) -> Result<Measured, LoadError> {
        let Self { target, sources, bounds, shared, conductor, stop } = self;
        let mut threads = Vec::with_capacity(sources.len());
        for (number, (source, bound)) in sources.into_iter().zip(bounds).enumerate() {
            let (target, shared, context) = (Arc::clone(&target), Arc::clone(&shared), context.clone());
            let send = move || {
                let _context = context.enter();
                // Whatever ends this thread early ends the run.
                let alarm = Alarm(Arc::clone(&shared));
                let target = &*target;
                let calls = (|request, end| target.start(request, end), |request| target.send(request));
                let waker = engine::threads::waker();
                let mut sender = Sender::new(calls, source, Arc::clone(&shared), number, bound, waker);
                engine::threads::drive(&shared.timeline, &mut sender, Sender::turn, Sender::is_called);
                std::mem::forget(alarm);
            };
            threads.push(thread("statim-load", send)?);
        }
        let (concluded, conclusion) = oneshot::channel();
        let _conductor = thread("statim-load-watch", move || {
            let _ = concluded.send(conduct(conductor, &context, threads));
        })?;
        let result = match select(conclusion, cancel).await {
            Either::Left((result, _)) => result,
            Either::Right(((), conclusion)) => {
                stop.cancel.store(true, Ordering::Release);
                conclusion.await
            }
        };
        result.unwrap_or(Err(LoadError::Panicked { place: "what watches the run" }))
    }
}

/// Conducts on the calling thread.
fn conduct<T: Target>(
    mut conductor: Conductor<T>,
    context: &Handle,
    threads: Vec<JoinHandle<()>>,
) -> Result<Measured, LoadError> {
    let _context = context.enter();
    while let Some(next) = conductor.tick() {
        conductor.sleep_until(next);
    }
    let mut all_well = true;
    for thread in threads {
        all_well &= thread.join().is_ok();
    }
    if all_well { Ok(conductor.conclude()) } else { Err(LoadError::Panicked { place: "the target" }) }
}

/// Ends the run when a sender's thread unwinds.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LoadError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(LoadError::Thread)
}
