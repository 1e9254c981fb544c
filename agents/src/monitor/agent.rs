//! The monitor agent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use statim::{Agent, Context, Link, Message, Priority, Reply, Snapshot};

use super::process::{ProcessProbe, ProcessSample};
use crate::alerting::{AlertingMessage, Reading};

/// What the monitor is told.
#[derive(Debug)]
pub enum MonitorMessage {
    /// Time to look.
    Look,
    /// What was seen last.
    Latest(Reply<Option<Sampled>>),
}

impl Message for MonitorMessage {
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Latest(_) => "latest",
        }
    }
}

/// One look.
#[derive(Debug, Clone)]
pub struct Sampled {
    /// The runtime.
    pub runtime: Snapshot,
    /// The process, where the operating system tells.
    pub process: Option<ProcessSample>,
}

/// What is kept of a look.
#[derive(Debug, Clone, Copy)]
struct Kept {
    handled: u64,
    queued: u64,
    resident_bytes: Option<u64>,
}

/// Looks at an interval and tells alerting what it sees.
#[derive(Debug)]
pub struct Monitor {
    interval: Duration,
    history: VecDeque<Kept>,
    keep: usize,
    alerting: Link<AlertingMessage>,
    probe: Option<ProcessProbe>,
    latest: Option<Sampled>,
}

impl Monitor {
    /// Looks every `interval` (at least 200 ms, under which processor use cannot be told) and remembers `keep` looks.
    #[must_use]
    pub fn new(interval: Duration, keep: usize, alerting: Link<AlertingMessage>) -> Self {
        let interval = interval.max(Duration::from_millis(200));
        Self { interval, history: VecDeque::new(), keep: keep.max(1), alerting, probe: None, latest: None }
    }

    async fn look(&mut self, ctx: &Context<Self>) {
        // sysinfo reads files: not on a thread that others share.
        let probe = self.probe.take();
        let looked = tokio::task::spawn_blocking(move || {
            let mut probe = probe.or_else(ProcessProbe::new);
            let sample = probe.as_mut().and_then(ProcessProbe::look);
            (probe, sample)
        });
        let (probe, process) = looked.await.unwrap_or((None, None));
        self.probe = probe;
        let sampled = Sampled { runtime: ctx.runtime().snapshot(), process };
        self.remember(&sampled);
        // If alerting is behind, or the link refuses, the next look tells it as much.
        let _ = self.alerting.try_tell(AlertingMessage::Observe(Reading::of(&sampled)));
        self.latest = Some(sampled);
    }

    fn remember(&mut self, sampled: &Sampled) {
        while self.history.len() >= self.keep {
            self.history.pop_front();
        }
        let agents = &sampled.runtime.agents;
        self.history.push_back(Kept {
            handled: agents.iter().map(|agent| agent.handled).sum(),
            queued: agents.iter().flat_map(|agent| agent.depth.values()).sum(),
            resident_bytes: sampled.process.map(|process| process.resident_bytes),
        });
    }
}

impl Agent for Monitor {
    type Message = MonitorMessage;
    type Error = Infallible;

    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        ctx.every(self.interval, || MonitorMessage::Look);
        Ok(())
    }

    async fn handle(&mut self, message: MonitorMessage, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        match message {
            MonitorMessage::Look => self.look(ctx).await,
            MonitorMessage::Latest(reply) => reply.send(self.latest.clone()),
        }
        Ok(())
    }

    fn inspect(&self) -> serde_json::Value {
        let last = self.history.back();
        serde_json::json!({
            "looks": self.history.len(),
            "handled": last.map(|kept| kept.handled),
            "queued": last.map(|kept| kept.queued),
            "resident_bytes": last.and_then(|kept| kept.resident_bytes),
        })
    }
}
