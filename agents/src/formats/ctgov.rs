//! The study as the ClinicalTrials.gov API v2 writes it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::record::lenient::or_default;
use crate::record::{
    Arm, Contact, Design, Eligibility, Enrollment, Intervention, Location, MeshTerm, Official, Outcome,
    PartialDate, ResponsibleParty, Sponsor, Study, StudyDate, StudyId, StudyReference,
};

/// The whole record. Only the identification must be there; a module that is absent or null is empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    protocol_section: Protocol,
    #[serde(default, deserialize_with = "or_default")]
    derived_section: Derived,
    #[serde(default)]
    results_section: Option<IgnoredAny>,
    #[serde(default)]
    has_results: Option<bool>,
}

macro_rules! wire {
    ($($name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {
        $(#[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct $name { $(#[serde(deserialize_with = "or_default")] $field: $type),+ })+
    };
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protocol {
    identification_module: Identification,
    #[serde(default, deserialize_with = "or_default")]
    status_module: Status,
    #[serde(default, deserialize_with = "or_default")]
    sponsor_collaborators_module: Sponsors,
    #[serde(default, deserialize_with = "or_default")]
    description_module: Description,
    #[serde(default, deserialize_with = "or_default")]
    conditions_module: Conditions,
    #[serde(default, deserialize_with = "or_default")]
    design_module: DesignModule,
    #[serde(default, deserialize_with = "or_default")]
    arms_interventions_module: Arms,
    #[serde(default, deserialize_with = "or_default")]
    outcomes_module: Outcomes,
    #[serde(default, deserialize_with = "or_default")]
    eligibility_module: Eligibility,
    #[serde(default, deserialize_with = "or_default")]
    contacts_locations_module: Contacts,
    #[serde(default, deserialize_with = "or_default")]
    references_module: References,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identification {
    nct_id: String,
    #[serde(default, deserialize_with = "or_default")]
    nct_id_aliases: Vec<String>,
    #[serde(default)]
    org_study_id_info: Option<StudyId>,
    #[serde(default, deserialize_with = "or_default")]
    secondary_id_infos: Vec<StudyId>,
    #[serde(default)]
    brief_title: Option<String>,
    #[serde(default)]
    official_title: Option<String>,
    #[serde(default)]
    acronym: Option<String>,
    #[serde(default)]
    organization: Option<Organization>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Organization {
    full_name: Option<String>,
    class: Option<String>,
}

wire! {
    Status {
        overall_status: Option<String>,
        last_known_status: Option<String>,
        why_stopped: Option<String>,
        status_verified_date: Option<PartialDate>,
        start_date_struct: Option<StudyDate>,
        primary_completion_date_struct: Option<StudyDate>,
        completion_date_struct: Option<StudyDate>,
        study_first_submit_date: Option<PartialDate>,
        study_first_post_date_struct: Option<StudyDate>,
        results_first_submit_date: Option<PartialDate>,
        results_first_post_date_struct: Option<StudyDate>,
        last_update_submit_date: Option<PartialDate>,
        last_update_post_date_struct: Option<StudyDate>,
    }
    Sponsors {
        lead_sponsor: Option<Sponsor>,
        collaborators: Vec<Sponsor>,
        responsible_party: Option<ResponsibleParty>,
    }
    Description { brief_summary: Option<String>, detailed_description: Option<String> }
    Conditions { conditions: Vec<String>, keywords: Vec<String> }
    DesignModule {
        study_type: Option<String>,
        phases: Vec<String>,
        design_info: DesignInfo,
        enrollment_info: Option<Enrollment>,
    }
    DesignInfo {
        allocation: Option<String>,
        intervention_model: Option<String>,
        primary_purpose: Option<String>,
        observational_model: Option<String>,
        time_perspective: Option<String>,
        masking_info: Masking,
    }
    Masking { masking: Option<String>, who_masked: Vec<String> }
    Arms { arm_groups: Vec<Arm>, interventions: Vec<Intervention> }
    Outcomes {
        primary_outcomes: Vec<Outcome>,
        secondary_outcomes: Vec<Outcome>,
        other_outcomes: Vec<Outcome>,
    }
    Contacts {
        central_contacts: Vec<Contact>,
        overall_officials: Vec<Official>,
        locations: Vec<Location>,
    }
    References { references: Vec<StudyReference> }
    Derived { condition_browse_module: Browse, intervention_browse_module: Browse }
    Browse { meshes: Vec<Mesh> }
    Mesh { id: Option<String>, term: String }
}

impl From<DesignInfo> for Design {
    fn from(wire: DesignInfo) -> Self {
        Self {
            allocation: wire.allocation,
            intervention_model: wire.intervention_model,
            primary_purpose: wire.primary_purpose,
            observational_model: wire.observational_model,
            time_perspective: wire.time_perspective,
            masking: wire.masking_info.masking,
            who_masked: wire.masking_info.who_masked,
        }
    }
}

impl From<Browse> for Vec<MeshTerm> {
    fn from(wire: Browse) -> Self {
        let term = |mesh: Mesh| MeshTerm { ui: mesh.id, name: mesh.term, major: false };
        wire.meshes.into_iter().map(term).collect()
    }
}

impl Wire {
    /// The study; `source` is the text that this was read from.
    pub(super) fn into_study(self, source: &str) -> Study {
        let Protocol {
            identification_module: identification,
            status_module: status,
            sponsor_collaborators_module: sponsors,
            description_module: description,
            conditions_module: conditions,
            design_module: design,
            arms_interventions_module: arms,
            outcomes_module: outcomes,
            eligibility_module: eligibility,
            contacts_locations_module: contacts,
            references_module: references,
        } = self.protocol_section;
        Study {
            nct_id: identification.nct_id,
            nct_id_aliases: identification.nct_id_aliases,
            org_study_id: identification.org_study_id_info,
            secondary_ids: identification.secondary_id_infos,
            brief_title: identification.brief_title,
            official_title: identification.official_title,
            acronym: identification.acronym,
            organization: identification
                .organization
                .map(|found| Sponsor { name: found.full_name, class: found.class }),
            overall_status: status.overall_status,
            last_known_status: status.last_known_status,
            why_stopped: status.why_stopped,
            status_verified: status.status_verified_date,
            start: status.start_date_struct,
            primary_completion: status.primary_completion_date_struct,
            completion: status.completion_date_struct,
            first_submitted: status.study_first_submit_date,
            first_posted: status.study_first_post_date_struct,
            results_first_submitted: status.results_first_submit_date,
            results_first_posted: status.results_first_post_date_struct,
            last_update_submitted: status.last_update_submit_date,
            last_update_posted: status.last_update_post_date_struct,
            study_type: design.study_type,
            phases: design.phases,
            design: design.design_info.into(),
            enrollment: design.enrollment_info,
            brief_summary: description.brief_summary,
            detailed_description: description.detailed_description,
            conditions: conditions.conditions,
            keywords: conditions.keywords,
            arms: arms.arm_groups,
            interventions: arms.interventions,
            primary_outcomes: outcomes.primary_outcomes,
            secondary_outcomes: outcomes.secondary_outcomes,
            other_outcomes: outcomes.other_outcomes,
            eligibility,
            lead_sponsor: sponsors.lead_sponsor,
            collaborators: sponsors.collaborators,
            responsible_party: sponsors.responsible_party,
            central_contacts: contacts.central_contacts,
            officials: contacts.overall_officials,
            locations: contacts.locations,
            references: references.references,
            condition_mesh: self.derived_section.condition_browse_module.into(),
            intervention_mesh: self.derived_section.intervention_browse_module.into(),
            has_results: self.has_results.unwrap_or(self.results_section.is_some()),
            source: source.to_owned(),
        }
    }
}
