//! The monitor agent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use statim::monitor::{Look, Monitor};
use statim::telemetry::Summary;
use statim::{Agent, Context, Link, Message, Priority, Reply};

use crate::alerting::AlertingMessage;

/// What the monitor is told.
#[derive(Debug)]
pub enum MonitorMessage {
    /// Time to look.
    Look,
    /// What was seen last.
    Latest(Reply<Option<Arc<Look>>>),
    /// What happened in the last so much time.
    Summary(Duration, Reply<Summary>),
}

impl Message for MonitorMessage {
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Latest(_) => "latest",
            Self::Summary(..) => "summary",
        }
    }
}

/// Looks at an interval and tells alerting what it sees.
///
/// The looks themselves run on Tokio's threads for blocking work, one at a time: they read files and every agent's
/// figures, and an arbiter is shared with agents that may not wait. What is remembered is the monitor's and not the agent's, so
/// it survives a restart of the agent.
#[derive(Debug)]
pub struct MonitorAgent {
    monitor: Monitor,
    alerting: Link<AlertingMessage>,
}

impl MonitorAgent {
    /// Looks with `monitor`, at its interval.
    #[must_use]
    pub fn new(monitor: Monitor, alerting: Link<AlertingMessage>) -> Self {
        Self { monitor, alerting }
    }

    async fn look(&mut self) {
        let monitor = self.monitor.clone();
        match tokio::task::spawn_blocking(move || monitor.look()).await {
            // If alerting is behind, or the link refuses, the next look tells it as much, but for the latencies of this one.
            Ok(look) => drop(self.alerting.try_tell(AlertingMessage::Observe(look))),
            Err(error) => tracing::error!(%error, "the monitor could not look"),
        }
    }

    async fn summary(&self, last: Duration, reply: Reply<Summary>) {
        let monitor = self.monitor.clone();
        // Adding up a day takes milliseconds. If it panics, the dropped reply says so.
        if let Ok(summary) = tokio::task::spawn_blocking(move || monitor.summary(last)).await {
            reply.send(summary);
        }
    }
}

impl Agent for MonitorAgent {
    type Message = MonitorMessage;
    type Error = Infallible;

    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        ctx.every(self.monitor.interval(), || MonitorMessage::Look);
        // At once too, so that whoever scrapes a young process finds it sampled.
        self.look().await;
        Ok(())
    }

    async fn handle(&mut self, message: MonitorMessage, _: &mut Context<Self>) -> Result<(), Infallible> {
        match message {
            MonitorMessage::Look => self.look().await,
            MonitorMessage::Latest(reply) => reply.send(self.monitor.latest()),
            MonitorMessage::Summary(last, reply) => self.summary(last, reply).await,
        }
        Ok(())
    }

    fn inspect(&self) -> serde_json::Value {
        let look = self.monitor.latest();
        let look = look.as_deref();
        serde_json::json!({
            "handled": look.map(|look| look.runtime.totals.handled),
            "queued": look.map(|look| look.runtime.queued),
            "resident_bytes": look.and_then(|look| look.system.process.resident_bytes),
        })
    }
}
