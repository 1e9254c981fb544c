//! What is agreed, asked and answered.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::ProvisionFault;
use super::patient::PatientId;
use super::period::Period;

/// Defines a code: a short text with a meaning of its own, compared as it is written.
macro_rules! code {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(code: impl Into<Box<str>>) -> Self {
                Self(code.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(code: &str) -> Self {
                Self::new(code)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code! {
    /// What data would be used for, such as `treatment` or `research`.
    Purpose
}
code! {
    /// A category of data, such as `laboratory` or `genomics`.
    DataType
}
code! {
    /// The name of a provision, unique within its patient.
    ProvisionId
}

/// Someone who asks for data, or whom a rule names. Written as a string, or `null` for [`Actor::Unresolved`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Actor {
    /// Known by this identifier.
    Known(Box<str>),
    /// A reference that leads nowhere, or nobody at all. Never permitted, always denied.
    #[default]
    Unresolved,
}

impl Actor {
    /// Known by `id`, unless that is blank.
    pub fn new(id: impl Into<Box<str>>) -> Self {
        let id = id.into();
        if id.trim().is_empty() { Self::Unresolved } else { Self::Known(id) }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(id) => serializer.serialize_some(id),
            Self::Unresolved => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Self::Unresolved, Self::new))
    }
}

/// What a rule does with a request it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Lets it through.
    Permit,
    /// Stops it.
    Deny,
}

/// One thing a patient agreed to or refused: a rule, and the exceptions to it. An empty list matches anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// Its name, unique within the patient; a later provision of the same name replaces it.
    pub id: ProvisionId,
    /// Whose data this is about.
    pub patient: PatientId,
    /// When the patient said so, where the source knows it. An import that is older than what it would replace, or than
    /// a revocation of everything, gives way to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Timestamp>,
    /// What it does with a request that it matches and no exception does.
    pub effect: Effect,
    /// For what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
    /// Which categories of data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_types: Vec<DataType>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<Actor>,
    /// From when until when.
    #[serde(default, skip_serializing_if = "Period::is_always")]
    pub period: Period,
    /// The exceptions: each applies only where this rule does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Rule>,
}

/// An exception to a rule. Its fields mean what those of a [`Provision`] do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it does with a request that it matches and no exception to it does.
    pub effect: Effect,
    /// For what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
    /// Which categories of data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_types: Vec<DataType>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<Actor>,
    /// From when until when.
    #[serde(default, skip_serializing_if = "Period::is_always")]
    pub period: Period,
    /// The exceptions to the exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Rule>,
}

impl Provision {
    /// Deepest nesting of exceptions.
    pub const MOST_LEVELS: usize = 16;
    /// Most rules in one provision, itself included.
    pub const MOST_RULES: usize = 1_000;
    /// Most codes in one list.
    pub const MOST_CODES: usize = 1_000;
    /// Longest identifier or code, in bytes.
    pub const LONGEST_CODE: usize = 256;

    /// Whether it makes sense. [`decide`](super::decide) denies everything about a patient who has one that does not.
    ///
    /// # Errors
    ///
    /// The first [`ProvisionFault`] found.
    pub fn check(&self) -> Result<(), ProvisionFault> {
        check_code("id", self.id.as_str())?;
        check_code("patient", self.patient.expose())?;
        let mut rules = 0;
        self.root().check(1, &mut rules)
    }

    pub(super) fn root(&self) -> RuleView<'_> {
        let Self { effect, purposes, data_types, actors, period, exceptions, .. } = self;
        RuleView { effect: *effect, purposes, data_types, actors, period: *period, exceptions }
    }
}

/// What a provision's own rule and an exception have in common.
#[derive(Clone, Copy)]
pub(super) struct RuleView<'a> {
    pub(super) effect: Effect,
    pub(super) purposes: &'a [Purpose],
    pub(super) data_types: &'a [DataType],
    pub(super) actors: &'a [Actor],
    pub(super) period: Period,
    pub(super) exceptions: &'a [Rule],
}

