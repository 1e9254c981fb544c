//! A drug application.

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::{Alias, OpenFda, PartialDate, Revision, identifying_debug, lenient};

/// An application of Drugs@FDA.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Type and six digits, such as `NDA021588`.
    #[serde(deserialize_with = "lenient::plain")]
    pub application_number: String,
    /// The applicant.
    #[serde(deserialize_with = "lenient::text")]
    pub sponsor_name: Option<String>,
    /// The products, every one.
    #[serde(deserialize_with = "lenient::objects")]
    pub products: Vec<ApplicationProduct>,
    /// The submissions, every one.
    #[serde(deserialize_with = "lenient::objects")]
    pub submissions: Vec<Submission>,
    /// Identifiers in other data sets.
    #[serde(deserialize_with = "lenient::or_default")]
    pub openfda: OpenFda,
    /// The whole record as it was read, JSON text.
    pub source: String,
}

identifying_debug!(Application: application_number);

impl Application {
    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        self.openfda.link(&mut aliases);
        let mut found = aliases.finish();
        // Its own number is its identity, not another name.
        found.retain(|alias| alias.value != self.application_number);
        found
    }

    pub(super) fn revision(&self) -> Revision {
        let dates = self.submissions.iter().filter_map(|item| item.submission_status_date.as_ref());
        Revision::grown(dates.max(), self.submissions.len() as u64)
    }
}

/// A product of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApplicationProduct {
    /// Number within the application.
    #[serde(deserialize_with = "lenient::text")]
    pub product_number: Option<String>,
    /// Brand name.
    #[serde(deserialize_with = "lenient::text")]
    pub brand_name: Option<String>,
    /// Dosage form.
    #[serde(deserialize_with = "lenient::text")]
    pub dosage_form: Option<String>,
    /// Route of administration.
    #[serde(deserialize_with = "lenient::text")]
    pub route: Option<String>,
    /// Marketing status.
    #[serde(deserialize_with = "lenient::text")]
    pub marketing_status: Option<String>,
    /// Whether it is a reference listed drug.
    #[serde(deserialize_with = "lenient::text")]
    pub reference_drug: Option<String>,
    /// Whether it is a reference standard.
    #[serde(deserialize_with = "lenient::text")]
    pub reference_standard: Option<String>,
    /// Therapeutic equivalence code.
    #[serde(deserialize_with = "lenient::text")]
    pub te_code: Option<String>,
    /// Active ingredients.
    #[serde(deserialize_with = "lenient::objects")]
    pub active_ingredients: Vec<ActiveIngredient>,
}

/// An active ingredient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveIngredient {
    /// Name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Strength with its unit.
    #[serde(deserialize_with = "lenient::text")]
    pub strength: Option<String>,
}

/// A submission to an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Submission {
    /// `ORIG`, `SUPPL`.
    #[serde(deserialize_with = "lenient::text")]
    pub submission_type: Option<String>,
    /// Number.
    #[serde(deserialize_with = "lenient::text")]
    pub submission_number: Option<String>,
    /// `AP` approved, `TA` tentatively approved.
    #[serde(deserialize_with = "lenient::text")]
    pub submission_status: Option<String>,
    /// When it got that status.
    #[serde(deserialize_with = "super::date::optional")]
    pub submission_status_date: Option<PartialDate>,
    /// Priority of the review.
    #[serde(deserialize_with = "lenient::text")]
    pub review_priority: Option<String>,
    /// Class of the submission.
    #[serde(deserialize_with = "lenient::text")]
    pub submission_class_code: Option<String>,
    /// The class in words.
    #[serde(deserialize_with = "lenient::text")]
    pub submission_class_code_description: Option<String>,
    /// Documents.
    #[serde(deserialize_with = "lenient::objects")]
    pub application_docs: Vec<ApplicationDocument>,
}

/// A document of a submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApplicationDocument {
    /// Number.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Address.
    #[serde(deserialize_with = "lenient::text")]
    pub url: Option<String>,
    /// Date.
    #[serde(deserialize_with = "super::date::optional")]
    pub date: Option<PartialDate>,
    /// `Label`, `Letter`, `Review`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
}
