//! Medical Subject Headings.

use serde::{Deserialize, Serialize};

/// A term of MeSH.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeshTerm {
    /// Unique identifier (`D009369`).
    pub ui: Option<String>,
    /// The name.
    pub name: String,
    /// Whether it is a main topic of the article; always false on a study.
    pub major: bool,
}

/// A descriptor with its qualifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeshHeading {
    /// The descriptor.
    pub descriptor: MeshTerm,
    /// `Geographic` for a place, else absent.
    pub kind: Option<String>,
    /// The qualifiers.
    pub qualifiers: Vec<MeshTerm>,
}
