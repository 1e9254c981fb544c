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
    /// Note what could not be read.
    Quarantine(QuarantineEntry),
    /// Say what came of everything sent since the last time, once it is stored.
    Settle(Reply<Settled>),
}

/// What came of the records since the last time somebody asked.
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
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        while let Some(message) = batch.next() {
            match message {
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
        self.store(records, entries).await
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
