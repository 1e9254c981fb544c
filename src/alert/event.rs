//! What the engine says.

use serde::{Deserialize, Serialize};

use super::action::{Action, Severity};
use super::incident::Incident;
use super::labels::Labels;
use super::time::Moment;

/// Something that an evaluation found. Those of one evaluation come rule by rule, in the order of the rules, and within a
/// rule by labels.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It became bad, and fires if it stays so. Nobody is to be told.
    Pending(Alert),
    /// It became good before it fired. Nobody is to be told.
    Cancelled(Alert),
    /// It fires: an incident opens.
    Fired(Alert),
    /// It goes on firing: said every [`resend`](super::EngineOptions::resend), for systems that forget what is not said
    /// again, with the value of now.
    StillFiring(Alert),
    /// The incident is over.
    Resolved(Alert, Ending),
    /// It was resolved a while ago: said every `resend` for some time, for systems that missed it.
    StillResolved(Alert),
    /// There was nothing to judge by for the first time. What comes of it, the rule says.
    NoData(Alert),
    /// A rule has more label sets than it may have; samples of others are refused. Said when it begins.
    Refused {
        /// The rule.
        rule: String,
        /// Samples refused since it has its state.
        samples: u64,
        /// The bound.
        limit: usize,
    },
}

impl Event {
    /// The alert that it is about, if it is about one.
    #[must_use]
    pub const fn alert(&self) -> Option<&Alert> {
        match self {
            Self::Pending(alert)
            | Self::Cancelled(alert)
            | Self::Fired(alert)
            | Self::StillFiring(alert)
            | Self::Resolved(alert, _)
            | Self::StillResolved(alert)
            | Self::NoData(alert) => Some(alert),
            Self::Refused { .. } => None,
        }
    }

    /// What it says, in a word: for logs and tests.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Cancelled(_) => "cancelled",
            Self::Fired(_) => "fired",
            Self::StillFiring(_) => "still_firing",
            Self::Resolved(..) => "resolved",
            Self::StillResolved(_) => "still_resolved",
            Self::NoData(_) => "no_data",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Why an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was good for long enough, or nothing was measured any more and the rule takes that for good.
    Good,
    /// Its rule was taken away, or judges something else now.
    RuleGone,
    /// What it was about was taken away: [`Engine::forget`](super::Engine::forget).
    Forgotten,
}

/// A rule's word on a label set, at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The rule.
    pub rule: String,
    /// See [`dedup_key`](super::dedup_key).
    pub dedup_key: String,
    /// Those of the series and the rule, `alertname` and `severity`.
    pub labels: Labels,
    /// How bad it is.
    pub severity: Severity,
    /// The value that was judged, in the base unit; `None` if there was none.
    pub value: Option<f64>,
    /// The value and threshold with their units; empty for a watchdog.
    pub finding: String,
    /// The rule's texts with their places filled, by name.
    pub annotations: Vec<(String, String)>,
    /// What the rule wants done.
    pub actions: Vec<Action>,
    /// The open or just closed incident; `None` while pending.
    pub incident: Option<Incident>,
    /// When the incident was over.
    pub resolved: Option<Moment>,
    /// Whether it is a heartbeat.
    pub watchdog: bool,
    /// How often somebody is told again while it fires, in seconds.
    pub repeat_seconds: u64,
}

impl Alert {
    /// Its summary: the annotation of that name, else the rule's name and labels.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.annotations.iter().find(|(name, _)| name == "summary") {
            Some((_, summary)) => summary.clone(),
            None => format!("{} {}", self.rule, self.labels),
        }
    }

    /// The sinks to be told, by name, empty for all; `None` if nobody is to be told.
    #[must_use]
    pub fn sinks(&self) -> Option<&[String]> {
        self.actions.iter().find_map(|action| match action {
            Action::Notify { sinks } => Some(sinks.as_slice()),
            _ => None,
        })
    }
}
