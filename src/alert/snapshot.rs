//! The engine's state in a form that can be stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::labels::Labels;
use super::rule::Rule;
use super::set::Set;
use super::time::Moment;
use super::watched::{Refused, Watched};

/// The whole state of an [`Engine`](super::Engine), samples included, for [`Engine::restore`](super::Engine::restore).
///
/// Any serde format that describes itself (JSON, MessagePack) can hold it; each sample takes 20 to 40 bytes in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSnapshot {
    /// Of this form; another is refused by whoever reads it.
    #[serde(deserialize_with = "known_version")]
    pub(super) version: u32,
    pub(super) last: Option<Moment>,
    pub(super) resumed: Moment,
    pub(super) malformed: u64,
    pub(super) rules: Vec<RuleSnapshot>,
}

impl EngineSnapshot {
    /// The version of the form that is written, and the only one that is read.
    pub const VERSION: u32 = 1;
}

fn known_version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        EngineSnapshot::VERSION => Ok(EngineSnapshot::VERSION),
        other => Err(serde::de::Error::custom(format!(
            "the alerts' state is of version {other}, and this program reads version {}",
            EngineSnapshot::VERSION
        ))),
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleSnapshot {
    /// What the state is the state of: what measures otherwise by then does not go on with it.
    rule: Rule,
    sets: Vec<(Labels, Set)>,
    own: Option<Set>,
    refused: Refused,
}

impl RuleSnapshot {
    pub(super) fn of(watched: &Watched) -> Self {
        let Watched { rule, sets, own, refused } = watched;
        let sets = sets.iter().map(|(labels, set)| (labels.clone(), set.clone())).collect();
        Self { rule: Rule::clone(rule), sets, own: own.clone(), refused: *refused }
    }

    /// The states alone, of what has one.
    pub(super) fn states_of(watched: &Watched, now: Moment) -> Self {
        let Watched { rule, sets, own, refused } = watched;
        let stateful = sets.iter().filter(|(_, set)| set.has_state());
        let sets = stateful.map(|(labels, set)| (labels.clone(), set.without_samples(now))).collect();
        Self { rule: Rule::clone(rule), sets, own: own.clone(), refused: *refused }
    }

    pub(super) fn into_watched(self) -> Watched {
        let Self { rule, sets, own, refused } = self;
        Watched { rule: Arc::new(rule), sets: sets.into_iter().collect(), own, refused }
    }
}
