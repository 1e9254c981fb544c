//! Gathering messages of one key into batches, with a size and a linger.
//!
//! A key has at most one open batch, which takes in further messages of the key until it is full or
//! taken. With a linger a batch becomes *ready* (visible to the scheduler) when it is full or its time
//! is up; without, at once. Within a key order is arrival order, across batches too.

use std::collections::{BTreeMap, HashMap, VecDeque};

use slab::Slab;

use super::lane::take_matching;
use super::options::BatchOptions;
use crate::clock::Nanos;
use crate::message::{Envelope, Key};

/// Where a batch is, and which batch was meant: places are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    index: usize,
    number: u64,
}

#[derive(Debug)]
struct Batch<M> {
    key: Key,
    number: u64,
    ready: bool,
    messages: VecDeque<Envelope<M>>,
}

#[derive(Debug)]
pub(super) struct Gather<M> {
    options: BatchOptions,
    batches: Slab<Batch<M>>,
    /// The batch of each key that still takes in messages.
    open: HashMap<Key, Place>,
    /// Ready batches with the age that decides between them and single messages. Oldest first; a place
    /// whose batch is gone is passed over.
    ready: VecDeque<(u64, Place)>,
    /// Lingering batches by the moment they are ripe. The linger is one for all, so arrival order is
    /// ripening order.
    lingering: VecDeque<(Nanos, Place)>,
    /// The newest message of each batch: eviction asks for the newest of all.
    newest: BTreeMap<u64, Place>,
    live: usize,
    ready_batches: usize,
    next_number: u64,
    last_sequence: u64,
}

impl<M> Gather<M> {
    pub(super) fn new(options: BatchOptions) -> Self {
        Self {
            options,
            batches: Slab::new(),
            open: HashMap::new(),
            ready: VecDeque::new(),
            lingering: VecDeque::new(),
            newest: BTreeMap::new(),
            live: 0,
            ready_batches: 0,
            next_number: 0,
            last_sequence: 0,
        }
    }

    pub(super) fn push(&mut self, key: Key, envelope: Envelope<M>, now: Nanos) {
        self.last_sequence = envelope.sequence;
        self.live += 1;
        let place = match self.open.get(&key) {
            Some(&place) => place,
            None => self.open_batch(key, now),
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
            self.make_ready(place);
        }
    }

    fn open_batch(&mut self, key: Key, now: Nanos) -> Place {
        let number = self.next_number;
        self.next_number += 1;
        let batch = Batch { key, number, ready: false, messages: VecDeque::new() };
        let place = Place { index: self.batches.insert(batch), number };
        self.open.insert(key, place);
        if !self.options.linger.is_zero() {
            self.lingering.push_back((now.after(self.options.linger), place));
        }
        place
    }

    /// A batch that becomes ready counts as having come with the message that made it so: it does not
    /// overtake what was ready before it.
    fn make_ready(&mut self, place: Place) {
        let batch = &mut self.batches[place.index];
        if !batch.ready {
            batch.ready = true;
            self.ready.push_back((self.last_sequence, place));
            self.ready_batches += 1;
        }
    }

    pub(super) fn ripen(&mut self, now: Nanos) {
        while let Some(&(ripe_at, place)) = self.lingering.front() {
            let lingers = self.at(place).is_some_and(|batch| !batch.ready);
            if lingers && ripe_at > now {
                break;
            }
            self.lingering.pop_front();
            if lingers {
                self.make_ready(place);
            }
        }
    }

    pub(super) fn ripe_at(&self) -> Option<Nanos> {
        self.lingering
            .iter()
            .find(|(_, place)| self.at(*place).is_some_and(|batch| !batch.ready))
            .map(|(ripe_at, _)| *ripe_at)
    }

    pub(super) fn has_ready(&self) -> bool {
        self.ready_batches > 0
    }

    /// The age of the oldest ready batch.
    pub(super) fn oldest_ready(&mut self) -> Option<u64> {
        while let Some(&(age, place)) = self.ready.front() {
            if self.at(place).is_some() {
                return Some(age);
            }
            self.ready.pop_front();
        }
        None
    }

    pub(super) fn pop(&mut self) -> Option<Vec<Envelope<M>>> {
        self.oldest_ready()?;
        let (_, place) = self.ready.pop_front()?;
        let batch = self.close(place);
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
                self.close(place);
            }
        }
        Some(envelope)
    }

    pub(super) fn remove(
        &mut self,
        matches: &mut dyn FnMut(&Envelope<M>) -> bool,
        removed: &mut Vec<Envelope<M>>,
    ) {
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
            self.close(place);
        }
        self.live -= removed.len() - before;
    }

    fn close(&mut self, place: Place) -> Batch<M> {
        let batch = self.batches.remove(place.index);
        if self.open.get(&batch.key) == Some(&place) {
            self.open.remove(&batch.key);
        }
        if batch.ready {
            self.ready_batches -= 1;
        }
        batch
    }

    fn at(&self, place: Place) -> Option<&Batch<M>> {
        self.batches.get(place.index).filter(|batch| batch.number == place.number)
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }
}
