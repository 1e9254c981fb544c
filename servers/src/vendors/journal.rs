//! What a stand-in remembers.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::fault::Fault;

/// A request that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The path, with its query.
    pub path: String,
    /// The headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Value,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The status that it was refused with.
    pub status: u16,
    /// Everything that was wrong with it.
    pub faults: Vec<String>,
}

/// What a service knows of an incident, by its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Incident {
    pub(super) open: bool,
    pub(super) acknowledged: bool,
    /// How often it was opened.
    pub(super) opened: usize,
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) script: VecDeque<Fault>,
    pub(super) requests: usize,
    pub(super) accepted: Vec<Accepted>,
    pub(super) refused: Vec<Refused>,
    pub(super) duplicates: Vec<String>,
    pub(super) incidents: BTreeMap<String, Incident>,
}

impl Journal {
    /// A service is told that something fires.
    pub(super) fn open(&mut self, key: &str) {
        let incident = self.incidents.entry(key.to_owned()).or_default();
        if incident.open {
            self.duplicates.push(format!("{key} was opened while it was open"));
        } else {
            *incident = Incident { open: true, acknowledged: false, opened: incident.opened + 1 };
        }
    }

    /// A service is told that somebody looks after it.
    pub(super) fn acknowledge(&mut self, key: &str) {
        let incident = self.incidents.entry(key.to_owned()).or_default();
        if !incident.open || incident.acknowledged {
            self.duplicates.push(format!("{key} was acknowledged while it was not open, or twice"));
        }
        incident.acknowledged = incident.open;
    }

    /// A service is told that it is over.
    pub(super) fn close(&mut self, key: &str) {
        let incident = self.incidents.entry(key.to_owned()).or_default();
        if !incident.open {
            self.duplicates.push(format!("{key} was closed while it was not open"));
        }
        (incident.open, incident.acknowledged) = (false, false);
    }
}
