//! Between the store and the mailbox: what of one agent and one priority is stored and not handed over yet.
//!
//! A commit puts its messages here, and the feeder takes them out, in order of their numbers. Memory holds a window of
//! them; when that is full, further ones are only marked ("behind"), and the feeder reads them back from the store when
//! it gets there. So a backlog of a million costs a window of memory, and the usual message is never read back.
//!
//! Two rules keep each message from being handed over twice, never, or out of order:
//!
//! * A commit becomes visible in the store *before* it is noted here, and a number is given *before* its message is
//!   visible. So what is visible says nothing of smaller numbers. The reader therefore goes no further than the numbers
//!   whose group commit was noted when it began (its [`bound`](Task::Read)); group commits are noted in order of their
//!   numbers, so it passes none.
//! * Messages of a transaction that a handler leads become visible in any order. They are `open` until their end is
//!   noted, and taken in by that note alone: the reader leaves them out, also those noted `ahead` of it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::AtomicI64;

use tokio::sync::Notify;

use super::id::StoredId;
use super::row::Stored;
use crate::message::Key;
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, lock};

pub(super) struct Lane<M> {
    state: Mutex<LaneState<M>>,
    rung: Notify,
    window: usize,
    agent: u16,
    lane: usize,
    numbers: Arc<Numbers>,
}

/// The sequence of an agent, which its lanes share.
pub(super) struct Numbers(AtomicI64);

impl Numbers {
    pub(super) fn from(first: i64) -> Self {
        Self(AtomicI64::new(first))
    }

