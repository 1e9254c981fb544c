//! The mailbox against a simple model, against each of its promises, and under real threads.
//!
//! - `driver` plays random operations on a mailbox and writes down what came of each.
//! - `model` is a second mailbox, written from the documentation as plainly as can be; `against_model`
//!   compares the two step by step.
//! - `guarantees`, `defaults`, `batching`, `waiting_room` and `wake_ups` hold one test for each promise, measured on what
//!   went in and came out, not through the model.
//! - `streams` holds what is particular to senders on another core.
//! - `threads` and `races` do it with real threads and wakers.
//! - `crew` is the threads' common ground.
//!
//! Under a model checker none of these runs: the package `statim-proof` has models of its own.
#![cfg(not(any(statim_loom, statim_shuttle)))]

mod against_model;
mod batching;
mod crew;
mod defaults;
mod driver;
mod guarantees;
mod model;
mod races;
mod streams;
mod threads;
mod waiting_room;
mod wake_ups;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use proptest::test_runner::Config;

use super::{BatchOptions, Mailbox, MailboxOptions, Offer, Overflow, Taken, Ticket};
use crate::clock::Nanos;
use crate::message::{Envelope, Key, Message, Priority};

/// What the tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TestMessage {
    /// Its place in the list of everything that was sent.
    id: usize,
    priority: Priority,
    /// Whom it is about: what a purge looks for.
    subject: Option<u8>,
    /// What it is gathered by.
    batch: Option<u8>,
}

impl TestMessage {
    fn new(id: usize, priority: Priority) -> Self {
        Self { id, priority, subject: None, batch: None }
    }

    fn about(self, subject: u8) -> Self {
        Self { subject: Some(subject), ..self }
    }

    fn batched(self, batch: u8) -> Self {
        Self { batch: Some(batch), ..self }
    }

    fn at(self, now: u64) -> Envelope<Self> {
        Envelope::new(self, Nanos(now))
    }

    fn lane(&self) -> usize {
        self.priority.lane()
    }
}

impl Message for TestMessage {
    fn priority(&self) -> Priority {
        self.priority
    }

    fn key(&self) -> Option<Key> {
        self.subject.map(subject_key)
    }

    fn batch_key(&self) -> Option<Key> {
        self.batch.map(|batch| Key::of([1, batch]))
    }
}

fn subject_key(subject: u8) -> Key {
    Key::of([0, subject])
}

fn an_outsider() -> bool {
    false
}

fn an_agent() -> bool {
    true
}

/// A waker that counts how often it was woken.
#[derive(Debug, Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn bell() -> (Arc<Bell>, Waker) {
    let bell = Arc::new(Bell::default());
    (Arc::clone(&bell), Waker::from(bell))
}

/// A mailbox of few places, none reserved, strictly by priority: what most single tests start from.
fn plain(capacity: usize) -> MailboxOptions {
    MailboxOptions { capacity, reserve: 0, overflow: Overflow::Wait, bypass: None, batch: None }
}

fn batches(max_messages: usize, linger: u64) -> Option<BatchOptions> {
    Some(BatchOptions::up_to(max_messages).linger(Duration::from_nanos(linger)))
}

/// Sends what must be accepted at once.
fn put(mailbox: &Mailbox<TestMessage>, message: TestMessage, now: u64) {
    match mailbox.offer(message.at(now), an_outsider) {
        Offer::Accepted(None) => {}
        other => panic!("{message:?} should have been accepted, not {other:?}"),
    }
}

/// Sends what must wait.
fn wait_in_line(mailbox: &Mailbox<TestMessage>, message: TestMessage) -> Arc<Ticket<TestMessage>> {
    mailbox.offer_or_wait(message.at(0), an_outsider).expect_err("a message without room should wait")
}

fn ids(envelopes: &[Envelope<TestMessage>]) -> Vec<usize> {
    envelopes.iter().map(|envelope| envelope.message.id).collect()
}

/// What the next turn brings, by id; empty if nothing.
fn take_ids(mailbox: &Mailbox<TestMessage>, now: u64) -> Vec<usize> {
    ids(&take(mailbox, now))
}

fn take(mailbox: &Mailbox<TestMessage>, now: u64) -> Vec<Envelope<TestMessage>> {
    match mailbox.take(Nanos(now)) {
        Taken::One(envelope) => vec![envelope],
        Taken::Batch(envelopes) => envelopes,
        Taken::Nothing { .. } => Vec::new(),
    }
}

fn cases(cases: u32) -> Config {
    // An interpreter takes as long for two as the processor for thousands.
    let cases = if cfg!(miri) { 2 } else { cases };
    // No file of past failures: a failing case is kept by writing a test for it.
    Config { cases, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() }
}
