//! What is written into the ledger.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::model::{AccessRequest, Actor, Decision, Provision, ProvisionId};
use super::patient::PatientId;

/// A patient takes permissions back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Whose.
    pub patient: PatientId,
    /// Which provision; `None` takes back everything.
    #[serde(default)]
    pub provision: Option<ProvisionId>,
    /// When the patient said so.
    pub at: Timestamp,
    /// Who recorded it.
    #[serde(default)]
    pub by: Actor,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A patient agreed to or refused something. Replaces the provision of that name, and makes it count again if it
    /// was revoked.
    Grant {
        /// What.
        provision: Provision,
        /// Who recorded it.
        by: Actor,
    },
    /// A provision came from another system. Replaces the provision of that name, and stays revoked if that was.
    Import {
        /// What.
        provision: Provision,
    },
    /// A patient took permissions back.
    Revoke(Revocation),
    /// A request was decided.
    Decision {
        /// What was asked.
        request: AccessRequest,
        /// What was answered.
        decision: Decision,
    },
}

impl Change {
    /// Whom it is about.
    #[must_use]
    pub fn patient(&self) -> &PatientId {
        match self {
            Self::Grant { provision, .. } | Self::Import { provision } => &provision.patient,
            Self::Revoke(revocation) => &revocation.patient,
            Self::Decision { request, .. } => &request.patient,
        }
    }

    /// The provision it is about, where it is about one.
    #[must_use]
    pub fn provision(&self) -> Option<&ProvisionId> {
        match self {
            Self::Grant { provision, .. } | Self::Import { provision } => Some(&provision.id),
            Self::Revoke(revocation) => revocation.provision.as_ref(),
            Self::Decision { decision, .. } => decision.provision.as_ref(),
        }
    }

    /// `grant`, `import`, `revoke` or `decision`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant",
            Self::Import { .. } => "import",
            Self::Revoke(_) => "revoke",
            Self::Decision { .. } => "decision",
        }
    }
}

/// What is to be appended to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened; kept to the microsecond.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

/// An entry in its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEvent {
    /// Its place: 1, 2, 3… without gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}