    /// The next to be given.
    pub(super) fn next(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Messages read back at a time, at most.
const PAGE: usize = 256;

pub(super) struct LaneState<M> {
    waiting: VecDeque<Waiting<M>>,
    /// Everything up to this number was taken into `waiting` (or is `open`).
    cursor: i64,
    /// Up to this number there may be messages in the store that were not.
    behind: i64,
    /// Numbers given to a group commit that was not noted yet.
    committing: BTreeSet<StoredId>,
    /// Numbers given to transactions that have not ended yet.
    open: BTreeSet<StoredId>,
    /// Numbers above the cursor that were taken into `waiting` out of order.
    ahead: BTreeSet<StoredId>,
    /// Numbers of which it is not known whether they were committed.
    doubtful: Vec<StoredId>,
}

/// A message that may be handed over.
pub(super) struct Waiting<M> {
    pub(super) id: StoredId,
    pub(super) key: Option<Key>,
    /// Microseconds since 1970.
    pub(super) deadline: Option<i64>,
    /// It may have been delivered before.
    pub(super) redelivered: bool,
    pub(super) content: Content<M>,
}

/// A message as it was sent, or as it was read back.
pub(super) enum Content<M> {
    Fresh(M),
    Stored(Stored),
}

/// What a feeder is to do next.
pub(super) enum Task {
    /// Hand over what waits in memory.
    HandOver,
    /// Look whether these were committed.
    LookUp(Vec<StoredId>),
    /// Read on in the store, after one number and up to another. What was marked up to `target` is there or gone.
    Read { after: i64, bound: StoredId, target: i64, wanted: usize },
    /// Wait for [`Lane::rung`].
    Sleep,
}

impl<M> Lane<M> {
    /// A lane whose messages from before the first of `numbers` are in the store, if anywhere.
    pub(super) fn new(agent: u16, lane: usize, numbers: Arc<Numbers>, window: usize) -> Self {
        let (first, _) = StoredId::span(agent, lane);
        let behind = StoredId::new(agent, lane, numbers.next().saturating_sub(1)).get();
        let state = LaneState {
            waiting: VecDeque::new(),
            cursor: first.get() - 1,
            behind,
            committing: BTreeSet::new(),
            open: BTreeSet::new(),
            ahead: BTreeSet::new(),
            doubtful: Vec::new(),
        };
        Self { state: Mutex::new(state), rung: Notify::new(), window, agent, lane, numbers }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, LaneState<M>> {
        lock(&self.state)
    }

    /// Resolves when there may be something to do. Cancel safe.
    pub(super) async fn rung(&self) {
        self.rung.notified().await;
    }

    /// A number for a message of the group commit under way.
    pub(super) fn number(&self) -> StoredId {
        let mut state = self.state();
        let id = self.draw();
        state.committing.insert(id);
        id
    }

    /// A number for a message of a transaction.
    pub(super) fn number_open(&self) -> StoredId {
        let mut state = self.state();
        let id = self.draw();
        state.open.insert(id);
        id
    }

    /// Under the lock of the lane: whoever sees that a number was given also sees to whom.
    fn draw(&self) -> StoredId {
        StoredId::new(self.agent, self.lane, self.numbers.0.fetch_add(1, Ordering::Relaxed))
    }

    /// A message of a group commit is in the store. Noted in order of numbers.
    pub(super) fn committed(&self, message: Waiting<M>) {
        let mut state = self.state();
        let id = message.id.get();
        state.committing.remove(&message.id);
        if state.is_behind() || state.waiting.len() >= self.window {
            state.behind = id;
        } else {
            state.advance(id);
            state.waiting.push_back(message);
        }
        drop(state);
        self.rung.notify_one();
    }

    /// A message of a group commit was not stored.
    pub(super) fn not_committed(&self, id: StoredId) {
        self.state().committing.remove(&id);
        self.rung.notify_one();
    }

    /// The transaction of a number was committed.
    pub(super) fn ended_well(&self, message: Waiting<M>) {
        let mut state = self.state();
        state.open.remove(&message.id);
        state.take_in(message);
        drop(state);
        self.rung.notify_one();
    }

    /// The transaction of a number was undone.
    pub(super) fn undone(&self, id: StoredId) {
        self.state().open.remove(&id);
    }

    /// The transaction or group commit of a number ended, nobody knows how.
    pub(super) fn doubtful(&self, id: StoredId) {
        let mut state = self.state();
        state.open.remove(&id);
        state.committing.remove(&id);
        state.doubtful.push(id);
        drop(state);
        self.rung.notify_one();
    }

    /// A doubtful number was looked up and found.
    pub(super) fn found(&self, stored: Stored) {
        self.state().take_in(Waiting::read_back(stored, false));
    }

    /// What was found by a [`Task::Read`]; `whole` if that was all there is.
    pub(super) fn read(&self, target: i64, found: Vec<Stored>, whole: bool, redelivered_below: i64) {
        let mut state = self.state();
        let last = found.last().map(|stored| stored.id.get());
        for stored in found {
            let id = stored.id;
            // Taken in by a note of their own, made or to be made.
            if state.open.contains(&id) || state.ahead.contains(&id) || state.doubtful.contains(&id) {
                continue;
            }
            let redelivered = id.sequence() < redelivered_below;
            state.waiting.push_back(Waiting::read_back(stored, redelivered));
        }
        if let Some(last) = last {
            state.advance(last);
        }
        if whole {
            // What was marked and not found is gone: purged, or settled by somebody who had it from before.
            state.advance(target);
        }
    }

    /// Messages held in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.state().waiting.len()
    }

    pub(super) fn next_task(&self) -> Task {
        let mut state = self.state();
        if !state.doubtful.is_empty() {
            return Task::LookUp(std::mem::take(&mut state.doubtful));
        }
        if !state.waiting.is_empty() {
            return Task::HandOver;
        }
        if state.is_behind() {
            let given = StoredId::new(self.agent, self.lane, self.numbers.next());
            let unnoted = state.committing.first().copied().unwrap_or(given);
            let bound = StoredId::stored(unnoted.min(given).get() - 1);
            let wanted = self.window.min(PAGE);
            return Task::Read { after: state.cursor, bound, target: state.behind, wanted };
        }
        Task::Sleep
    }
}

impl<M> Waiting<M> {
    pub(super) fn read_back(stored: Stored, redelivered: bool) -> Self {
        Self {
            id: stored.id,
            key: stored.key,
            deadline: stored.deadline,
            redelivered,
            content: Content::Stored(stored),
        }
    }
}

impl<M> LaneState<M> {
    /// Takes in what does not come in order. Beyond the window, by as much as one transaction sends.
    fn take_in(&mut self, message: Waiting<M>) {
        if message.id.get() > self.cursor {
            self.ahead.insert(message.id);
        }
        self.waiting.push_back(message);
    }

    fn advance(&mut self, cursor: i64) {
        self.cursor = self.cursor.max(cursor);
        if !self.ahead.is_empty() {
            self.ahead = self.ahead.split_off(&StoredId::stored(self.cursor.saturating_add(1)));
        }
    }

    fn is_behind(&self) -> bool {
        self.behind > self.cursor
    }

    pub(super) fn pop(&mut self) -> Option<Waiting<M>> {
        self.waiting.pop_front()
    }

    /// Takes out what is about `key`.
    pub(super) fn take_about(&mut self, key: Key) -> Vec<StoredId> {
        let mut taken = Vec::new();
        self.waiting.retain(|waiting| {
            let about = waiting.key == Some(key);
            if about {
                taken.push(waiting.id);
            }
            !about
        });
        taken
    }
}
