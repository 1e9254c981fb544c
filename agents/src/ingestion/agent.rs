//! The ingestion agent: one file at a time.

use std::path::PathBuf;
use std::sync::Arc;

use statim::{Agent, Context, Key, Link, Message, Priority, Reply};

use super::flow::{Flow, Share};
use super::posted::{Posted, read_posted};
use super::reader::read_file;
use crate::deduplication::{BatchOutcome, DeduplicationMessage};
use crate::formats::{FileReport, ReadError};

/// What ingestion is told.
#[derive(Debug)]
pub enum IngestionMessage {
    /// Read this file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Who wants to know what came of it, once all its records have been sent on.
        reply: Option<Reply<FileOutcome>>,
    },
    /// Read these records, which came as a message.
    Batch {
        /// Whose they are: those of one source are read in their order, several batches of it together.
        source: Arc<str>,
        /// The records, one a line, as a file of them has it.
        lines: Vec<u8>,
        /// Their share of what may be on its way.
        share: Share,
        /// Who waits until they are in the catalogue.
        reply: Reply<BatchOutcome>,
    },
}

/// What came of one file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileOutcome {
    /// Read to its end.
    Read(FileReport),
    /// Left before its end, or not begun, because the deployment is ending. It will be read again.
    Interrupted(FileReport),
    /// Not readable, or not to its end.
    Unreadable {
        /// Why.
        reason: String,
        /// What was sent on before that.
        sent: FileReport,
    },
}

impl Message for IngestionMessage {
    fn priority(&self) -> Priority {
        Priority::Low
    }

    fn key(&self) -> Option<Key> {
        Some(match self {
            Self::File { path, .. } => Key::of(path.as_os_str().as_encoded_bytes()),
            Self::Batch { source, .. } => Key::of(source.as_bytes()),
        })
    }

    fn batch_key(&self) -> Option<Key> {
        match self {
            Self::File { .. } => None,
            Self::Batch { .. } => self.key(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Batch { .. } => "batch",
        }
    }

    /// What was posted is its sender's to send again: it is told that it failed.
    fn body(&self) -> Option<Vec<u8>> {
        match self {
            Self::File { path, .. } => serde_json::to_vec(&serde_json::json!({ "path": path })).ok(),
            Self::Batch { .. } => None,
        }
    }

    /// A file can always be read again: taking in a record twice changes nothing.
    fn for_retry(&self) -> Option<Self> {
        match self {
            Self::File { path, .. } => Some(Self::File { path: path.clone(), reply: None }),
            Self::Batch { .. } => None,
        }
    }
}

/// Why a file failed as a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestionError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The thread that read it panicked.
    #[error("the reader of {path} panicked; this is a fault of the program, and the file is left out")]
    Reader {
        /// Which file.
        path: String,
    },
    /// The thread that read a batch panicked.
    #[error(
        "the reader of a batch of records panicked; this is a fault of the program, and the batch is left out"
    )]
    BatchReader,
    /// Deduplication takes no more.
    #[error("deduplication has ended and did not take a batch of records")]
    Ended,
}

/// A member of the ingestion pool.
#[derive(Debug, Clone)]
pub struct Ingestion {
    deduplication: Link<DeduplicationMessage>,
    flow: Flow,
}

impl Ingestion {
    /// Sends what it reads to `deduplication`, drawing on `flow`.
    #[must_use]
    pub fn new(deduplication: Link<DeduplicationMessage>, flow: Flow) -> Self {
        Self { deduplication, flow }
    }
}

impl Ingestion {
    /// Reads a batch and hands it on with its reply: who waits hears from deduplication when it is stored, and this agent
    /// reads the next one meanwhile.
    async fn read_batch(
        &mut self,
        source: Arc<str>,
        lines: Vec<u8>,
        share: Share,
        reply: Reply<BatchOutcome>,
    ) -> Result<(), IngestionError> {
        let reading = tokio::task::spawn_blocking(move || read_posted(&source, &lines));
        let Posted { records, quarantined } = reading.await.map_err(|_| IngestionError::BatchReader)?;
        let message = DeduplicationMessage::Batch { records, quarantined, share, reply };
        match self.deduplication.tell(message).await {
            Ok(()) => Ok(()),
            // Its reply goes with it, which who waits sees.
            Err(refused) if refused.is_closed() => Err(IngestionError::Ended),
            Err(refused) => {
                if let DeduplicationMessage::Batch { reply, .. } = refused.into_message() {
                    reply.send(BatchOutcome::Overloaded);
                }
                Ok(())
            }
        }
    }
}

impl Agent for Ingestion {
    type Message = IngestionMessage;
    type Error = IngestionError;

    async fn handle(
        &mut self,
        message: IngestionMessage,
        _: &mut Context<Self>,
    ) -> Result<(), IngestionError> {
        let (path, reply) = match message {
            IngestionMessage::File { path, reply } => (path, reply),
            IngestionMessage::Batch { source, lines, share, reply } => {
                return self.read_batch(source, lines, share, reply).await;
            }
        };
        if self.flow.is_stopped() {
            if let Some(reply) = reply {
                reply.send(FileOutcome::Interrupted(FileReport::default()));
            }
            return Ok(());
        }
        let (to, flow, file) = (self.deduplication.clone(), self.flow.clone(), path.clone());
        let reading = tokio::task::spawn_blocking(move || read_file(&file, &to, &flow));
        let (outcome, result) = match reading.await {
            Ok((report, None)) if report.stopped => (FileOutcome::Interrupted(report), Ok(())),
            Ok((report, None)) => (FileOutcome::Read(report), Ok(())),
            Ok((sent, Some(error))) => {
                (FileOutcome::Unreadable { reason: error.to_string(), sent }, Err(error.into()))
            }
            Err(_) => {
                let error = IngestionError::Reader { path: path.display().to_string() };
                let (reason, sent) = (error.to_string(), FileReport::default());
                (FileOutcome::Unreadable { reason, sent }, Err(error))
            }
        };
        if let Some(reply) = reply {
            reply.send(outcome);
        }
        result
    }
}
