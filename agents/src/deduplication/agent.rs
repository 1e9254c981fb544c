//! The deduplication agent.

use statim::monitor::Monitor;
use statim::store::{Durability, Store, StoreOptions};
use statim::{Agent, Batch, Context, Key, Message, Priority, Reply, Severity};

use crate::catalogue::{Catalogue, CatalogueError, Outcome, Prepared, QuarantineEntry};
use crate::ingestion::Share;

/// What deduplication is told.
#[derive(Debug)]
pub enum DeduplicationMessage {
    /// Take in a record or a deletion.
    Record {
        /// What was read.
        prepared: Prepared,
        /// Its share of what may be on its way; given back once it is stored.
        share: Share,
    },
    /// Take these in together, and say when they are stored.
    Batch {
        /// What was read, in its order.
        records: Vec<Prepared>,
        /// What could not be read.
        quarantined: Vec<QuarantineEntry>,
        /// Their share of what may be on its way.
        share: Share,
        /// Who waits for it.
        reply: Reply<BatchOutcome>,
    },
    /// Note what could not be read.
    Quarantine(QuarantineEntry),
    /// Say what came of everything sent since the last time, once it is stored.
    Settle(Reply<Settled>),
}

/// What came of a [batch](DeduplicationMessage::Batch). No answer at all: the database failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOutcome {
    /// It is stored.
    Stored(Stored),
    /// There was too much to do; nothing of it was begun.
    Overloaded,
}

/// A [batch](DeduplicationMessage::Batch) is in the catalogue, whatever came of its records there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Records and deletions that were taken in.
    pub records: u64,
    /// Records that cannot be stored for their own sake, such as one with a blank id.
    pub refused: u64,
    /// What could not be read and is in the quarantine.
    pub quarantined: u64,
}

/// What came of the records since the last time somebody asked, those of a [batch](DeduplicationMessage::Batch) left out:
/// of them its sender knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Of those that were stored.
    pub outcome: Outcome,
    /// Those that could not be stored because the database failed. Their files must be read again.
    pub failed: u64,
    /// Quarantine entries that were not there before.
    pub new_in_quarantine: u64,
}

impl Message for DeduplicationMessage {
    fn priority(&self) -> Priority {
        Priority::Low
    }

    /// Everything in one batch, in order: a `Settle` must come after what was sent before it, also when that still
    /// lingers.
    fn batch_key(&self) -> Option<Key> {
        Some(Key::of("catalogue"))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Record { .. } => "record",
            Self::Batch { .. } => "batch",
            Self::Quarantine(_) => "quarantine",
            Self::Settle(_) => "settle",
        }
    }
}

/// Why a batch was not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeduplicationError {
    /// The database could not be opened.
    #[error("the database cannot be opened: {0}")]
    Open(#[from] statim::store::OpenError),
    /// The database refused.
    #[error("{what} could not be stored: {source}")]
    Catalogue {
        /// What was to be stored.
        what: &'static str,
        /// Why not.
        source: CatalogueError,
    },
}

/// A batch whose sender waits.
struct Waiting {
    records: Vec<Prepared>,
    quarantined: Vec<QuarantineEntry>,
    share: Share,
    reply: Reply<BatchOutcome>,
}

/// Keeps the catalogue.
#[derive(Debug)]
pub struct Deduplication {
    url: String,
    monitor: Option<Monitor>,
    catalogue: Option<Catalogue>,
    settled: Settled,
}

