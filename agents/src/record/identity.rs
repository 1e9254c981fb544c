//! The key of a record.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The sorts of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A clinical study.
    Study,
    /// A PubMed article or book chapter.
    Article,
    /// A Drugs@FDA application.
    Application,
    /// An NDC product.
    Product,
    /// A structured product label.
    Label,
    /// An adverse-event report.
    Event,
}

impl Kind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 6] =
        [Self::Study, Self::Article, Self::Application, Self::Product, Self::Label, Self::Event];

    /// The lower-case name, as stored and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Article => "article",
            Self::Application => "application",
            Self::Product => "product",
            Self::Label => "label",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// The text names no kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of record; use one of study, article, application, product, label, event")]
pub struct UnknownKind;

/// What makes two records two revisions of one thing.
///
/// The `id` is the NCT number, the PMID, the application number, `product_ndc/spl_id` (a product NDC alone is not unique),
/// the set id of a label, or the safety report id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The sort of record.
    pub kind: Kind,
    /// The id, unique among the records of its kind.
    pub id: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}
