//! Agents that count, and alerts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use statim::alert::{Action, Alert, Incident, Labels, Moment, Severity};
use statim::prelude::*;

/// Something to do that takes a while; each has its number.
#[derive(Debug)]
pub(crate) struct Job(pub(crate) usize);

impl Message for Job {
    fn body(&self) -> Option<Vec<u8>> {
        Some(b"the patient's diagnosis".to_vec())
    }
}

/// How often each job was done.
#[derive(Debug, Clone)]
pub(crate) struct Done(Arc<Vec<AtomicU32>>);

impl Done {
    pub(crate) fn of(jobs: usize) -> Self {
        Self(Arc::new((0..jobs).map(|_| AtomicU32::new(0)).collect()))
    }

    pub(crate) fn total(&self) -> usize {
        self.0.iter().map(|count| count.load(Ordering::Relaxed) as usize).sum()
    }

    pub(crate) fn is_each_once(&self) -> bool {
        self.0.iter().all(|count| count.load(Ordering::Relaxed) == 1)
    }
}

/// Does jobs, or fails at each.
pub(crate) struct Doer {
    done: Done,
    fails: bool,
}

impl Agent for Doer {
    type Message = Job;
    type Error = &'static str;

    async fn handle(&mut self, job: Job, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if self.fails {
            return Err("as told");
        }
        if job.0.is_multiple_of(32) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        self.done.0[job.0].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub(crate) fn doers(runtime: &Runtime, name: &str, options: AgentOptions, done: &Done) -> AgentRef<Job> {
    let done = done.clone();
    runtime.spawn(name, options, move || Doer { done: done.clone(), fails: false }).unwrap()
}

pub(crate) fn failing(runtime: &Runtime, name: &str) -> AgentRef<Job> {
    runtime.spawn(name, AgentOptions::default(), || Doer { done: Done::of(0), fails: true }).unwrap()
}

/// Sends every job, as fast as the mailbox takes them, until all are sent.
pub(crate) fn load(agent: &AgentRef<Job>, jobs: std::ops::Range<usize>) -> JoinHandle<()> {
    let agent = agent.clone();
    std::thread::spawn(move || jobs.for_each(|n| agent.tell_blocking(Job(n)).unwrap()))
}

pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn at(seconds: u64) -> Moment {
    Moment::from_millis(1_763_759_255_000 + seconds * 1_000)
}

/// An alert about an agent, or about nobody in particular.
pub(crate) fn alert(rule: &str, agent: &str, action: &Action) -> Alert {
    let incident = Incident { id: "1".to_owned(), fired: at(0), since: at(0), flaps: 0, flapping: false };
    Alert {
        rule: rule.to_owned(),
        dedup_key: format!("{rule} of {agent}"),
        labels: Labels::new([("agent", agent), ("priority", "normal")]).unwrap(),
        severity: Severity::Warning,
        value: Some(2.5),
        finding: "2.5 s; fires at >= 2 s".to_owned(),
        annotations: Vec::new(),
        actions: vec![action.clone()],
        incident: Some(incident),
        resolved: None,
        watchdog: false,
        repeat_seconds: 60,
    }
}