impl Deduplication {
    /// Keeps the catalogue in the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), monitor: None, catalogue: None, settled: Settled::default() }
    }

    /// Lets a monitor watch the database, as `catalogue`.
    #[must_use]
    pub fn watched_by(mut self, monitor: Option<Monitor>) -> Self {
        self.monitor = monitor;
        self
    }

    /// How the catalogue's database is opened: a commit lost to a power failure is read again from the source, so it
    /// need not wait for the disk.
    #[must_use]
    pub fn store_options() -> StoreOptions {
        StoreOptions { durability: Durability::Normal, ..StoreOptions::default() }
    }

    fn catalogue(&self) -> &Catalogue {
        self.catalogue.as_ref().expect("the catalogue is opened before the first message")
    }

    async fn store(
        &mut self,
        records: Vec<(Prepared, Share)>,
        entries: Vec<QuarantineEntry>,
    ) -> Result<(), DeduplicationError> {
        let taken_in = self.take_in(records).await;
        let set_aside = self.set_aside(&entries).await;
        taken_in.and(set_aside)
    }

    async fn take_in(&mut self, records: Vec<(Prepared, Share)>) -> Result<(), DeduplicationError> {
        if records.is_empty() {
            return Ok(());
        }
        let count = records.len() as u64;
        let (prepared, shares): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        let stored = self.catalogue().apply_prepared(prepared).await;
        drop(shares);
        match stored {
            Ok(outcome) => {
                self.settled.outcome += outcome;
                Ok(())
            }
            Err(source) => {
                self.settled.failed += count;
                Err(DeduplicationError::Catalogue { what: "records", source })
            }
        }
    }

    /// Stores batches whose senders wait, all in one transaction, and then tells each.
    async fn answer(&mut self, batches: Vec<Waiting>) -> Result<(), DeduplicationError> {
        if batches.is_empty() {
            return Ok(());
        }
        let (mut records, mut entries, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for Waiting { records: more, quarantined, share, reply } in batches {
            let refused = more.iter().filter(|record| record.is_refused()).count() as u64;
            let records_of_it = more.len() as u64 - refused;
            waiting.push((
                Stored { records: records_of_it, refused, quarantined: quarantined.len() as u64 },
                reply,
            ));
            records.extend(more);
            entries.extend(quarantined);
            drop(share);
        }
        let stored = self.catalogue().apply_prepared(records).await;
        // Without an answer, who waits knows that it failed.
        stored.map_err(|source| DeduplicationError::Catalogue { what: "records", source })?;
        if !entries.is_empty() {
            let kept = self.catalogue().quarantine(&entries).await;
            kept.map_err(|source| DeduplicationError::Catalogue { what: "the quarantine", source })?;
        }
        for (stored, reply) in waiting {
            reply.send(BatchOutcome::Stored(stored));
        }
        Ok(())
    }

    async fn set_aside(&mut self, entries: &[QuarantineEntry]) -> Result<(), DeduplicationError> {
        if entries.is_empty() {
            return Ok(());
        }
        let stored = self.catalogue().quarantine(entries).await;
        self.settled.new_in_quarantine +=
            stored.map_err(|source| DeduplicationError::Catalogue { what: "the quarantine", source })?;
        Ok(())
    }
}

impl Agent for Deduplication {
    type Message = DeduplicationMessage;
    type Error = DeduplicationError;

    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), DeduplicationError> {
        let store = Store::open_with(&self.url, Self::store_options()).await?;
        let opened = Catalogue::open(&store).await;
        self.catalogue =
            Some(opened.map_err(|source| DeduplicationError::Catalogue { what: "its tables", source })?);
        if let Some(monitor) = &self.monitor {
            monitor.watch_store("catalogue", &store);
        }
        Ok(())
    }

    async fn handle(
        &mut self,
        message: DeduplicationMessage,
        _: &mut Context<Self>,
    ) -> Result<(), DeduplicationError> {
        match message {
            DeduplicationMessage::Record { prepared, share } => self.take_in(vec![(prepared, share)]).await,
            DeduplicationMessage::Batch { records, quarantined, share, reply } => {
                self.answer(vec![Waiting { records, quarantined, share, reply }]).await
            }
            DeduplicationMessage::Quarantine(entry) => self.set_aside(&[entry]).await,
            DeduplicationMessage::Settle(reply) => {
                reply.send(std::mem::take(&mut self.settled));
                Ok(())
            }
        }
    }

    async fn handle_batch(
        &mut self,
        batch: &mut Batch<DeduplicationMessage>,
        ctx: &mut Context<Self>,
    ) -> Result<(), DeduplicationError> {
        let (mut records, mut entries, mut batches) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(message) = batch.next() {
            match message {
                DeduplicationMessage::Batch { records, quarantined, share, reply } => {
                    batches.push(Waiting { records, quarantined, share, reply });
                }
                DeduplicationMessage::Record { prepared, share } => records.push((prepared, share)),
                DeduplicationMessage::Quarantine(entry) => entries.push(entry),
                settle @ DeduplicationMessage::Settle(_) => {
                    // Even if storing fails: then the answer says so.
                    let stored = self.store(std::mem::take(&mut records), std::mem::take(&mut entries)).await;
                    self.handle(settle, ctx).await?;
                    stored?;
                }
            }
        }
        let stored = self.store(records, entries).await;
        let answered = self.answer(batches).await;
        stored.and(answered)
    }

    fn severity(error: &DeduplicationError) -> Severity {
        match error {
            // A database that fails may come back; the state here is only counters.
            DeduplicationError::Catalogue { .. } => Severity::Message,
            DeduplicationError::Open(_) => Severity::Agent,
        }
    }

    fn inspect(&self) -> serde_json::Value {
        serde_json::json!({
            "inserted": self.settled.outcome.inserted,
            "updated": self.settled.outcome.updated,
            "unchanged": self.settled.outcome.unchanged,
            "failed": self.settled.failed,
        })
    }
}
