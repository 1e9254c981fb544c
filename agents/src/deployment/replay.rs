//! Playing a file of consent events: grants, revocations and requests to decide, in its order.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statim::Link;

use super::error::DeploymentError;
use crate::consent::{
    AccessRequest, Actor, ConsentMessage, Outcome, PatientId, Provision, ProvisionId, Revocation,
};

/// What came of the consent events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Requests permitted.
    pub permitted: u64,
    /// Requests denied.
    pub denied: u64,
    /// Grants recorded.
    pub grants: u64,
    /// Revocations recorded.
    pub revocations: u64,
    /// Requests whose answer was not the one that the file expects. Compared only on a ledger that was empty: on any
    /// other, what was there before has its say.
    pub unexpected: u64,
    /// Events that had no answer, also because a guard of the link refused them. Nothing was permitted by them.
    pub unanswered: u64,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Event {
    Grant {
        provision: Box<Provision>,
    },
    Revoke {
        patient: PatientId,
        #[serde(default)]
        provision: Option<ProvisionId>,
    },
    Decide {
        #[serde(flatten)]
        request: Box<AccessRequest>,
        #[serde(default)]
        expect: Option<Outcome>,
    },
}

/// Plays the events in `path`, one after the other, each once the one before has been answered, and adds what came of
/// them to `report`.
///
/// # Errors
///
/// [`DeploymentError`]: the file cannot be read, a line of it is none, or the agent ended.
///
/// # Cancel safety
///
/// Dropped midway, the events up to there have been played and reported; one more may have been played.
pub async fn replay(
    path: &Path,
    consent: &Link<ConsentMessage>,
    report: &mut ReplayReport,
) -> Result<(), DeploymentError> {
    let unreadable = |source| DeploymentError::Replay { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let ended = || DeploymentError::AgentEnded { agent: "consent" };
    let inspected = consent.agent().inspect().await.map_err(|_| ended())?;
    let is_fresh = inspected.iter().all(|instance| instance.agent["patients"] == 0);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        // Not even what the parser says of it is repeated: it may quote the line.
        let event = serde_json::from_str(&line)
            .map_err(|_| DeploymentError::ReplayLine { path: path.to_owned(), line: number + 1 })?;
        play(event, is_fresh, consent, report).await;
    }
    Ok(())
}

async fn play(event: Event, is_fresh: bool, consent: &Link<ConsentMessage>, report: &mut ReplayReport) {
    let by = Actor::new("replay");
    let answered = match event {
        // Played once: a later start must not undo what has been revoked since.
        Event::Grant { .. } | Event::Revoke { .. } if !is_fresh => true,
        Event::Grant { provision } => {
            let granted =
                consent.ask(|reply| ConsentMessage::Grant { provision, by, reply: Some(reply) }).await;
            report.grants += u64::from(granted.is_ok());
            granted.is_ok()
        }
        Event::Revoke { patient, provision } => {
            let revocation = Revocation { patient, provision, at: Timestamp::now(), by };
            let revoked =
                consent.ask(|reply| ConsentMessage::Revoke { revocation, reply: Some(reply) }).await;
            report.revocations += u64::from(revoked.is_ok());
            revoked.is_ok()
        }
        Event::Decide { request, expect } => {
            let decided = consent.ask(|reply| ConsentMessage::Decide { request, reply }).await;
            if let Ok(decision) = &decided {
                if decision.is_permit() {
                    report.permitted += 1;
                } else {
                    report.denied += 1;
                }
                if is_fresh && expect.is_some_and(|expected| expected != decision.outcome) {
                    report.unexpected += 1;
                }
            }
            decided.is_ok()
        }
    };
    report.unanswered += u64::from(!answered);
}
