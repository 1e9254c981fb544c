//! A lane between a store and a feeder, whatever the order in which commits become visible, are noted and are read.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use crate::delivery::outbox::id::StoredId;
use crate::delivery::outbox::lane::{Content, Lane, Numbers, Task, Waiting};
use crate::delivery::outbox::row::Stored;
use crate::sync::Arc;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A group commit of so many begins, unless one is under way: numbers are given.
    Commit(u8),
    /// It becomes visible, or (`false`) is undone.
    Visible(bool),
    /// So many of its notes are made.
    Note(u8),
    /// A transaction of one message begins.
    Begin,
    /// A transaction (the nth that is open) becomes visible, its note is due.
    End(u8),
    /// The note of a transaction that ended is made.
    NoteEnd(u8),
    /// A transaction is undone.
    Undo(u8),
    /// A transaction ended, nobody knows how; whether it was committed.
    Doubt(u8, bool),
    /// The feeder begins what it is to do; a reading takes its picture of the store here …
    Feed,
    /// … and hands it over here.
    Finish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..5).prop_map(Step::Commit),
        4 => prop_oneof![6 => Just(true), 1 => Just(false)].prop_map(Step::Visible),
        5 => (1_u8..6).prop_map(Step::Note),
        3 => Just(Step::Begin),
        2 => any::<u8>().prop_map(Step::End),
        3 => any::<u8>().prop_map(Step::NoteEnd),
        1 => any::<u8>().prop_map(Step::Undo),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(which, kept)| Step::Doubt(which, kept)),
        6 => Just(Step::Feed),
        5 => Just(Step::Finish),
    ]
}

struct Bed {
    lane: Lane<i64>,
    /// Numbers of the group commit under way that is not visible yet.
    committing: Vec<StoredId>,
    /// Visible in the store: whether of a group commit.
    visible: BTreeMap<StoredId, bool>,
    notes: VecDeque<StoredId>,
    open: Vec<StoredId>,
    ended: Vec<StoredId>,
    reading: Option<(i64, Vec<Stored>, bool)>,
    delivered: Vec<StoredId>,
}

const AGENT: u16 = 3;
const LANE: usize = 2;
/// Stored by a life before this one.
const FOUND: i64 = 5;

impl Bed {
    fn new(window: usize) -> Self {
        let visible = (1..=FOUND).map(|number| (StoredId::new(AGENT, LANE, number), true)).collect();
        Self {
            lane: Lane::new(AGENT, LANE, Arc::new(Numbers::from(FOUND + 1)), window),
            committing: Vec::new(),
            visible,
            notes: VecDeque::new(),
            open: Vec::new(),
            ended: Vec::new(),
            reading: None,
            delivered: Vec::new(),
        }
    }

    fn take(from: &mut Vec<StoredId>, which: u8) -> Option<StoredId> {
        (!from.is_empty()).then(|| from.remove(usize::from(which) % from.len()))
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Commit(count) if self.committing.is_empty() && self.notes.is_empty() => {
                self.committing = (0..count).map(|_| self.lane.number()).collect();
            }
            Step::Commit(_) => {}
            Step::Visible(true) => {
                self.visible.extend(self.committing.iter().map(|id| (*id, true)));
                self.notes.extend(self.committing.drain(..));
            }
            Step::Visible(false) => self.committing.drain(..).for_each(|id| self.lane.not_committed(id)),
            Step::Note(count) => {
                for _ in 0..count {
                    if let Some(id) = self.notes.pop_front() {
                        self.lane.committed(fresh(id));
                    }
                }
            }
            Step::Begin => {
                let id = self.lane.number_open();
                self.open.push(id);
            }
            Step::End(which) => {
                if let Some(id) = Self::take(&mut self.open, which) {
                    self.visible.insert(id, false);
                    self.ended.push(id);
                }
            }
            Step::NoteEnd(which) => {
                if let Some(id) = Self::take(&mut self.ended, which) {
                    self.lane.ended_well(fresh(id));
                }
            }
            Step::Undo(which) => {
                if let Some(id) = Self::take(&mut self.open, which) {
                    self.lane.undone(id);
                }
            }
            Step::Doubt(which, kept) => {
                if let Some(id) = Self::take(&mut self.open, which) {
                    if kept {
                        self.visible.insert(id, false);
                    }
                    self.lane.doubtful(id);
                }
            }
            Step::Feed if self.reading.is_some() => self.step(Step::Finish),
            Step::Feed => {
                self.feed();
            }
            Step::Finish => {
                if let Some((target, found, whole)) = self.reading.take() {
                    self.lane.read(target, found, whole, FOUND + 1);
                }
            }
        }
    }

    /// Whether there was anything to do.
    fn feed(&mut self) -> bool {
        match self.lane.next_task() {
            Task::Sleep => return false,
            Task::HandOver => {
                let waiting = self.lane.state().pop().unwrap();
                assert_eq!(waiting.redelivered, waiting.id.sequence() <= FOUND);
                self.delivered.push(waiting.id);
            }
            Task::LookUp(ids) => {
                for id in ids {
                    if self.visible.contains_key(&id) {
                        self.lane.found(stored(id));
                    }
                }
            }
            Task::Read { after, bound, target, wanted } => {
                let after = StoredId::stored(after);
                let beyond = self.visible.keys().filter(|id| **id > after && **id <= bound);
                let found: Vec<Stored> = beyond.take(wanted).map(|id| stored(*id)).collect();
                let whole = found.len() < wanted;
                self.reading = Some((target, found, whole));
            }
        }
        true
    }

    fn end(&mut self) {
        while let Some(id) = self.open.pop() {
            self.lane.undone(id);
        }
        self.step(Step::Finish);
        self.step(Step::Visible(true));
        self.step(Step::Note(u8::MAX));
        while !self.ended.is_empty() {
            self.step(Step::NoteEnd(0));
        }
        while self.feed() {
            self.step(Step::Finish);
        }
    }
}

fn fresh(id: StoredId) -> Waiting<i64> {
    Waiting { id, key: None, deadline: None, redelivered: false, content: Content::Fresh(id.get()) }
}

fn stored(id: StoredId) -> Stored {
    Stored { id, format: None, key: None, deadline: None, body: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_committed_is_handed_over_once_and_group_commits_in_order(
        window in 1_usize..6,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut bed = Bed::new(window);
        steps.into_iter().for_each(|step| bed.step(step));
        bed.end();
        let mut sorted = bed.delivered.clone();
        sorted.sort_unstable();
        let committed: Vec<StoredId> = bed.visible.keys().copied().collect();
        prop_assert_eq!(&sorted, &committed);
        let in_order: Vec<StoredId> = bed.delivered.iter().copied().filter(|id| bed.visible[id]).collect();
        prop_assert!(in_order.is_sorted());
        prop_assert!(bed.lane.in_memory() == 0);
    }
}
