//! Gathering messages of one key into batches, with a size and a linger.
//!
//! A key has at most one open batch, which takes in further messages of the key until it is full or
//! taken. With a linger a batch becomes *ready* (visible to the scheduler) when it is full or its time
//! is up; without, at once. Within a key order is arrival order, across batches too.

use std::collections::{BTreeMap, HashMap, VecDeque};

use slab::Slab;

use super::options::BatchOptions;
use crate::clock::Nanos;
use crate::message::{Envelope, Key};

/// Where a batch is, and which batch was meant: places are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    index: usize,
    number: u64,
}

/// The batch's entry in one of the two lists, by which it is found there.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// Waits for company until this moment.
    Ripe(Nanos),
    /// Counts as having come with this message.
    Ready(u64),
}

#[derive(Debug)]
struct Batch<M> {
    key: Key,
    number: u64,
    due: Due,
    messages: VecDeque<Envelope<M>>,
}

#[derive(Debug)]
pub(super) struct Gather<M> {
    options: BatchOptions,
    batches: Slab<Batch<M>>,
    /// The batch of each key that still takes in messages.
    open: HashMap<Key, Place>,
    /// Ready batches by the age that decides between them and single messages, then by number.
    ready: BTreeMap<(u64, u64), usize>,
    /// Lingering batches by the moment they are ripe.
    lingering: BTreeMap<(Nanos, u64), usize>,
    /// The newest message of each batch: eviction asks for the newest of all.
    newest: BTreeMap<u64, Place>,
    live: usize,
    next_number: u64,
    last_sequence: u64,
}

impl<M> Gather<M> {
    pub(super) fn new(options: BatchOptions) -> Self {
        Self {
            options,
            batches: Slab::new(),
            open: HashMap::new(),
            ready: BTreeMap::new(),
            lingering: BTreeMap::new(),
            newest: BTreeMap::new(),
            live: 0,
            next_number: 0,
            last_sequence: 0,
        }
    }

    pub(super) fn push(&mut self, key: Key, envelope: Envelope<M>) {
        self.last_sequence = envelope.sequence;
        self.live += 1;
        let place = match self.open.get(&key) {
            Some(&place) => place,
            None => self.open_batch(key, envelope.sent_at),
        };
        let batch = &mut self.batches[place.index];
        if let Some(last) = batch.messages.back() {
            self.newest.remove(&last.sequence);
        }
        self.newest.insert(envelope.sequence, place);
        batch.messages.push_back(envelope);
        let full = batch.messages.len() >= self.options.max_messages;
        if full {
            self.open.remove(&key);
        }
        if full || self.options.linger.is_zero() {
            self.make_ready(place.index);
        }
    }

    fn open_batch(&mut self, key: Key, sent_at: Nanos) -> Place {
        let number = self.next_number;
        self.next_number += 1;
        let ripe_at = sent_at.after(self.options.linger);
        let batch = Batch { key, number, due: Due::Ripe(ripe_at), messages: VecDeque::new() };
        let place = Place { index: self.batches.insert(batch), number };
        self.open.insert(key, place);
        self.lingering.insert((ripe_at, number), place.index);
        place
    }

    /// A batch that becomes ready counts as having come with the message that made it so: it does not
    /// overtake what was ready before it.
    fn make_ready(&mut self, index: usize) {
        let batch = &mut self.batches[index];
        if let Due::Ripe(ripe_at) = batch.due {
            batch.due = Due::Ready(self.last_sequence);
            self.lingering.remove(&(ripe_at, batch.number));
            self.ready.insert((self.last_sequence, batch.number), index);
        }
    }

    pub(super) fn ripen(&mut self, now: Nanos) {
        while let Some((&(ripe_at, _), &index)) = self.lingering.first_key_value() {
            if ripe_at > now {
                break;
            }
            self.make_ready(index);
        }
    }

    pub(super) fn ripe_at(&self) -> Option<Nanos> {
        self.lingering.first_key_value().map(|((ripe_at, _), _)| *ripe_at)
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The age of the oldest ready batch.
    pub(super) fn oldest_ready(&self) -> Option<u64> {
        self.ready.first_key_value().map(|((age, _), _)| *age)
    }

    pub(super) fn pop(&mut self) -> Option<Vec<Envelope<M>>> {
        let (_, &index) = self.ready.first_key_value()?;
        let batch = self.close(index);
        if let Some(last) = batch.messages.back() {
            self.newest.remove(&last.sequence);
        }
        self.live -= batch.messages.len();
        Some(batch.messages.into())
    }

    pub(super) fn newest(&self) -> Option<u64> {
        self.newest.last_key_value().map(|(sequence, _)| *sequence)
    }

    pub(super) fn pop_newest(&mut self) -> Option<Envelope<M>> {
        let (_, place) = self.newest.pop_last()?;
        let batch = &mut self.batches[place.index];
        let envelope = batch.messages.pop_back()?;
        self.live -= 1;
        match batch.messages.back() {
            Some(last) => {
                self.newest.insert(last.sequence, place);
            }
            None => {
                self.close(place.index);
            }
        }
        Some(envelope)
    }

    pub(super) fn remove(&mut self, matches: &mut dyn FnMut(&M) -> bool, removed: &mut Vec<Envelope<M>>) {
        let before = removed.len();
        let mut emptied = Vec::new();
        for (index, batch) in &mut self.batches {
            let place = Place { index, number: batch.number };
            let newest = batch.messages.back().map(|envelope| envelope.sequence);
            take_matching(&mut batch.messages, matches, removed);
            let still_newest = batch.messages.back().map(|envelope| envelope.sequence);
            if newest != still_newest {
                newest.and_then(|sequence| self.newest.remove(&sequence));
                match still_newest {
                    Some(sequence) => {
                        self.newest.insert(sequence, place);
                    }
                    None => emptied.push(place),
                }
            }
        }
        for place in emptied {
            self.close(place.index);
        }
        self.live -= removed.len() - before;
    }

    fn close(&mut self, index: usize) -> Batch<M> {
        let batch = self.batches.remove(index);
        let number = batch.number;
        if self.open.get(&batch.key) == Some(&Place { index, number }) {
            self.open.remove(&batch.key);
        }
        match batch.due {
            Due::Ripe(ripe_at) => self.lingering.remove(&(ripe_at, number)),
            Due::Ready(age) => self.ready.remove(&(age, number)),
        };
        batch
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }
}

/// Moves the matching messages of `queue` to `removed`, keeping the order of both.
fn take_matching<M>(
    queue: &mut VecDeque<Envelope<M>>,
    matches: &mut dyn FnMut(&M) -> bool,
    removed: &mut Vec<Envelope<M>>,
) {
    // Look first: a purge mostly finds nothing in most batches, and then nothing should move.
    if !queue.iter().any(|envelope| matches(&envelope.message)) {
        return;
    }
    let mut kept = VecDeque::new();
    for envelope in queue.drain(..) {
        if matches(&envelope.message) {
            removed.push(envelope);
        } else {
            kept.push_back(envelope);
        }
    }
    *queue = kept;
}
