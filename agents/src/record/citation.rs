//! How articles refer to each other and when they changed.

use serde::{Deserialize, Serialize};

use super::PartialDate;

/// An id of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArticleId {
    /// The sort (`doi`, `pii`, `pmc`, `pubmed`).
    pub kind: String,
    /// The id, as written.
    pub value: String,
    /// False where PubMed marks the id as not valid.
    pub valid: bool,
}

/// A cited work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArticleReference {
    /// The citation as printed.
    pub citation: String,
    /// The ids of the cited work; they are never ids of the citing one.
    pub ids: Vec<ArticleId>,
}

/// A link to a comment, a correction or a retraction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Correction {
    /// What the other record is to this one (`RetractionIn`, `ErratumFor`, `CommentOn`).
    pub kind: String,
    /// The citation.
    pub citation: String,
    /// PMID of the other record.
    pub pmid: Option<String>,
    /// A note.
    pub note: Option<String>,
}

/// A dated step in the history of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryDate {
    /// The step (`received`, `accepted`, `entrez`, `Electronic`).
    pub step: String,
    /// When.
    pub date: PartialDate,
}
