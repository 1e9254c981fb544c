//! A report of an adverse event.

use serde::{Deserialize, Serialize};

use super::alias::Aliases;
use super::revision::version_number;
use super::{
    Alias, Evidence, OpenFda, PartialDate, Revision, Scheme, identifying_debug, lenient, opaque_debug,
};

/// A report that a drug may have harmed a patient.
///
/// It is about a person. Its `Debug` shows the report's id and version only, and that of its parts shows nothing. The
/// fields bear openFDA's names; numbers are kept as the text that openFDA writes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Id of the report.
    #[serde(deserialize_with = "lenient::plain")]
    pub safetyreportid: String,
    /// Version of the report.
    #[serde(deserialize_with = "lenient::text")]
    pub safetyreportversion: Option<String>,
    /// When the report was first received.
    #[serde(deserialize_with = "super::date::optional")]
    pub receivedate: Option<PartialDate>,
    /// When the newest information in it was received.
    #[serde(deserialize_with = "super::date::optional")]
    pub receiptdate: Option<PartialDate>,
    /// When the report was sent on.
    #[serde(deserialize_with = "super::date::optional")]
    pub transmissiondate: Option<PartialDate>,
    /// `1` serious, `2` not.
    #[serde(deserialize_with = "lenient::text")]
    pub serious: Option<String>,
    /// `1` when the patient died.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnessdeath: Option<String>,
    /// `1` when life was threatened.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnesslifethreatening: Option<String>,
    /// `1` for a stay in hospital.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnesshospitalization: Option<String>,
    /// `1` for a disability.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnessdisabling: Option<String>,
    /// `1` for a congenital anomaly.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnesscongenitalanomali: Option<String>,
    /// `1` for another serious outcome.
    #[serde(deserialize_with = "lenient::text")]
    pub seriousnessother: Option<String>,
    /// Country of the reporter.
    #[serde(deserialize_with = "lenient::text")]
    pub primarysourcecountry: Option<String>,
    /// Country of the event.
    #[serde(deserialize_with = "lenient::text")]
    pub occurcountry: Option<String>,
    /// Sort of report.
    #[serde(deserialize_with = "lenient::text")]
    pub reporttype: Option<String>,
    /// The company's number of the report.
    #[serde(deserialize_with = "lenient::text")]
    pub companynumb: Option<String>,
    /// `1` when the report is known to repeat another.
    #[serde(deserialize_with = "lenient::text")]
    pub duplicate: Option<String>,
    /// Under which numbers it was reported elsewhere; openFDA writes one object or a list.
    #[serde(deserialize_with = "lenient::objects")]
    pub reportduplicate: Vec<ReportDuplicate>,
    /// Who reported.
    #[serde(deserialize_with = "lenient::or_default")]
    pub primarysource: Reporter,
    /// The patient with drugs and reactions.
    #[serde(deserialize_with = "lenient::or_default")]
    pub patient: Patient,
    /// The whole record as it was read, JSON text.
    pub source: String,
}

identifying_debug!(Event: safetyreportid, safetyreportversion);
opaque_debug!(Patient, EventDrug, Reaction, Reporter, ReportDuplicate);

impl Event {
    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        aliases.all(Evidence::Secondary, Scheme::ReportNumber, &self.companynumb);
        let numbers = self.reportduplicate.iter().filter_map(|item| item.duplicatenumb.as_ref());
        aliases.all(Evidence::Secondary, Scheme::ReportNumber, numbers);
        for drug in &self.patient.drug {
            drug.openfda.link(&mut aliases);
        }
        aliases.finish()
    }

    pub(super) fn revision(&self) -> Revision {
        let version = version_number(self.safetyreportversion.as_deref());
        Revision::versioned(version, self.receiptdate.as_ref())
    }
}

/// The number of the same report with somebody else.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportDuplicate {
    /// With whom.
    #[serde(deserialize_with = "lenient::text")]
    pub duplicatesource: Option<String>,
    /// The number.
    #[serde(deserialize_with = "lenient::text")]
    pub duplicatenumb: Option<String>,
}

/// Who reported.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reporter {
    /// `1` physician, `2` pharmacist, `3` other professional, `4` lawyer, `5` consumer.
    #[serde(deserialize_with = "lenient::text")]
    pub qualification: Option<String>,
    /// Country.
    #[serde(deserialize_with = "lenient::text")]
    pub reportercountry: Option<String>,
}

/// The patient.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Patient {
    /// Age at onset, in the unit of the next field.
    #[serde(deserialize_with = "lenient::text")]
    pub patientonsetage: Option<String>,
    /// `800` decades, `801` years, `802` months, `803` weeks, `804` days, `805` hours.
    #[serde(deserialize_with = "lenient::text")]
    pub patientonsetageunit: Option<String>,
    /// Age group.
    #[serde(deserialize_with = "lenient::text")]
    pub patientagegroup: Option<String>,
    /// `0` unknown, `1` male, `2` female.
    #[serde(deserialize_with = "lenient::text")]
    pub patientsex: Option<String>,
    /// Weight in kilograms.
    #[serde(deserialize_with = "lenient::text")]
    pub patientweight: Option<String>,
    /// The drugs, every one.
    #[serde(deserialize_with = "lenient::objects")]
    pub drug: Vec<EventDrug>,
    /// The reactions, every one.
    #[serde(deserialize_with = "lenient::objects")]
    pub reaction: Vec<Reaction>,
}

/// A drug that the patient took.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventDrug {
    /// Name as reported.
    #[serde(deserialize_with = "lenient::text")]
    pub medicinalproduct: Option<String>,
    /// `1` suspect, `2` concomitant, `3` interacting.
    #[serde(deserialize_with = "lenient::text")]
    pub drugcharacterization: Option<String>,
    /// What it was taken for.
    #[serde(deserialize_with = "lenient::text")]
    pub drugindication: Option<String>,
    /// Dose as text.
    #[serde(deserialize_with = "lenient::text")]
    pub drugdosagetext: Option<String>,
    /// Form.
    #[serde(deserialize_with = "lenient::text")]
    pub drugdosageform: Option<String>,
    /// Route, a code.
    #[serde(deserialize_with = "lenient::text")]
    pub drugadministrationroute: Option<String>,
    /// Application or authorisation number.
    #[serde(deserialize_with = "lenient::text")]
    pub drugauthorizationnumb: Option<String>,
    /// When it was begun; as precise as its digits (format code 102 a day, 610 a month, 602 a year).
    #[serde(deserialize_with = "super::date::optional")]
    pub drugstartdate: Option<PartialDate>,
    /// When it was ended.
    #[serde(deserialize_with = "super::date::optional")]
    pub drugenddate: Option<PartialDate>,
    /// What was done with the drug, a code.
    #[serde(deserialize_with = "lenient::text")]
    pub actiondrug: Option<String>,
    /// Identifiers in other data sets.
    #[serde(deserialize_with = "lenient::or_default")]
    pub openfda: OpenFda,
}

/// What happened.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reaction {
    /// The MedDRA term.
    #[serde(deserialize_with = "lenient::text")]
    pub reactionmeddrapt: Option<String>,
    /// Version of MedDRA.
    #[serde(deserialize_with = "lenient::text")]
    pub reactionmeddraversionpt: Option<String>,
    /// Outcome: `1` recovered, `2` recovering, `3` not, `4` with sequelae, `5` fatal, `6` unknown.
    #[serde(deserialize_with = "lenient::text")]
    pub reactionoutcome: Option<String>,
}