impl RuleView<'_> {
    fn check(&self, level: usize, rules: &mut usize) -> Result<(), ProvisionFault> {
        *rules += 1;
        if level > Provision::MOST_LEVELS {
            return Err(ProvisionFault::TooDeep);
        }
        if *rules > Provision::MOST_RULES {
            return Err(ProvisionFault::TooManyRules);
        }
        if self.period.is_empty() {
            return Err(ProvisionFault::EmptyPeriod);
        }
        check_list("purposes", self.purposes.iter().map(Purpose::as_str))?;
        check_list("data_types", self.data_types.iter().map(DataType::as_str))?;
        // An unresolved reference is an honest entry; only what is known is measured.
        check_list(
            "actors",
            self.actors.iter().map(|it| if let Actor::Known(id) = it { &**id } else { "-" }),
        )?;
        self.exceptions.iter().try_for_each(|exception| exception.view().check(level + 1, rules))
    }
}

impl Rule {
    pub(super) fn view(&self) -> RuleView<'_> {
        let Self { effect, purposes, data_types, actors, period, exceptions } = self;
        RuleView { effect: *effect, purposes, data_types, actors, period: *period, exceptions }
    }
}

fn check_list<'a>(
    field: &'static str,
    codes: impl ExactSizeIterator<Item = &'a str>,
) -> Result<(), ProvisionFault> {
    if codes.len() > Provision::MOST_CODES {
        return Err(ProvisionFault::TooManyCodes { field });
    }
    codes.into_iter().try_for_each(|code| check_code(field, code))
}

pub(super) fn check_code(field: &'static str, code: &str) -> Result<(), ProvisionFault> {
    if code.trim().is_empty() {
        return Err(ProvisionFault::Blank { field });
    }
    if code.len() > Provision::LONGEST_CODE {
        return Err(ProvisionFault::TooLong { field });
    }
    Ok(())
}

/// Who wants which of a patient's data, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Whose data.
    pub patient: PatientId,
    /// Who asks.
    #[serde(default)]
    pub actor: Actor,
    /// For what.
    pub purpose: Purpose,
    /// Which category of data.
    pub data_type: DataType,
}

/// May they, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// They may.
    Permit,
    /// They may not.
    Deny,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A provision permits it and none denies it.
    Permitted,
    /// A provision denies it.
    DeniedByProvision,
    /// No provision speaks of it.
    NoConsent,
    /// The provision that would have permitted it was revoked.
    Revoked,
    /// The provision that speaks of it is over.
    Expired,
    /// The provision that speaks of it has not begun.
    NotYetInForce,
    /// The request or a provision of the patient makes no sense.
    EvaluatorError,
}

/// The answer to an [`AccessRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// May they, or not.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The provision that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<ProvisionId>,
    /// The version of the patient's consents that this was decided under; see [`Book::version`](super::Book::version).
    pub consent_version: u64,
    /// The time that was taken for now.
    pub decided_at: Timestamp,
}

impl Decision {
    /// Whether the data may be handed over.
    #[must_use]
    pub fn is_permit(&self) -> bool {
        self.outcome == Outcome::Permit
    }
}

/// What one patient agreed to and refused, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consents {
    /// The place in the ledger of the patient's last change; 0 before the first.
    pub version: u64,
    /// The provisions, one of each name.
    pub provisions: Vec<CurrentProvision>,
    /// When everything was revoked, if ever.
    pub withdrawn: Option<Timestamp>,
    /// Provisions that were revoked before they arrived.
    pub revoked_ahead: Vec<ProvisionId>,
    /// Nothing is permitted, whatever the provisions say: a revocation is known that the ledger could not record.
    pub withheld: bool,
}

/// A provision as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentProvision {
    /// The provision.
    pub provision: Provision,
    /// The place in the ledger where it was granted or imported.
    pub seq: u64,
    /// Whether it was revoked, and so permits nothing any more.
    pub revoked: bool,
}
