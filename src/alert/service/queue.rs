//! What waits to be sent: pure, so that every order of events can be tested without a database or a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::entry::{Entry, Fate, Stage, is_end};
use super::lane::{Lane, Next};
use crate::alert::notification::Notification;
use crate::alert::time::Moment;

/// What waits for every sink.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) lanes: BTreeMap<String, Lane>,
    last_seq: i64,
    /// Counts changes, so that what is changed while it is being stored is stored again.
    revision: u64,
    most: usize,
    repeats_last: Duration,
    /// Settled without an attempt since they were last asked for.
    settled: BTreeMap<(String, Fate), u64>,
}

/// An attempt to be made.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) seq: i64,
    pub(super) number: u32,
    pub(super) notification: Arc<Notification>,
}

impl Queue {
    pub(super) fn new(most: usize, repeats_last: Duration) -> Self {
        let (lanes, settled) = (BTreeMap::new(), BTreeMap::new());
        Self { lanes, last_seq: 0, revision: 0, most: most.max(1), repeats_last, settled }
    }

    /// Puts in what was stored; `last_seq` is the highest place ever given.
    pub(super) fn restore(&mut self, entries: Vec<Entry>, last_seq: i64) {
        self.last_seq = last_seq;
        for entry in entries {
            self.last_seq = self.last_seq.max(entry.seq);
            self.lane(&entry.sink.clone()).entries.insert(entry.seq, entry);
        }
    }

    pub(super) fn lane(&mut self, sink: &str) -> &mut Lane {
        self.lanes.entry(sink.to_owned()).or_default()
    }

