//! What openFDA adds to a record to join its data sets.

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::{Evidence, Scheme, lenient};

/// The `openfda` block: identifiers under which other data sets know the same drug. Every list is often empty, and the
/// whole block too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenFda {
    /// Application numbers.
    #[serde(deserialize_with = "lenient::texts")]
    pub application_number: Vec<String>,
    /// Brand names.
    #[serde(deserialize_with = "lenient::texts")]
    pub brand_name: Vec<String>,
    /// Generic names.
    #[serde(deserialize_with = "lenient::texts")]
    pub generic_name: Vec<String>,
    /// Manufacturers.
    #[serde(deserialize_with = "lenient::texts")]
    pub manufacturer_name: Vec<String>,
    /// Product NDCs.
    #[serde(deserialize_with = "lenient::texts")]
    pub product_ndc: Vec<String>,
    /// Package NDCs.
    #[serde(deserialize_with = "lenient::texts")]
    pub package_ndc: Vec<String>,
    /// Product types.
    #[serde(deserialize_with = "lenient::texts")]
    pub product_type: Vec<String>,
    /// Routes of administration.
    #[serde(deserialize_with = "lenient::texts")]
    pub route: Vec<String>,
    /// Substances.
    #[serde(deserialize_with = "lenient::texts")]
    pub substance_name: Vec<String>,
    /// RxNorm concept ids.
    #[serde(deserialize_with = "lenient::texts")]
    pub rxcui: Vec<String>,
    /// Ids of label versions.
    #[serde(deserialize_with = "lenient::texts")]
    pub spl_id: Vec<String>,
    /// Set ids of labels.
    #[serde(deserialize_with = "lenient::texts")]
    pub spl_set_id: Vec<String>,
    /// Ingredient ids.
    #[serde(deserialize_with = "lenient::texts")]
    pub unii: Vec<String>,
    /// Pharmacologic classes.
    #[serde(deserialize_with = "lenient::texts")]
    pub pharm_class_epc: Vec<String>,
}

impl OpenFda {
    pub(super) fn link(&self, aliases: &mut Aliases) {
        aliases.all(Evidence::Link, Scheme::ApplicationNumber, &self.application_number);
        aliases.all(Evidence::Link, Scheme::ProductNdc, &self.product_ndc);
        aliases.all(Evidence::Link, Scheme::SplSet, &self.spl_set_id);
    }
}
