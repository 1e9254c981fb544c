//! What is to be sent.

use serde::{Deserialize, Serialize};

use super::event::Alert;
use super::labels::Labels;
use super::time::Moment;

/// Something to be sent to some sinks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Its own, the same however often it is sent: by it a receiver knows a repetition.
    pub id: String,
    /// When it was decided.
    pub at: Moment,
    /// Why it is sent.
    pub why: Why,
    /// To whom, by name.
    pub sinks: Vec<String>,
    /// The group's key: the same for every notification of the group.
    pub group_key: String,
    /// The labels that all of the group share because they are grouped by them.
    pub group_labels: Labels,
    /// What is said, what is new first; at most 100.
    pub notices: Vec<Notice>,
    /// Alerts that go on firing and are left out for want of room.
    pub more: usize,
}

/// Why a notification is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Something fires.
    Fired,
    /// Something is over, and nothing new fires.
    Resolved,
    /// Something still fires, and nobody has acknowledged it.
    Repeat,
    /// The watchdog's heart beats.
    Heartbeat,
    /// Nobody has acknowledged it for so long that others are told: the step, from 1.
    Escalation(usize),
    /// Somebody has acknowledged it.
    Acknowledged,
}

impl Why {
    /// In a word: for logs and tests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Resolved => "resolved",
            Self::Repeat => "repeat",
            Self::Heartbeat => "heartbeat",
            Self::Escalation(_) => "escalation",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// One alert in a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The alert.
    pub alert: Alert,
    /// Where it stands.
    pub status: Status,
    /// Whether these sinks were not told so before. Sinks that keep incidents need hear of nothing else.
    pub new: bool,
}

/// Where an alert stands, for those who are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It fires.
    Firing,
    /// It fires, and somebody looks after it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Status {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}
