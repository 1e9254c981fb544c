//! A structured product label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::revision::version_number;
use super::{Alias, Evidence, OpenFda, PartialDate, Revision, Scheme, identifying_debug};

/// The label of a drug.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Label {
    /// The document, the same over its versions. Empty on old labels that have none.
    pub set_id: String,
    /// This version of the document.
    pub id: Option<String>,
    /// Number of the version.
    pub version: Option<String>,
    /// When the version took effect.
    pub effective_time: Option<PartialDate>,
    /// Every section by its name in openFDA, each a list of texts. Tables come as sections of their own (`…_table`).
    pub sections: BTreeMap<String, Vec<String>>,
    /// Identifiers in other data sets; empty on many labels.
    pub openfda: OpenFda,
    /// The whole record as it was read, JSON text.
    pub source: String,
}

identifying_debug!(Label: set_id, id);

impl Label {
    pub(super) fn key(&self) -> &str {
        match &self.id {
            Some(id) if self.set_id.is_empty() => id,
            _ => &self.set_id,
        }
    }

    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        aliases.all(Evidence::Secondary, Scheme::SplVersion, &self.id);
        self.openfda.link(&mut aliases);
        let mut found = aliases.finish();
        // Its own set id is its identity, not another name.
        found.retain(|alias| alias.scheme != Scheme::SplSet || alias.value != self.set_id);
        found
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::versioned(version_number(self.version.as_deref()), self.effective_time.as_ref())
    }
}
