use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Clinical studies in the shape of the ClinicalTrials.gov API, version 2.
    Studies,
    /// Journal articles as a PubMed `PubmedArticleSet`.
    Articles,
    /// Drug labels in the shape of openFDA's `drug/label`.
    Labels,
    /// Drug applications in the shape of openFDA's `drug/drugsfda`.
    Applications,
    /// Drug products in the shape of openFDA's `drug/ndc`.
    Products,
    /// Adverse events in the shape of openFDA's `drug/event`.
    Events,
    /// People as CSV, with known duplicates, in the column layout of FEBRL plus a `cluster` column holding the truth.
    People,
    /// Consent events as JSON lines: grants, revocations, and access requests with the decision that is right.
    Consents,
}

impl Kind {
    /// Every kind, in the order in which help lists them.
    pub const ALL: [Kind; 8] = [
        Kind::Studies,
        Kind::Articles,
        Kind::Labels,
        Kind::Applications,
        Kind::Products,
        Kind::Events,
        Kind::People,
        Kind::Consents,
    ];

    /// The name of each of [`Kind::ALL`], in the same order: what a command line offers as choices.
    pub const NAMES: [&'static str; 8] =
        ["studies", "articles", "labels", "applications", "products", "events", "people", "consents"];

    /// The name by which this kind is asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The number of positions this kind has distinct ids for. A sequence that would reach beyond is refused.
    #[must_use]
    pub const fn capacity(self) -> u64 {
        match self {
            Kind::Studies => 10_000_000,
            Kind::Articles => 100_000_000,
            Kind::Labels | Kind::Events => 100_000_000,
            Kind::Applications => 300_000,
            Kind::Products => 10_000_000,
            Kind::People => 1_000_000_000,
            Kind::Consents => 1_000_000_000,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind { name: name.chars().take(40).collect() })
    }
}

/// The name is not that of a [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing called {name:?} can be generated; choose one of {}", Kind::NAMES.join(", "))]
pub struct UnknownKind {
    /// What was asked for, cut to 40 characters.
    pub name: String,
}
