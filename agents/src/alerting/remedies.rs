//! What rules want besides telling somebody, done to the agents of the deployment.

use statim::alert::service::{Remedy, Remedying};
use statim::alert::{Action, Alert, Moment};
use statim::remedy::{Remedies, RemedyOutcome, Skip};

/// [`Remedies`], called by alerting. What comes of each action is in the log.
#[derive(Debug, Clone)]
pub struct Acting {
    remedies: Remedies,
}

impl Acting {
    /// Has `remedies` do what rules want.
    #[must_use]
    pub fn new(remedies: Remedies) -> Self {
        Self { remedies }
    }
}

impl Remedy for Acting {
    fn fired<'a>(&'a self, alert: &'a Alert, action: &'a Action, now: Moment) -> Remedying<'a> {
        Box::pin(async move { say(alert, action, &self.remedies.fired(alert, action, now).await) })
    }

    fn resolved<'a>(&'a self, alert: &'a Alert, action: &'a Action, now: Moment) -> Remedying<'a> {
        Box::pin(async move { say(alert, action, &self.remedies.resolved(alert, action, now).await) })
    }
}

fn say(alert: &Alert, action: &Action, outcome: &RemedyOutcome) {
    let (rule, action, key) = (alert.rule.as_str(), action.as_str(), alert.dedup_key.as_str());
    match outcome {
        RemedyOutcome::Done { .. } => tracing::warn!(rule, action, key, %outcome, "done about an alert"),
        RemedyOutcome::Failed { .. } => {
            tracing::error!(rule, action, key, %outcome, "nothing was done about an alert")
        }
        // Said at every evaluation otherwise.
        RemedyOutcome::Skipped { why: Skip::Cooldown { .. } | Skip::NothingToUndo | Skip::NotARemedy } => {
            tracing::debug!(rule, action, key, %outcome, "nothing to do about an alert");
        }
        outcome => tracing::info!(rule, action, key, %outcome, "nothing was done about an alert"),
    }
}
