//! What waits for one sink, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::entry::{Entry, Fate, Stage};
use crate::alert::event::Alert;
use crate::alert::notification::Status;
use crate::alert::time::Moment;

/// What waits for one sink, and what that sink may know.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) entries: BTreeMap<i64, Entry>,
    /// Alerts that it may know to fire, or was told are over a while ago.
    pub(super) told: BTreeMap<String, Told>,
}

/// What a sink may know of an alert.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// When and how it was told that it is over, if it was: kept to be told again.
    pub(super) closed: Option<(Moment, Box<Alert>)>,
    pub(super) unsaved: Option<u64>,
    /// Forgotten, once that is stored.
    pub(super) gone: bool,
}

/// What is to be done for a sink next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// This one, now.
    Due(i64),
    /// Nothing before then.
    At(Moment),
    Nothing,
}

impl Lane {
    /// What to try next. What is about the same alert, or the same group, is tried in its order and one after the other.
    /// Of the rest, what was tried least comes first, so that what does not get through holds nothing else up.
    pub(super) fn next(&self, now: Moment) -> Next {
        let mut held: BTreeSet<&str> = BTreeSet::new();
        let mut due: Option<(u32, i64)> = None;
        let mut soonest: Option<Moment> = None;
        for entry in self.entries.values().filter(|it| !it.is_settled()) {
            let is_held = entry.subjects().any(|it| held.contains(it));
            if !is_held && entry.is_waiting() && entry.stored {
                if entry.due <= now {
                    let this = (entry.attempts, entry.seq);
                    due = Some(due.map_or(this, |it| it.min(this)));
                } else {
                    soonest = Some(soonest.map_or(entry.due, |it| it.min(entry.due)));
                }
            }
            held.extend(entry.subjects());
        }
        match (due, soonest) {
            (Some((_, seq)), _) => Next::Due(seq),
            (None, Some(at)) => Next::At(at),
            (None, None) => Next::Nothing,
        }
    }

    /// Settles repetitions that are older than `age`.
    pub(super) fn expire(&mut self, age: Duration, now: Moment, revision: u64) -> u64 {
        let old = |it: &&mut Entry| it.is_waiting() && it.is_repetition() && now.since(it.queued) >= age;
        let expired = self.entries.values_mut().filter(old);
        expired.map(|it| it.settle(Fate::Expired, None, now, revision)).count() as u64
    }

    /// Of these alerts, which just ended, those of which the sink cannot have heard since they were last over: their
    /// beginning waits untried, or was never for this sink.
    pub(super) fn unheard(&self, ended: BTreeSet<String>) -> BTreeSet<String> {
        let unheard = |key: &String| {
            let since_end: Vec<&Entry> = {
                let live = || self.entries.values().filter(|it| !it.is_settled());
                let end = live().filter(|it| it.ends(key)).map(|it| it.seq).max();
                if end.is_none() && self.told.get(key).is_some_and(Told::is_open) {
                    return false;
                }
                live().filter(|it| end.is_none_or(|end| it.seq > end) && it.tells_of(key)).collect()
            };
            since_end.iter().all(|it| it.is_untried())
        };
        ended.into_iter().filter(unheard).collect()
    }

    /// Takes every word on these alerts out of what waits since they were last over.
    pub(super) fn cancel(&mut self, keys: &BTreeSet<String>, now: Moment, revision: u64) -> u64 {
        let mut cancelled = 0;
        for key in keys {
            let live = |it: &&Entry| !it.is_settled();
            let end = self.entries.values().filter(live).filter(|it| it.ends(key)).map(|it| it.seq).max();
            let one = BTreeSet::from([key.clone()]);
            for entry in self.entries.values_mut() {
                if entry.is_untried() && end.is_none_or(|end| entry.seq > end) && entry.tells_of(key) {
                    entry.unsaved = Some(revision);
                    if !entry.strip(&one) {
                        entry.settle(Fate::Cancelled, None, now, revision);
                        cancelled += 1;
                    }
                }
            }
        }
        cancelled
    }

    /// Remembers that the sink may hear now of everything that this entry says fires.
    pub(super) fn may_hear(&mut self, seq: i64, revision: u64) {
        let Some(entry) = self.entries.get(&seq) else { return };
        for notice in entry.notification.notices.iter().filter(|it| it.status != Status::Resolved) {
            let told = Told { closed: None, unsaved: Some(revision), gone: false };
            match self.told.get(&notice.alert.dedup_key) {
                Some(known) if known.is_open() => {}
                _ => drop(self.told.insert(notice.alert.dedup_key.clone(), told)),
            }
        }
    }

    /// Remembers that the sink knows, or will never know, that what this entry says is over is over. It is told again
    /// while `closed` is remembered.
    pub(super) fn has_heard(&mut self, seq: i64, remember: bool, now: Moment, revision: u64) {
        let Some(entry) = self.entries.get(&seq) else { return };
        for notice in entry.notification.notices.iter().filter(|it| it.status == Status::Resolved) {
            let closed = remember.then(|| (now, Box::new(notice.alert.clone())));
            let told = Told { gone: closed.is_none(), closed, unsaved: Some(revision) };
            self.told.insert(notice.alert.dedup_key.clone(), told);
        }
    }

    /// Forgets what was over for longer than `age`.
    pub(super) fn forget_closed(&mut self, age: Duration, now: Moment, revision: u64) {
        for told in self.told.values_mut() {
            if told.closed.as_ref().is_some_and(|(at, _)| now.since(*at) > age) {
                *told = Told { closed: None, unsaved: Some(revision), gone: true };
            }
        }
    }

    /// Notifications that wait or are on their way.
    pub(super) fn live(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|it| !it.is_settled())
    }
}

impl Told {
    /// Whether the sink may believe that it fires.
    pub(super) fn is_open(&self) -> bool {
        self.closed.is_none() && !self.gone
    }
}

impl Entry {
    pub(super) fn settle(&mut self, fate: Fate, reason: Option<String>, now: Moment, revision: u64) {
        self.stage = Stage::Settled(fate, now);
        self.reason = reason.or(self.reason.take());
        self.unsaved = Some(revision);
    }
}
