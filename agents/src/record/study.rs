//! A clinical study.

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::{
    Alias, Arm, Contact, Design, Eligibility, Enrollment, Evidence, Intervention, Location, MeshTerm,
    Official, Outcome, PartialDate, ResponsibleParty, Revision, Scheme, Sponsor, identifying_debug,
};

/// A clinical study as ClinicalTrials.gov registered it.
///
/// Texts that the registry marks as markup are CommonMark with backslash escapes and are kept as they came. Coded values
/// (`RECRUITING`, `PHASE2`) are kept as text, so that a new code is not a fault.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Study {
    /// The NCT number.
    pub nct_id: String,
    /// Obsolete NCT numbers of this same study.
    pub nct_id_aliases: Vec<String>,
    /// The sponsor's own number.
    pub org_study_id: Option<StudyId>,
    /// Numbers in other registries, of grants and so on.
    pub secondary_ids: Vec<StudyId>,
    /// The short title.
    pub brief_title: Option<String>,
    /// The full title.
    pub official_title: Option<String>,
    /// The acronym.
    pub acronym: Option<String>,
    /// The organisation that registered the study.
    pub organization: Option<Sponsor>,
    /// Recruitment status.
    pub overall_status: Option<String>,
    /// The status before it became unknown.
    pub last_known_status: Option<String>,
    /// Why the study was stopped (markup).
    pub why_stopped: Option<String>,
    /// When the sponsor last verified the entry.
    pub status_verified: Option<PartialDate>,
    /// When the study starts.
    pub start: Option<StudyDate>,
    /// When the primary outcome is complete.
    pub primary_completion: Option<StudyDate>,
    /// When the study is complete.
    pub completion: Option<StudyDate>,
    /// When the study was first submitted.
    pub first_submitted: Option<PartialDate>,
    /// When the study was first posted.
    pub first_posted: Option<StudyDate>,
    /// When results were first submitted.
    pub results_first_submitted: Option<PartialDate>,
    /// When results were first posted.
    pub results_first_posted: Option<StudyDate>,
    /// When the last update was submitted.
    pub last_update_submitted: Option<PartialDate>,
    /// When the last update was posted.
    pub last_update_posted: Option<StudyDate>,
    /// `INTERVENTIONAL`, `OBSERVATIONAL`, `EXPANDED_ACCESS`.
    pub study_type: Option<String>,
    /// The phases: two for a phase 2/3 study, `NA` for one without phases, none for an observational one.
    pub phases: Vec<String>,
    /// How it is designed.
    pub design: Design,
    /// How many people take part.
    pub enrollment: Option<Enrollment>,
    /// The summary (markup).
    pub brief_summary: Option<String>,
    /// The description (markup).
    pub detailed_description: Option<String>,
    /// The conditions under study.
    pub conditions: Vec<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// The arms.
    pub arms: Vec<Arm>,
    /// The interventions.
    pub interventions: Vec<Intervention>,
    /// Primary outcomes.
    pub primary_outcomes: Vec<Outcome>,
    /// Secondary outcomes.
    pub secondary_outcomes: Vec<Outcome>,
    /// Other outcomes.
    pub other_outcomes: Vec<Outcome>,
    /// Who may take part.
    pub eligibility: Eligibility,
    /// The sponsor.
    pub lead_sponsor: Option<Sponsor>,
    /// Who else supports the study.
    pub collaborators: Vec<Sponsor>,
    /// Who answers for the study.
    pub responsible_party: Option<ResponsibleParty>,
    /// Whom to ask about the study as a whole.
    pub central_contacts: Vec<Contact>,
    /// Who leads it.
    pub officials: Vec<Official>,
    /// Where it takes place; every location, however many.
    pub locations: Vec<Location>,
    /// Publications.
    pub references: Vec<StudyReference>,
    /// MeSH terms of the conditions, derived by the registry.
    pub condition_mesh: Vec<MeshTerm>,
    /// MeSH terms of the interventions, derived by the registry.
    pub intervention_mesh: Vec<MeshTerm>,
    /// Whether results were posted.
    pub has_results: bool,
    /// The whole record as it was read, JSON text: results, documents and every field that is not typed above.
    pub source: String,
}

identifying_debug!(Study: nct_id, nct_id_aliases);

impl Study {
    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        aliases.all(Evidence::Same, Scheme::Nct, &self.nct_id_aliases);
        aliases.all(
            Evidence::Secondary,
            Scheme::OrganisationStudy,
            self.org_study_id.iter().filter_map(|id| id.id.as_ref()),
        );
        aliases.all(
            Evidence::Secondary,
            Scheme::SecondaryStudy,
            self.secondary_ids.iter().filter_map(|id| id.id.as_ref()),
        );
        aliases.all(
            Evidence::Link,
            Scheme::Pmid,
            self.references.iter().filter_map(|reference| reference.pmid.as_ref()),
        );
        aliases.finish()
    }

    pub(super) fn revision(&self) -> Revision {
        let posted = self.last_update_posted.as_ref().and_then(|posted| posted.date.as_ref());
        Revision::dated(posted, self.last_update_submitted.as_ref())
    }
}

/// A number that somebody gave a study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyId {
    /// The number.
    pub id: Option<String>,
    /// The sort of number (`EUDRACT_NUMBER`, `NIH`, …).
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The register, where the sort does not say it.
    pub domain: Option<String>,
    /// Where to look the number up.
    pub link: Option<String>,
}

/// A date, and whether it was reached or is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyDate {
    /// The date, as precise as the registry has it.
    pub date: Option<PartialDate>,
    /// `ACTUAL` or `ESTIMATED`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// A publication about a study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyReference {
    /// The PMID, when it is in PubMed.
    pub pmid: Option<String>,
    /// `BACKGROUND`, `RESULT`, `DERIVED`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The citation.
    pub citation: Option<String>,
}
