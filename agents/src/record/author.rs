//! An author.

use serde::{Deserialize, Serialize};

/// A person or a group that wrote an article.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Author {
    /// Family name.
    pub last_name: Option<String>,
    /// Given names.
    pub fore_name: Option<String>,
    /// Initials.
    pub initials: Option<String>,
    /// Suffix (`Jr`, `3rd`).
    pub suffix: Option<String>,
    /// The name of a group, in place of a person's.
    pub collective_name: Option<String>,
    /// Affiliations.
    pub affiliations: Vec<Affiliation>,
    /// ORCID and the like.
    pub identifiers: Vec<PersonIdentifier>,
    /// False where PubMed marks the name as not valid.
    pub valid: bool,
    /// Whether the author is marked as having contributed equally.
    pub equal_contribution: bool,
    /// `authors` or `editors`, where a book says it.
    pub role: Option<String>,
}

/// Where an author works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Affiliation {
    /// As printed.
    pub name: String,
    /// Identifiers of the institution (GRID, ISNI, ROR).
    pub identifiers: Vec<PersonIdentifier>,
}

/// An identifier of a person or an institution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonIdentifier {
    /// The register (`ORCID`).
    pub source: String,
    /// The identifier.
    pub value: String,
}
