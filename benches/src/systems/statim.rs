//! Statim as its users get it: default options, latencies recorded, the driver an agent like any other.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use statim::RuntimeBuilder;
use statim::prelude::*;

use crate::stage::{await_outcome, longest};
use crate::{Counter, Fault, Level, Stage, System, Target, Verb, Work};

/// Statim's `tell` and `ask`, recording latencies as it does by default, or not, to see what recording costs.
#[derive(Debug)]
pub struct Statim<const LATENCIES: bool = true>;

impl<const LATENCIES: bool> System for Statim<LATENCIES> {
    type Target = AgentRef<Job>;

    fn name() -> String {
        if LATENCIES { "statim".to_owned() } else { "statim (latencies off)".to_owned() }
    }

    fn package() -> &'static str {
        "statim"
    }

    fn offers(_: Verb, _: crate::Placement) -> bool {
        true
    }

    fn run<D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static,
    {
        await_outcome(move |report| {
            let _ = report.send(drive(Runtime::builder().latencies(LATENCIES), stage, counter, drivers));
        })
    }
}

fn drive<D, F>(
    builder: RuntimeBuilder,
    stage: Stage,
    counter: Counter,
    drivers: Vec<D>,
) -> Result<Duration, Fault>
where
    D: FnOnce(AgentRef<Job>) -> F + Send + 'static,
    F: Future<Output = Result<Duration, Fault>> + Send + 'static,
{
    let runtime = builder.start().map_err(Fault::start)?;
    let options = AgentOptions::default().capacity(stage.capacity).placement(Placement::group("back"));
    let counter = Once::new(counter);
    let subject = runtime.spawn("subject", options, move || Subject(counter.take())).map_err(Fault::start)?;
    let running = drivers.into_iter().enumerate().map(|(number, driver)| {
        let placement = match stage.placement {
            crate::Placement::SameThread => Placement::group("back"),
            crate::Placement::AcrossThreads => Placement::group(format!("front-{number}")),
        };
        inside(&runtime, &format!("driver-{number}"), placement, driver(subject.clone()))
    });
    let running = running.collect::<Result<Vec<_>, Fault>>()?;
    let outcome = longest(running.into_iter().map(|outcome| outcome.recv().unwrap_or(Err(Fault::Panicked))));
    runtime.shutdown_blocking();
    outcome
}

/// Runs a future inside an agent's handler, where agents send from; its outcome comes over the channel.
pub(crate) fn inside<T: Send + 'static>(
    runtime: &RuntimeHandle,
    name: &str,
    placement: Placement,
    task: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<mpsc::Receiver<Result<T, Fault>>, Fault> {
    let (report, outcome) = mpsc::channel();
    let task: Task = Box::pin(async move {
        // The other end waits for as long as this agent lives.
        let _ = report.send(task.await);
    });
    let task = Once::new(task);
    let options = AgentOptions::default().placement(placement);
    let driver = runtime.spawn(name, options, move || Driver(Some(task.take()))).map_err(Fault::start)?;
    driver.tell_blocking(Go).map_err(Fault::gone)?;
    Ok(outcome)
}

impl Target for AgentRef<Job> {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        AgentRef::tell(self, Job::Work(work)).await.map_err(Fault::gone)
    }

    async fn ask(&self, ask: crate::Ask) -> Result<u64, Fault> {
        AgentRef::ask(self, |reply| Job::Ask(ask, reply)).await.map_err(Fault::gone)
    }
}

/// What the agent under test receives.
#[derive(Debug)]
pub enum Job {
    /// No answer wanted.
    Work(Work),
    /// An answer wanted.
    Ask(crate::Ask, Reply<u64>),
}

impl Message for Job {
    fn priority(&self) -> Priority {
        match self {
            Self::Work(work) => match work.level {
                Level::Critical => Priority::Critical,
                Level::High => Priority::High,
                Level::Normal => Priority::Normal,
                Level::Low => Priority::Low,
            },
            Self::Ask(..) => Priority::High,
        }
    }
}

/// The agent under test.
pub(crate) struct Subject(pub(crate) Counter);

impl Agent for Subject {
    type Message = Job;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, job: Job, _: &mut Context<Self>) -> Result<(), Self::Error> {
        match job {
            Job::Work(work) => self.0.work(work),
            Job::Ask(ask, reply) => reply.send(self.0.answer(ask)),
        }
        Ok(())
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs the driver inside one handler, where agents send from.
struct Driver(Option<Task>);

struct Go;

impl Message for Go {}

impl Agent for Driver {
    type Message = Go;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, _: Go, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if let Some(task) = self.0.take() {
            task.await;
        }
        Ok(())
    }
}

/// What a factory, which may run again after a failure, can give only the first time.
pub(crate) struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    pub(crate) fn take(&self) -> T {
        let value = self.0.lock().ok().and_then(|mut slot| slot.take());
        value.expect("an agent of a benchmark does not fail, so it starts once")
    }
}
