//! The alerting agent.

use std::convert::Infallible;
use std::time::Instant;

use statim::monitor::Look;
use statim::{Agent, Context, Message, Priority};

use super::rule::{Metric, Rule, Transition, Watch};

/// What alerting is told.
#[derive(Debug)]
pub enum AlertingMessage {
    /// What the monitor saw.
    Observe(Reading),
}

impl Message for AlertingMessage {
    fn priority(&self) -> Priority {
        Priority::High
    }

    fn kind(&self) -> &'static str {
        "observe"
    }
}

/// The values that rules look at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// Worst agent's p99 end to end of Critical messages since the look before, in milliseconds, if there were any.
    pub critical_p99_millis: Option<f64>,
    /// Messages queued.
    pub queued: f64,
    /// Memory held, in MiB, if it is known.
    pub resident_mib: Option<f64>,
}

impl Reading {
    /// The values of one look of the monitor.
    #[must_use]
    pub fn of(look: &Look) -> Self {
        let agents = look.latencies.iter().flatten();
        let critical = agents
            .filter_map(|(_, latencies)| latencies.end_to_end[Priority::Critical.lane()].quantile(0.99));
        Self {
            critical_p99_millis: critical.max().map(|nanos| nanos as f64 / 1e6),
            queued: look.runtime.queued as f64,
            resident_mib: look.system.process.resident_bytes.map(|bytes| bytes as f64 / f64::from(1 << 20)),
        }
    }

    pub(super) fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::CriticalP99Millis => self.critical_p99_millis,
            Metric::Queued => Some(self.queued),
            Metric::ResidentMib => self.resident_mib,
        }
    }
}

/// Watches one rule and logs its transitions.
#[derive(Debug)]
pub struct Alerting {
    watch: Watch,
    began: Instant,
    fired: u64,
}

impl Alerting {
    /// Watches `rule`.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { watch: Watch::new(rule), began: Instant::now(), fired: 0 }
    }
}

impl Agent for Alerting {
    type Message = AlertingMessage;
    type Error = Infallible;

    async fn handle(&mut self, message: AlertingMessage, _: &mut Context<Self>) -> Result<(), Infallible> {
        let AlertingMessage::Observe(reading) = message;
        let Some(transition) = self.watch.observe(&reading, self.began.elapsed()) else { return Ok(()) };
        let Rule { metric, threshold, clear, .. } = *self.watch.rule();
        let value = reading.value(metric).unwrap_or(f64::NAN);
        match transition {
            Transition::Firing => {
                self.fired += 1;
                tracing::warn!(%metric, value, threshold, "alert: the metric is above its threshold");
            }
            Transition::Resolved => tracing::info!(%metric, value, clear, "alert resolved"),
        }
        Ok(())
    }

    fn inspect(&self) -> serde_json::Value {
        serde_json::json!({ "firing": self.watch.is_firing(), "fired": self.fired })
    }
}
