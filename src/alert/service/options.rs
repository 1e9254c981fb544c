//! What can be chosen.

use std::sync::Arc;
use std::time::Duration;

use super::error::SetupError;
use super::remedy::Remedy;
use crate::alert::check::check;
use crate::alert::engine::EngineOptions;
use crate::alert::routing::DispatchOptions;
use crate::alert::rule::Rule;
use crate::alert::silence::{Silence, Silences};
use crate::alert::sink::Sink;
use crate::alert::time::Moment;
use crate::resilience::{Backoff, BreakerOptions, RateLimitOptions};

/// What is watched and who is told: everything that a reload replaces.
#[derive(Debug, Clone, Default)]
pub struct AlertSetup {
    /// How rules are evaluated.
    pub engine: EngineOptions,
    /// How alerts become notifications. Its [`sinks`](DispatchOptions::sinks) are taken from [`sinks`](Self::sinks).
    pub dispatch: DispatchOptions,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Silences that are in force with this setup, and lifted when a later one is without them.
    pub silences: Vec<Silence>,
    /// Where notifications go.
    pub sinks: Vec<Arc<dyn Sink>>,
}

impl AlertSetup {
    /// Says what is wrong with it.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        check(&self.rules, self.engine.interval)?;
        for (index, sink) in self.sinks.iter().enumerate() {
            if self.sinks[..index].iter().any(|it| it.name() == sink.name()) {
                return Err(SetupError::SinkTwice(sink.name().to_owned()));
            }
        }
        let mut silences = Silences::default();
        for silence in &self.silences {
            let refused = |fault| SetupError::Silence { id: silence.id.clone(), fault };
            // Whether it is over does not matter here.
            silences.add(silence.clone(), Moment::default()).map_err(refused)?;
        }
        Ok(())
    }

    pub(super) fn dispatch_options(&self) -> DispatchOptions {
        let sinks = self.sinks.iter().map(|it| it.name().to_owned()).collect();
        DispatchOptions { sinks, ..self.dispatch.clone() }
    }
}

/// How an [`AlertService`](super::AlertService) works, for as long as it runs.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// How long to rest after an attempt that failed, doubling. Default: 1 s up to 5 min, with full jitter.
    pub backoff: Backoff,
    /// When a sink is left alone for a while. Default: after five failures in a row, for 15 s up to 2 min.
    pub breaker: BreakerOptions,
    /// How many requests a sink gets; `None` is what suits its kind: 2 a second for PagerDuty, Jira Service Management
    /// and Opsgenie, 1 a second for Slack, 20 a second for others, each with a burst.
    pub rate_limit: Option<RateLimitOptions>,
    /// How long an attempt may take, whatever the sink itself says. Default: 60 s.
    pub timeout: Duration,
    /// How old a heartbeat or repetition may get before nobody wants it any more. Default: 5 min.
    pub repeats_last: Duration,
    /// Most alerts in notifications that wait, over all sinks; see [`AlertService`](super::AlertService). Default: 20,000.
    pub most_waiting: usize,
    /// How long a transaction may take before it is given up and tried again. Default: 10 s.
    pub save_timeout: Duration,
    /// How long what became of a notification can be looked up. Default: 7 days, and at most 10,000 notifications.
    pub keep_settled: Duration,
    /// How long [`close`](super::AlertService::close) waits for attempts that are being made. Default: 5 s.
    pub grace: Duration,
    /// Does what rules want done besides telling somebody. Default: nobody does.
    pub remedy: Option<Arc<dyn Remedy>>,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        let open = Backoff::exponential(Duration::from_secs(15), Duration::from_mins(2));
        Self {
            backoff: Backoff::exponential(Duration::from_secs(1), Duration::from_mins(5)),
            breaker: BreakerOptions { open, ..BreakerOptions::consecutive_failures(5) },
            rate_limit: None,
            timeout: Duration::from_mins(1),
            repeats_last: Duration::from_mins(5),
            most_waiting: 20_000,
            save_timeout: Duration::from_secs(10),
            keep_settled: Duration::from_hours(7 * 24),
            grace: Duration::from_secs(5),
            remedy: None,
        }
    }
}

impl ServiceOptions {
    /// What a sink of this kind may be asked.
    pub(super) fn rate_limit_of(&self, kind: &str) -> RateLimitOptions {
        let limit =
            |permits, burst| RateLimitOptions { burst: Some(burst), ..RateLimitOptions::per_second(permits) };
        self.rate_limit.unwrap_or_else(|| match kind {
            "pagerduty" | "jira_service_management" | "opsgenie" => limit(2, 10),
            "slack" => limit(1, 3),
            _ => limit(20, 100),
        })
    }
}
