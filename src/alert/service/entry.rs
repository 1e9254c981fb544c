//! A notification on its way to one sink.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::alert::notification::{Notice, Notification, Status, Why};
use crate::alert::time::Moment;

/// A notification on its way to one sink, as the table has it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place among all: what is queued later has a higher one.
    pub(super) seq: i64,
    pub(super) sink: String,
    pub(super) notification: Arc<Notification>,
    pub(super) queued: Moment,
    /// Attempts that were begun.
    pub(super) attempts: u32,
    /// Not to be tried before.
    pub(super) due: Moment,
    pub(super) stage: Stage,
    /// What went wrong last.
    pub(super) reason: Option<String>,
    /// The revision of the last change that is not stored yet.
    pub(super) unsaved: Option<u64>,
    /// Whether it is stored in some form: what is not is not sent.
    pub(super) stored: bool,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    /// An attempt is being made.
    InFlight,
    /// Nothing more is done.
    Settled(Fate, Moment),
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// The sink was told, or nothing of it concerns that sink.
    Delivered,
    /// The sink does not take it, and would not take it again: somebody has to look.
    Undeliverable,
    /// What it tells was over before anybody was told, and nobody is.
    Cancelled,
    /// A repetition or heartbeat that a newer word on the same alerts made needless.
    Superseded,
    /// A repetition or heartbeat that got too old.
    Expired,
    /// It had to make room.
    Evicted,
}

impl Fate {
    /// Each, by its name in tables and metrics.
    pub const NAMES: [(&str, Self); 6] = [
        ("delivered", Self::Delivered),
        ("undeliverable", Self::Undeliverable),
        ("cancelled", Self::Cancelled),
        ("superseded", Self::Superseded),
        ("expired", Self::Expired),
        ("evicted", Self::Evicted),
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

impl Entry {
    pub(super) fn is_waiting(&self) -> bool {
        self.stage == Stage::Waiting
    }

    pub(super) fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Settled(..))
    }

    /// Whether nobody can have heard of it.
    pub(super) fn is_untried(&self) -> bool {
        self.is_waiting() && self.attempts == 0
    }

    /// Whether a newer word on its alerts says as much.
    pub(super) fn is_repetition(&self) -> bool {
        matches!(self.notification.why, Why::Repeat | Why::Heartbeat)
    }

    pub(super) fn tells_of(&self, key: &str) -> bool {
        self.notification.notices.iter().any(|it| it.alert.dedup_key == key)
    }

    /// Whether it is the word that this alert is over.
    pub(super) fn ends(&self, key: &str) -> bool {
        self.notification.notices.iter().any(|it| is_end(it) && it.alert.dedup_key == key)
    }

    /// What must not be told out of order: the alerts, and the group.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &str> {
        let notices = self.notification.notices.iter().map(|it| it.alert.dedup_key.as_str());
        notices.chain(std::iter::once(self.notification.group_key.as_str()))
    }

    /// Takes out every word on these alerts. Whether there is still something new in it.
    pub(super) fn strip(&mut self, keys: &BTreeSet<String>) -> bool {
        let notification = Arc::make_mut(&mut self.notification);
        notification.notices.retain(|it| !keys.contains(&it.alert.dedup_key));
        let news = |status| notification.notices.iter().any(|it| it.new && it.status == status);
        if notification.why == Why::Fired && !news(Status::Firing) && news(Status::Resolved) {
            notification.why = Why::Resolved;
        }
        // A repetition says nothing new, and is about the others all the same.
        match notification.why {
            Why::Repeat | Why::Heartbeat => !notification.notices.is_empty(),
            _ => notification.notices.iter().any(|it| it.new),
        }
    }

    /// How little it matters, least first: what goes when there is no room. Never that something is over.
    pub(super) fn expendability(&self) -> Option<u8> {
        if !self.is_waiting() || self.notification.notices.iter().any(is_end) {
            return None;
        }
        match self.notification.why {
            Why::Heartbeat => Some(0),
            Why::Repeat => Some(1),
            Why::Acknowledged => Some(2),
            Why::Escalation(_) => Some(3),
            Why::Fired | Why::Resolved => Some(4),
        }
    }
}

pub(super) fn is_end(notice: &Notice) -> bool {
    notice.new && notice.status == Status::Resolved
}
