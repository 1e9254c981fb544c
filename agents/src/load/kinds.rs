//! The kinds of messages.

use statim::Priority;
use statim::load::{Kind, Scenario};

/// A kind of message, as the program knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    PatientConsent,
    ResearchQuery,
    IngestionBatch,
    Deduplication,
}

impl Work {
    const ALL: [(&'static str, Self, Priority); 4] = [
        ("patient_consent", Self::PatientConsent, Priority::Critical),
        ("research_query", Self::ResearchQuery, Priority::Normal),
        ("ingestion_batch", Self::IngestionBatch, Priority::Low),
        ("deduplication", Self::Deduplication, Priority::Low),
    ];

    /// The one in this place of [`kinds`].
    pub(super) fn at(place: usize) -> Option<Self> {
        Self::ALL.get(place).map(|(_, work, _)| *work)
    }
}

/// The kinds of messages that a deployment can be sent.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    Work::ALL.iter().map(|(name, _, priority)| Kind::new(*name, *priority)).collect()
}

/// Makes a `patient_consent` that does not say its priority one of decisions: they are what is asked all day, and
/// revocations are the exception.
pub fn usual_priorities(scenario: &mut Scenario) {
    for share in scenario.mix.iter_mut().filter(|share| share.kind == "patient_consent") {
        share.priority = share.priority.or(Some(Priority::High));
    }
}
