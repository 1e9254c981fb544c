//! What one commit stores, and the next one, which is made ready meanwhile.

use std::future::poll_fn;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};

use super::commit::Job;
use super::core::Command;
use super::id::StoredId;
use super::ledger;
use super::options::OutboxOptions;
use crate::store::{Dialect, QueryBuilder};

/// What one commit stores.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) jobs: Vec<Box<dyn Job>>,
    bytes: usize,
    /// Statements for the first jobs, written ahead.
    pub(super) written: Vec<QueryBuilder>,
    pub(super) flushed: Vec<oneshot::Sender<()>>,
    pub(super) closing: Option<Closing>,
}

/// Whoever waits for the end, if it was not just that everybody had gone.
pub(super) type Closing = Option<oneshot::Sender<()>>;

impl Batch {
    pub(super) fn number(&mut self) -> Vec<StoredId> {
        self.jobs.iter_mut().map(|job| job.number()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.flushed.is_empty() && self.closing.is_none()
    }

    fn take(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Store(job)) => {
                self.bytes = self.bytes.saturating_add(job.row().body.len());
                self.jobs.push(job);
            }
            Some(Command::Flush(done)) => self.flushed.push(done),
            Some(Command::Close(done)) => self.closing = Some(Some(done)),
            None => self.closing = Some(None),
        }
    }

    fn has_room(&self, options: &OutboxOptions) -> bool {
        self.closing.is_none()
            && self.jobs.len() < options.commit_messages
            && self.bytes < options.commit_bytes
    }

    /// Numbers the jobs of the next whole statement and writes it. Not if something has to be asked before: of an
    /// idempotency key it is not known whether it was used.
    fn write_ahead(&mut self, dialect: Dialect) {
        let done = self.written.len() * ledger::LARGEST;
        let some = &mut self.jobs[done..];
        if some.len() < ledger::LARGEST || some.iter().any(|job| job.row().idempotency.is_some()) {
            return;
        }
        let numbers: Vec<StoredId> = some.iter_mut().map(|job| job.number()).collect();
        let rows: Vec<_> = numbers.into_iter().zip(some.iter().map(|job| job.row())).collect();
        self.written.extend(ledger::insertions(dialect, &rows[..ledger::LARGEST]));
    }
}

/// Where messages come from, and the batch that is begun.
pub(super) struct Intake {
    commands: mpsc::Receiver<Command>,
    next: Batch,
}

impl Intake {
    pub(super) fn new(commands: mpsc::Receiver<Command>) -> Self {
        Self { commands, next: Batch::default() }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_empty() && self.commands.is_empty()
    }

    /// Whether the next batch may have numbers already.
    pub(super) fn has_begun(&self) -> bool {
        !self.next.is_empty()
    }

    /// Resolves when there is something to be taken. Cancel safe.
    pub(super) async fn wait(&mut self) {
        if self.next.is_empty() {
            let command = self.commands.recv().await;
            self.next.take(command);
        }
    }

    /// What there is by now.
    pub(super) fn take(&mut self, options: &OutboxOptions) -> Batch {
        let mut batch = std::mem::take(&mut self.next);
        while batch.has_room(options) {
            match self.commands.try_recv() {
                Ok(command) => batch.take(Some(command)),
                Err(_) => break,
            }
        }
        batch
    }

    /// Takes in what has come, and writes it as far as that goes without the database, whenever it is polled. Never resolves
    /// and asks nobody to be polled: it goes along with what drives the commit. Being woken for each message costs more
    /// than taking some in together. Cancel safe.
    pub(super) async fn collect(&mut self, options: &OutboxOptions, dialect: Dialect) {
        poll_fn(|_| {
            while self.next.has_room(options) {
                let Ok(command) = self.commands.try_recv() else { break };
                self.next.take(Some(command));
            }
            self.next.write_ahead(dialect);
            Poll::Pending
        })
        .await
    }

    /// Once it is closed: whether there is something to be taken. Waits for those who have a place in the channel already
    /// and are about to fill it.
    pub(super) async fn wait_for_last(&mut self) -> bool {
        if self.next.is_empty() {
            let Some(command) = self.commands.recv().await else { return false };
            self.next.take(Some(command));
        }
        true
    }

    /// Senders that come from here on find the channel closed.
    pub(super) fn close(&mut self) {
        self.commands.close();
    }
}
