//! Alerts that are told together, and what each sink knows of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Alert;
use super::labels::Labels;
use super::notification::{Notice, Status};
use super::time::Moment;

/// What tells groups apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct GroupKey {
    pub(super) sinks: Vec<String>,
    pub(super) labels: Labels,
    /// A watchdog is told by itself.
    pub(super) watchdog: Option<String>,
}

/// An alert that somebody is, was or will be told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) group: GroupKey,
    pub(super) alert: Alert,
    pub(super) firing: bool,
    /// When it last began to fire or was over.
    pub(super) changed: Moment,
    /// Who knows that it fires.
    pub(super) told: BTreeSet<String>,
    /// When somebody was first told.
    pub(super) told_at: Option<Moment>,
    /// When somebody was last told.
    pub(super) said: Moment,
    pub(super) acknowledged: Option<Acknowledgement>,
    /// Steps of the escalation that were taken.
    pub(super) escalated: usize,
}

/// Somebody looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Moment,
}

impl Member {
    /// Whether somebody of its group does not know yet that it fires.
    pub(super) fn is_news(&self) -> bool {
        self.firing && !self.group.sinks.iter().all(|sink| self.told.contains(sink))
    }

    /// Whether somebody of its group was told that it fires.
    pub(super) fn is_known_to_group(&self) -> bool {
        self.group.sinks.iter().any(|sink| self.told.contains(sink))
    }

    pub(super) fn is_repeat_due(&self, now: Moment) -> bool {
        let repeat = Duration::from_secs(self.alert.repeat_seconds);
        self.firing && self.acknowledged.is_none() && !self.told.is_empty() && now.since(self.said) >= repeat
    }

    pub(super) fn notice(&self, new: bool) -> Notice {
        let status = match (&self.acknowledged, self.firing) {
            (_, false) => Status::Resolved,
            (Some(_), _) => Status::Acknowledged,
            (None, _) => Status::Firing,
        };
        Notice { alert: self.alert.clone(), status, new }
    }

    pub(super) fn tell(&mut self, sinks: &[String], now: Moment) {
        self.told.extend(sinks.iter().cloned());
        self.told_at.get_or_insert(now);
        self.said = now;
    }
}

impl GroupKey {
    /// When there is something to tell that began to wait at `since`, and the group was last told something at `last`.
    pub(super) fn due(
        &self,
        since: Moment,
        last: Option<Moment>,
        wait: Duration,
        interval: Duration,
    ) -> Moment {
        match last {
            _ if self.watchdog.is_some() => since,
            None => since.after(wait),
            Some(last) => since.max(last.after(interval)),
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{}:{}{}", self.sinks.join(","), self.labels, self.watchdog.as_deref().unwrap_or_default())
    }
}
