//! Those who run a study and can be asked about it.

use serde::{Deserialize, Serialize};

use super::opaque_debug;

/// An organisation behind a study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sponsor {
    /// Its name.
    pub name: Option<String>,
    /// `INDUSTRY`, `NIH`, `OTHER`, …
    pub class: Option<String>,
}

/// Someone to ask.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Name.
    pub name: Option<String>,
    /// `CONTACT`, `PRINCIPAL_INVESTIGATOR`, `SUB_INVESTIGATOR`.
    pub role: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Extension.
    #[serde(alias = "phoneExt")]
    pub phone_ext: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// Someone who leads a study.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Official {
    /// Name.
    pub name: Option<String>,
    /// Affiliation.
    pub affiliation: Option<String>,
    /// `PRINCIPAL_INVESTIGATOR`, `STUDY_CHAIR`, `STUDY_DIRECTOR`.
    pub role: Option<String>,
}

/// Who answers for a study.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponsibleParty {
    /// `SPONSOR`, `PRINCIPAL_INVESTIGATOR`, `SPONSOR_INVESTIGATOR`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The investigator's name.
    #[serde(alias = "investigatorFullName")]
    pub investigator: Option<String>,
    /// The investigator's title.
    #[serde(alias = "investigatorTitle")]
    pub title: Option<String>,
    /// The investigator's affiliation.
    #[serde(alias = "investigatorAffiliation")]
    pub affiliation: Option<String>,
}

opaque_debug!(Contact, Official, ResponsibleParty);
