//! What was measured, in one shape whatever it comes from.
//!
//! Seconds, bytes, and messages; ratios from 0 to 1. Counts are of the window, not since the start, where the source has a
//! reading from before. What is not known is `None` or empty, and never 0.

mod agents;
mod live;
mod load;
mod read;
mod run;
mod sound;
mod store;
mod system;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::load::usl::Point;

pub use self::agents::{AgentEvidence, Lane, LinkEvidence, Times};
pub use self::load::{GeneratorEvidence, LoadEvidence, TargetEvidence};
pub use self::read::EvidenceError;
pub use self::store::{CacheEvidence, StoreEvidence, Waits, statistics};
pub use self::system::SystemEvidence;

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// What it is about: a load test's title, or where the snapshot is from.
    pub subject: String,
    /// How long the window is, in seconds.
    pub seconds: f64,
    /// The agents.
    pub agents: Vec<AgentEvidence>,
    /// The guarded links between them.
    pub links: Vec<LinkEvidence>,
    /// The stores, by name; empty if nothing is known of any.
    pub stores: BTreeMap<String, StoreEvidence>,
    /// The query cache.
    pub cache: Option<CacheEvidence>,
    /// The process and what is around it.
    pub system: Option<SystemEvidence>,
    /// The load, if it was made for a test.
    pub load: Option<LoadEvidence>,
    /// Throughput at several loads.
    pub curve: Vec<Point>,
    /// What the source should have said and did not, in whole sentences.
    pub gaps: Vec<String>,
}

impl Evidence {
    /// The agent of this name.
    #[must_use]
    pub fn agent(&self, name: &str) -> Option<&AgentEvidence> {
        self.agents.iter().find(|agent| agent.name == name)
    }
}

/// A number to reckon with: neither infinite nor negative nor none at all.
pub(super) fn sound(number: f64) -> f64 {
    if number.is_finite() && number > 0.0 { number } else { 0.0 }
}

/// Nanoseconds as seconds.
pub(super) fn seconds(nanos: f64) -> f64 {
    sound(nanos / 1e9)
}

/// A part of a whole, 0 to 1; `None` without a whole.
pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    let ratio = part / whole;
    (whole > 0.0 && ratio.is_finite()).then_some(ratio.max(0.0))
}