    pub(super) fn revise(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Queues a notification for each of its sinks.
    ///
    /// What is over and was never tried to be told is taken out together with its beginning, and a repetition gives way
    /// to every newer word on its group.
    pub(super) fn push(&mut self, notification: &Notification, now: Moment) {
        let revision = self.revise();
        for sink in &notification.sinks {
            self.push_to(sink, notification, now, revision);
        }
        self.make_room(now, revision);
    }

    fn push_to(&mut self, sink: &str, notification: &Notification, now: Moment, revision: u64) {
        let lane = self.lanes.entry(sink.to_owned()).or_default();
        let mut settled = |fate, count| {
            if count > 0 {
                *self.settled.entry((sink.to_owned(), fate)).or_default() += count;
            }
        };
        let same_group = |it: &&mut Entry| {
            it.is_waiting() && it.is_repetition() && it.notification.group_key == notification.group_key
        };
        let superseded = lane.entries.values_mut().filter(same_group);
        settled(
            Fate::Superseded,
            superseded.map(|it| it.settle(Fate::Superseded, None, now, revision)).count() as u64,
        );
        let mut entry = Entry {
            seq: self.last_seq + 1,
            sink: sink.to_owned(),
            notification: Arc::new(notification.clone()),
            queued: now,
            attempts: 0,
            due: now,
            stage: Stage::Waiting,
            reason: None,
            unsaved: Some(revision),
            stored: false,
        };
        let ended = notification.notices.iter().filter(|it| is_end(it));
        let ended: BTreeSet<String> = ended.map(|it| it.alert.dedup_key.clone()).collect();
        if !ended.is_empty() {
            let unheard = lane.unheard(ended);
            settled(Fate::Cancelled, lane.cancel(&unheard, now, revision));
            if !unheard.is_empty() && !entry.strip(&unheard) {
                return;
            }
        }
        self.last_seq += 1;
        lane.entries.insert(entry.seq, entry);
    }

    /// Over the bound, the least important go, the oldest of them first.
    fn make_room(&mut self, now: Moment, revision: u64) {
        let size = |it: &Entry| it.notification.notices.len().max(1);
        let mut waiting: usize = self.lanes.values().flat_map(Lane::live).map(size).sum();
        if waiting <= self.most {
            return;
        }
        let each = self.lanes.values().flat_map(Lane::live);
        let mut expendable: Vec<(u8, i64, String)> =
            each.filter_map(|it| Some((it.expendability()?, it.seq, it.sink.clone()))).collect();
        expendable.sort_unstable();
        for (_, seq, sink) in expendable {
            if waiting <= self.most {
                break;
            }
            let Some(entry) = self.lanes.get_mut(&sink).and_then(|it| it.entries.get_mut(&seq)) else {
                continue;
            };
            waiting -= size(entry);
            let reason = "it had to make room: too much waits for its sinks".to_owned();
            entry.settle(Fate::Evicted, Some(reason), now, revision);
            tracing::error!(
                sink,
                notification = entry.notification.id,
                why = entry.notification.why.as_str(),
                "a notification had to make room: too much waits for its sinks"
            );
            *self.settled.entry((sink, Fate::Evicted)).or_default() += 1;
        }
    }

    /// What to try for this sink next.
    pub(super) fn next(&mut self, sink: &str, now: Moment) -> Next {
        let revision = self.revise();
        let Some(lane) = self.lanes.get_mut(sink) else { return Next::Nothing };
        let expired = lane.expire(self.repeats_last, now, revision);
        if expired > 0 {
            *self.settled.entry((sink.to_owned(), Fate::Expired)).or_default() += expired;
        }
        lane.next(now)
    }

    /// Begins an attempt. It may be made once this is stored.
    pub(super) fn begin(&mut self, sink: &str, seq: i64) -> Option<Attempt> {
        let revision = self.revise();
        let lane = self.lanes.get_mut(sink)?;
        let entry = lane.entries.get_mut(&seq).filter(|it| it.is_waiting())?;
        entry.attempts = entry.attempts.saturating_add(1);
        entry.stage = Stage::InFlight;
        entry.unsaved = Some(revision);
        let attempt = Attempt { seq, number: entry.attempts, notification: Arc::clone(&entry.notification) };
        lane.may_hear(seq, revision);
        Some(attempt)
    }

    /// The attempt was not made after all: it could not be stored that it would be.
    pub(super) fn unbegin(&mut self, sink: &str, seq: i64, due: Moment) {
        let revision = self.revise();
        // What the sink may know stays: that it may know too much costs a needless word, too little a missing one.
        if let Some(entry) = self.in_flight(sink, seq) {
            entry.attempts -= 1;
            (entry.stage, entry.due, entry.unsaved) = (Stage::Waiting, due, Some(revision));
        }
    }

    /// The attempt failed and is made again, unless it is of a repetition to which a newer word has come meanwhile.
    pub(super) fn retry(&mut self, sink: &str, seq: i64, due: Moment, reason: String) {
        let revision = self.revise();
        let Some(entry) = self.in_flight(sink, seq) else { return };
        (entry.stage, entry.due, entry.unsaved) = (Stage::Waiting, due, Some(revision));
        entry.reason = Some(reason);
        if !entry.is_repetition() {
            return;
        }
        let group = entry.notification.group_key.clone();
        let lane = self.lane(sink);
        let newer = lane.live().any(|it| it.seq > seq && it.notification.group_key == group);
        if let Some(entry) = lane.entries.get_mut(&seq).filter(|_| newer) {
            entry.settle(Fate::Superseded, None, due, revision);
            *self.settled.entry((sink.to_owned(), Fate::Superseded)).or_default() += 1;
        }
    }

    /// The attempt was the last. `remember` keeps what is over, to tell it again.
    pub(super) fn settle(
        &mut self,
        sink: &str,
        seq: i64,
        fate: Fate,
        reason: Option<String>,
        remember: bool,
        now: Moment,
    ) {
        let revision = self.revise();
        let Some(entry) = self.in_flight(sink, seq) else { return };
        if fate == Fate::Delivered {
            entry.reason = None;
        }
        entry.settle(fate, reason, now, revision);
        *self.settled.entry((sink.to_owned(), fate)).or_default() += 1;
        self.lane(sink).has_heard(seq, remember, now, revision);
    }

    /// Gives up everything for sinks that are no more.
    pub(super) fn keep_sinks(&mut self, sinks: &[String], now: Moment) {
        let revision = self.revise();
        for (sink, lane) in self.lanes.iter_mut().filter(|(sink, _)| !sinks.contains(sink)) {
            for entry in lane.entries.values_mut().filter(|it| it.is_waiting()) {
                tracing::error!(
                    sink,
                    notification = entry.notification.id,
                    why = entry.notification.why.as_str(),
                    "a notification is given up: its sink was taken away"
                );
                entry.settle(Fate::Undeliverable, Some("its sink was taken away".to_owned()), now, revision);
                *self.settled.entry((sink.clone(), Fate::Undeliverable)).or_default() += 1;
            }
            for told in lane.told.values_mut() {
                (told.closed, told.gone, told.unsaved) = (None, true, Some(revision));
            }
        }
    }

    fn in_flight(&mut self, sink: &str, seq: i64) -> Option<&mut Entry> {
        let entry = self.lanes.get_mut(sink)?.entries.get_mut(&seq)?;
        (entry.stage == Stage::InFlight).then_some(entry)
    }

    /// What was settled since this was last asked, by sink.
    pub(super) fn take_settled(&mut self) -> BTreeMap<(String, Fate), u64> {
        std::mem::take(&mut self.settled)
    }
}
