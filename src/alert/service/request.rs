//! What other processes ask of whoever evaluates.

use serde::{Deserialize, Serialize};

use crate::alert::silence::Silence;

/// What another process asks for: it is done with the next evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    Acknowledge { key: String, by: String },
    Silence(Silence),
    LiftSilence { id: String },
}
