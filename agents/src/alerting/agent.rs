//! The alerting agent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use statim::alert::service::{AlertService, AlertSetup, TickError};
use statim::monitor::Look;
use statim::{Agent, Context, Message, Priority, TimerHandle};
use tokio::task::JoinHandle;

use super::setup::Rules;
use crate::config::Faults;

/// How often the rule file is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What alerting is told.
#[derive(Debug)]
pub enum AlertingMessage {
    /// What the monitor saw.
    Observe(Arc<Look>),
    /// Time to evaluate the rules.
    Evaluate,
    /// Time to see whether the rule file has changed.
    LookAtRules,
    /// An operator wants the rules, and the secrets of the sinks, read again.
    Reload,
}

impl Message for AlertingMessage {
    fn priority(&self) -> Priority {
        Priority::High
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Observe(_) => "observe",
            Self::Evaluate => "evaluate",
            Self::LookAtRules => "look_at_rules",
            Self::Reload => "reload",
        }
    }
}

/// Has the rules evaluated over what the monitor sees.
///
/// State, sending and their thread are the service's, so they survive a restart of the agent. What takes long, or blocks, is
/// not done on the arbiter.
#[derive(Debug)]
pub struct Alerting {
    service: AlertService,
    rules: Rules,
    interval: Duration,
    timer: Option<TimerHandle>,
    evaluating: Option<JoinHandle<()>>,
}

impl Alerting {
    /// Runs `service`, which was opened with what `rules` said and is evaluated every `interval`.
    #[must_use]
    pub fn new(service: AlertService, rules: Rules, interval: Duration) -> Self {
        Self { service, rules, interval, timer: None, evaluating: None }
    }

    async fn observe(&self, look: Arc<Look>) {
        let service = self.service.clone();
        // Thousands of samples take milliseconds. If it panics, the log has it.
        let _ = tokio::task::spawn_blocking(move || service.observe(&look)).await;
    }

    /// Not waited for: a database that does not answer must not keep samples from being taken in. While one evaluation is
    /// under way no other begins; how late the next is can be seen.
    fn evaluate(&mut self) {
        if self.evaluating.as_ref().is_some_and(|it| !it.is_finished()) {
            tracing::warn!("the rules are still being evaluated: an evaluation is left out");
            return;
        }
        let service = self.service.clone();
        self.evaluating = Some(tokio::spawn(async move {
            match service.tick().await {
                Ok(_) | Err(TickError::Closed) => {}
                Err(error) => tracing::error!(%error, "the rules were not evaluated as they should be"),
            }
        }));
    }

    async fn look_at_rules(&mut self, ctx: &mut Context<Self>, anyway: bool) {
        let mut rules = self.rules.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let read = if anyway { Some(rules.read()) } else { rules.read_if_changed() };
            (rules, read)
        });
        let Ok((rules, read)) = reading.await else { return };
        self.rules = rules;
        match read {
            None => {}
            Some(Ok(setup)) => self.take_up(setup, ctx).await,
            Some(Err(faults)) => refuse(&faults),
        }
    }

    async fn take_up(&mut self, setup: AlertSetup, ctx: &mut Context<Self>) {
        let (interval, rules, sinks) = (setup.engine.interval, setup.rules.len(), setup.sinks.len());
        match self.service.reload(setup).await {
            Ok(()) => {
                tracing::info!(rules, sinks, ?interval, "the alert rules were read again and are in force");
                if interval != self.interval {
                    self.interval = interval;
                    self.start_timer(ctx);
                }
            }
            Err(error) => tracing::error!(%error, "the alert rules stay as they were"),
        }
    }

    fn start_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
        self.timer = Some(ctx.every(self.interval, || AlertingMessage::Evaluate));
    }
}

/// Each fault is a line of the log: whoever changed the file wants to see all of them.
fn refuse(faults: &Faults) {
    tracing::error!(faults = faults.faults().len(), "the alert rules stay as they were: the file is wrong");
    for fault in faults.faults() {
        let line = fault.position.map_or(0, |it| it.line);
        let field = fault.field.as_deref().unwrap_or_default();
        tracing::error!(line, field, fault = fault.message, "in the rule file");
    }
}

impl Agent for Alerting {
    type Message = AlertingMessage;
    type Error = Infallible;

    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        ctx.every(LOOK, || AlertingMessage::LookAtRules);
        self.start_timer(ctx);
        // At once too: what an earlier process left is sent from now on, not an interval later.
        self.evaluate();
        Ok(())
    }

    async fn handle(&mut self, message: AlertingMessage, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        match message {
            AlertingMessage::Observe(look) => self.observe(look).await,
            AlertingMessage::Evaluate => self.evaluate(),
            AlertingMessage::LookAtRules => self.look_at_rules(ctx, false).await,
            AlertingMessage::Reload => self.look_at_rules(ctx, true).await,
        }
        Ok(())
    }

    fn inspect(&self) -> serde_json::Value {
        let open = self.service.open_alerts();
        let firing = open.iter().filter(|it| it.firing && !it.alert.watchdog).count();
        serde_json::json!({
            "leads": self.service.leads(),
            "pending": open.iter().filter(|it| !it.firing).count(),
            "firing": firing,
            "waiting": self.service.waiting(),
        })
    }
}
