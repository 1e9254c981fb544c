//! A product of the NDC directory.

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::{
    ActiveIngredient, Alias, Evidence, OpenFda, PartialDate, Revision, Scheme, identifying_debug, lenient,
};

/// A product of the National Drug Code directory.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// Labeler and product segments with their hyphen (4-4, 5-3 or 5-4 digits). Not unique.
    #[serde(deserialize_with = "lenient::plain")]
    pub product_ndc: String,
    /// Id of the label version that lists the product.
    #[serde(deserialize_with = "lenient::text")]
    pub spl_id: Option<String>,
    /// Product NDC and label id in one, as the directory writes it.
    #[serde(deserialize_with = "lenient::text")]
    pub product_id: Option<String>,
    /// Application number or monograph; a link, shared by many products.
    #[serde(deserialize_with = "lenient::text")]
    pub application_number: Option<String>,
    /// Brand name.
    #[serde(deserialize_with = "lenient::text")]
    pub brand_name: Option<String>,
    /// Generic name.
    #[serde(deserialize_with = "lenient::text")]
    pub generic_name: Option<String>,
    /// Who labels it.
    #[serde(deserialize_with = "lenient::text")]
    pub labeler_name: Option<String>,
    /// Sort of product.
    #[serde(deserialize_with = "lenient::text")]
    pub product_type: Option<String>,
    /// Dosage form.
    #[serde(deserialize_with = "lenient::text")]
    pub dosage_form: Option<String>,
    /// Routes of administration.
    #[serde(deserialize_with = "lenient::texts")]
    pub route: Vec<String>,
    /// Marketing category.
    #[serde(deserialize_with = "lenient::text")]
    pub marketing_category: Option<String>,
    /// When marketing started.
    #[serde(deserialize_with = "super::date::optional")]
    pub marketing_start_date: Option<PartialDate>,
    /// When marketing ended.
    #[serde(deserialize_with = "super::date::optional")]
    pub marketing_end_date: Option<PartialDate>,
    /// When the listing expires.
    #[serde(deserialize_with = "super::date::optional")]
    pub listing_expiration_date: Option<PartialDate>,
    /// Schedule of a controlled substance.
    #[serde(deserialize_with = "lenient::text")]
    pub dea_schedule: Option<String>,
    /// Whether it is a finished product.
    pub finished: Option<bool>,
    /// Active ingredients.
    #[serde(deserialize_with = "lenient::objects")]
    pub active_ingredients: Vec<ActiveIngredient>,
    /// Pharmacologic classes.
    #[serde(deserialize_with = "lenient::texts")]
    pub pharm_class: Vec<String>,
    /// How it is packaged.
    #[serde(deserialize_with = "lenient::objects")]
    pub packaging: Vec<Package>,
    /// Identifiers in other data sets.
    #[serde(deserialize_with = "lenient::or_default")]
    pub openfda: OpenFda,
    /// The whole record as it was read, JSON text.
    pub source: String,
}

identifying_debug!(Product: product_ndc, spl_id);

impl Product {
    pub(super) fn key(&self) -> String {
        match self.spl_id.as_deref() {
            Some(spl_id) if !spl_id.is_empty() => format!("{}/{spl_id}", self.product_ndc),
            _ => self.product_ndc.clone(),
        }
    }

    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        aliases.add(Evidence::Secondary, Scheme::ProductNdc, &self.product_ndc);
        aliases.all(Evidence::Link, Scheme::ApplicationNumber, &self.application_number);
        aliases.all(Evidence::Link, Scheme::SplVersion, &self.spl_id);
        aliases.all(
            Evidence::Link,
            Scheme::PackageNdc,
            self.packaging.iter().filter_map(|package| package.package_ndc.as_ref()),
        );
        self.openfda.link(&mut aliases);
        aliases.finish()
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::dated(self.listing_expiration_date.as_ref(), self.marketing_start_date.as_ref())
    }
}

/// One package of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Package {
    /// Package NDC, with its hyphens.
    #[serde(deserialize_with = "lenient::text")]
    pub package_ndc: Option<String>,
    /// Description.
    #[serde(deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// When marketing started.
    #[serde(deserialize_with = "super::date::optional")]
    pub marketing_start_date: Option<PartialDate>,
    /// When marketing ended.
    #[serde(deserialize_with = "super::date::optional")]
    pub marketing_end_date: Option<PartialDate>,
    /// Whether it is a sample.
    pub sample: Option<bool>,
}

impl Package {
    /// The package NDC in the eleven digits that billing uses (5-4-2, without hyphens): the short segment gets a zero
    /// before it, whichever of the three it is. `None` for a code that is not 4-4-2, 5-3-2, 5-4-1 or 5-4-2.
    #[must_use]
    pub fn ndc_11(&self) -> Option<String> {
        let mut segments = self.package_ndc.as_deref()?.trim().split('-');
        let (labeler, product, package) = (segments.next()?, segments.next()?, segments.next()?);
        let lengths = (labeler.len(), product.len(), package.len());
        let known = matches!(lengths, (4, 4, 2) | (5, 3, 2) | (5, 4, 1) | (5, 4, 2));
        // The later segments may hold letters and asterisks in old codes; only digits can be padded with a zero.
        let digits = [labeler, product, package]
            .iter()
            .all(|segment| segment.bytes().all(|byte| byte.is_ascii_digit()));
        (known && digits && segments.next().is_none())
            .then(|| format!("{labeler:0>5}{product:0>4}{package:0>2}"))
    }
}
