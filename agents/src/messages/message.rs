//! What is asked and answered, as JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::catalogue::Totals;
use crate::consent::{AccessRequest, Actor, Decision, PatientId, ProvisionId};
use crate::record::{Identity, Record};

/// A message from outside: an object with one key, the kind of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Posted {
    /// A patient's consent is asked for, or taken back.
    PatientConsent(ConsentQuestion),
    /// A question about the catalogue.
    ResearchQuery(ResearchQuestion),
    /// Records as their source writes them, to be read and stored.
    IngestionBatch(PostedBatch),
    /// A record that was read elsewhere, to be stored.
    Deduplication(PostedRecord),
}

/// What is wanted of the consent agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsentQuestion {
    /// May they? High.
    Decide(AccessRequest),
    /// A patient takes permissions back. Critical.
    Revoke(RevokeOrder),
}

/// What a patient takes back. When it was said is when it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeOrder {
    /// Whose.
    pub patient: PatientId,
    /// Which provision; without it everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<ProvisionId>,
    /// Who records it.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub by: Actor,
}

fn is_nobody(actor: &Actor) -> bool {
    *actor == Actor::Unresolved
}

/// What is asked of research. Normal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ResearchQuestion {
    /// The current version of a record.
    Record(Identity),
    /// How many records there are, by kind.
    Totals,
}

/// Records as ClinicalTrials.gov or openFDA writes them. Low.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostedBatch {
    /// Whose: the name stands for a file in the catalogue. Batches of one source are read in their order.
    pub source: Arc<str>,
    /// The records, 1 to 1,000.
    pub records: Vec<Box<RawValue>>,
}

/// A record, typed. Low.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostedRecord {
    /// Where it comes from.
    pub source: Arc<str>,
    /// The record: an object with one key, its kind.
    pub record: Record,
}

/// What came of a message: an object with one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// May they, or not; it is in the ledger.
    Decision(Decision),
    /// The revocation is in the ledger.
    Revoked {
        /// Its place there.
        seq: u64,
    },
    /// The record, or `null`.
    Record(Option<Record>),
    /// Records by kind.
    Totals(Totals),
    /// The records are in the catalogue.
    Stored {
        /// How many of them.
        records: u64,
        /// Those that cannot be stored for their own sake.
        refused: u64,
        /// What could not be read, and is in the quarantine.
        quarantined: u64,
    },
}
