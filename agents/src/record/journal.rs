//! A journal and its issue.

use serde::{Deserialize, Serialize};

/// Where an article was published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// Full title.
    pub title: Option<String>,
    /// ISO abbreviation.
    pub iso_abbreviation: Option<String>,
    /// Abbreviation of MEDLINE.
    pub medline_abbreviation: Option<String>,
    /// ISSN.
    pub issn: Option<String>,
    /// `Print` or `Electronic`.
    pub issn_type: Option<String>,
    /// ISSN that links the media.
    pub issn_linking: Option<String>,
    /// The library's own id of the journal.
    pub nlm_unique_id: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Volume.
    pub volume: Option<String>,
    /// Issue.
    pub issue: Option<String>,
    /// `Print` or `Internet`.
    pub cited_medium: Option<String>,
}
