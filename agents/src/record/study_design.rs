//! What a study does, and with whom.

use serde::{Deserialize, Serialize};

use super::lenient;

/// How a study is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    /// How participants are allocated to arms.
    pub allocation: Option<String>,
    /// Model of an interventional study.
    #[serde(alias = "interventionModel")]
    pub intervention_model: Option<String>,
    /// Purpose.
    #[serde(alias = "primaryPurpose")]
    pub primary_purpose: Option<String>,
    /// Model of an observational study.
    #[serde(alias = "observationalModel")]
    pub observational_model: Option<String>,
    /// Time perspective of an observational study.
    #[serde(alias = "timePerspective")]
    pub time_perspective: Option<String>,
    /// Masking.
    pub masking: Option<String>,
    /// Who is masked.
    pub who_masked: Vec<String>,
}

/// How many take part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enrollment {
    /// Participants.
    pub count: Option<i64>,
    /// `ACTUAL` or `ESTIMATED`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// One arm of a study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arm {
    /// Its label.
    pub label: Option<String>,
    /// `EXPERIMENTAL`, `PLACEBO_COMPARATOR`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its description (markup).
    pub description: Option<String>,
    /// The interventions it receives, each `Type: name`.
    #[serde(alias = "interventionNames", deserialize_with = "lenient::or_default")]
    pub interventions: Vec<String>,
}

/// What is given or done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Intervention {
    /// `DRUG`, `DEVICE`, `BEHAVIORAL`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description (markup).
    pub description: Option<String>,
    /// Labels of the arms that receive it.
    #[serde(alias = "armGroupLabels", deserialize_with = "lenient::or_default")]
    pub arm_labels: Vec<String>,
    /// Other names.
    #[serde(alias = "otherNames", deserialize_with = "lenient::or_default")]
    pub other_names: Vec<String>,
}

/// What is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// The measure.
    pub measure: Option<String>,
    /// Its description (markup).
    pub description: Option<String>,
    /// Over what time.
    #[serde(alias = "timeFrame")]
    pub time_frame: Option<String>,
}

/// Who may take part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Eligibility {
    /// Inclusion and exclusion criteria (markup).
    #[serde(alias = "eligibilityCriteria")]
    pub criteria: Option<String>,
    /// Whether healthy volunteers are accepted.
    #[serde(alias = "healthyVolunteers")]
    pub healthy_volunteers: Option<bool>,
    /// `ALL`, `FEMALE`, `MALE`.
    pub sex: Option<String>,
    /// Whether eligibility rests on gender.
    #[serde(alias = "genderBased")]
    pub gender_based: Option<bool>,
    /// The youngest age with its unit, as text: `18 Years`, `6 Months`. The unit is not always years.
    #[serde(alias = "minimumAge")]
    pub minimum_age: Option<String>,
    /// The oldest age with its unit, as text.
    #[serde(alias = "maximumAge")]
    pub maximum_age: Option<String>,
    /// `CHILD`, `ADULT`, `OLDER_ADULT`.
    #[serde(alias = "stdAges", deserialize_with = "lenient::or_default")]
    pub std_ages: Vec<String>,
    /// Population of an observational study (markup).
    #[serde(alias = "studyPopulation")]
    pub study_population: Option<String>,
    /// Sampling method of an observational study.
    #[serde(alias = "samplingMethod")]
    pub sampling_method: Option<String>,
}
