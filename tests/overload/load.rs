//! A load on one agent, and what came of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statim::prelude::*;
use statim::resilience::AdmissionOptions;
use statim::testing::{TestRuntime, virtual_time};
use statim::{AgentSnapshot, DeadLetter};
use tokio::time::Instant;

/// Messages a second that the agent can handle.
pub(crate) const CAPACITY: u64 = 1000;

/// Mostly bulk. Ten times the load leaves Critical and High at half of what can be handled, and Normal beyond it.
pub(crate) const MIX: [f64; 4] = [0.01, 0.04, 0.15, 0.80];

/// A message that takes a millisecond.
pub(crate) struct Job {
    pub(crate) priority: Priority,
    pub(crate) sent_at: Instant,
}

impl Message for Job {
    fn priority(&self) -> Priority {
        self.priority
    }
}

/// A message handled: how urgent it was, when it was sent, and when it was done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) priority: Priority,
    pub(crate) sent_at: Instant,
    pub(crate) at: Instant,
}

struct Server {
    done: Arc<Mutex<Vec<Done>>>,
}

impl Agent for Server {
    type Message = Job;
    type Error = Infallible;

    async fn handle(&mut self, job: Job, _: &mut Context<Self>) -> Result<(), Infallible> {
        tokio::time::sleep(Duration::from_micros(1_000_000 / CAPACITY)).await;
        let Job { priority, sent_at } = job;
        self.done.lock().unwrap().push(Done { priority, sent_at, at: Instant::now() });
        Ok(())
    }
}

/// Some time of a load, as a multiple of what can be handled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) seconds: u64,
    pub(crate) load: u64,
}

/// How a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    Full,
    Overloaded,
    ByTheLink,
}

/// What came of a load, once everything admitted was handled.
pub(crate) struct Run {
    pub(crate) began: Instant,
    pub(crate) seconds: u64,
    pub(crate) sent: [u64; 4],
    pub(crate) refused: BTreeMap<(Refusal, Priority), u64>,
    /// When the first message of each priority was refused, since the beginning.
    pub(crate) first_refused: BTreeMap<Priority, Duration>,
    pub(crate) done: Vec<Done>,
    pub(crate) agent: AgentSnapshot,
    pub(crate) links: Vec<statim::link::LinkSnapshot>,
    pub(crate) dead_letters: Vec<DeadLetter>,
}

impl Run {
    pub(crate) fn refused(&self, refusal: Refusal) -> u64 {
        self.refused.iter().filter(|((it, _), _)| *it == refusal).map(|(_, count)| count).sum()
    }

    pub(crate) fn refused_of(&self, priority: Priority) -> u64 {
        self.refused.iter().filter(|((_, it), _)| *it == priority).map(|(_, count)| count).sum()
    }

    /// Messages handled in each second of the load.
    pub(crate) fn goodput(&self) -> Vec<u64> {
        let mut seconds = vec![0; self.seconds as usize];
        for done in &self.done {
            if let Some(second) = seconds.get_mut((done.at - self.began).as_secs() as usize) {
                *second += 1;
            }
        }
        seconds
    }

    /// The longest from the send to the end of handling, of messages sent from this second on.
    pub(crate) fn longest(&self, priority: Priority, from: u64) -> Duration {
        let took = self
            .done
            .iter()
            .filter(|it| it.priority == priority && (it.sent_at - self.began).as_secs() >= from)
            .map(|it| it.at - it.sent_at);
        took.max().expect("some were handled")
    }
}

/// How messages reach the agent.
pub(crate) type Send = Box<dyn Fn(Job) -> Result<(), Refusal>>;

pub(crate) fn directly(agent: &AgentRef<Job>) -> Send {
    let agent = agent.clone();
    Box::new(move |job| match agent.try_tell(job) {
        Ok(()) => Ok(()),
        Err(TryTellError::Full(_)) => Err(Refusal::Full),
        Err(TryTellError::Overloaded(_)) => Err(Refusal::Overloaded),
        Err(TryTellError::Closed(_)) => panic!("the agent lives"),
    })
}

/// The options of an agent with admission control.
pub(crate) fn admitting() -> AgentOptions {
    AgentOptions::default().overflow(Overflow::Reject).admission(AdmissionOptions::default())
}

/// Runs the stages one after the other against an agent of these options.
pub(crate) fn run(stages: &[Stage], mix: [f64; 4], options: AgentOptions) -> Run {
    run_over(stages, mix, options, directly)
}

/// The same, with messages reaching the agent as `send` has it.
pub(crate) fn run_over(
    stages: &[Stage],
    mix: [f64; 4],
    options: AgentOptions,
    send: fn(&AgentRef<Job>) -> Send,
) -> Run {
    virtual_time(async |runtime| {
        let done: Arc<Mutex<Vec<Done>>> = Arc::default();
        let its = Arc::clone(&done);
        let agent = runtime.spawn("server", options, move || Server { done: Arc::clone(&its) }).unwrap();
        runtime.settle().await;
        let mut run = offer(runtime, stages, mix, send(&agent)).await;
        while agent.depth() > 0 {
            runtime.advance(Duration::from_millis(100)).await;
        }
        runtime.advance(Duration::from_secs(1)).await;
        let snapshot = runtime.snapshot();
        run.agent = snapshot.agent("server").unwrap().clone();
        run.links = snapshot.links;
        run.dead_letters = runtime.dead_letters();
        run.done = std::mem::take(&mut *done.lock().unwrap());
        agent.stop().unwrap();
        run
    })
}

/// So many messages each millisecond, of random priorities; the same seed is the same run.
async fn offer(runtime: &TestRuntime, stages: &[Stage], mix: [f64; 4], send: Send) -> Run {
    let mut chance = StdRng::seed_from_u64(42);
    let began = Instant::now();
    let mut run = Run {
        began,
        seconds: stages.iter().map(|stage| stage.seconds).sum(),
        sent: [0; 4],
        refused: BTreeMap::new(),
        first_refused: BTreeMap::new(),
        done: Vec::new(),
        agent: runtime.snapshot().agents[0].clone(),
        links: Vec::new(),
        dead_letters: Vec::new(),
    };
    let mut tick = began;
    for stage in stages {
        for _ in 0..stage.seconds * 1000 {
            for _ in 0..stage.load * CAPACITY / 1000 {
                let at = chance.random_range(0.0..1.0);
                let lane = (0..3).find(|&lane| at < mix[..=lane].iter().sum()).unwrap_or(3);
                let (priority, sent_at) = (Priority::ALL[lane], Instant::now());
                run.sent[lane] += 1;
                if let Err(refusal) = send(Job { priority, sent_at }) {
                    *run.refused.entry((refusal, priority)).or_default() += 1;
                    run.first_refused.entry(priority).or_insert(sent_at - began);
                }
            }
            tick += Duration::from_millis(1);
            tokio::time::sleep_until(tick).await;
        }
    }
    run
}
