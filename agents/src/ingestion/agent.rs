//! The ingestion agent: one file at a time.

use std::path::PathBuf;

use statim::{Agent, Context, Key, Link, Message, Priority, Reply};

use super::flow::Flow;
use super::reader::read_file;
use crate::deduplication::DeduplicationMessage;
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
        let Self::File { path, .. } = self;
        Some(Key::of(path.as_os_str().as_encoded_bytes()))
    }

    fn kind(&self) -> &'static str {
        "file"
    }

    fn body(&self) -> Option<Vec<u8>> {
        let Self::File { path, .. } = self;
        serde_json::to_vec(&serde_json::json!({ "path": path })).ok()
    }

    /// A file can always be read again: taking in a record twice changes nothing.
    fn for_retry(&self) -> Option<Self> {
        let Self::File { path, .. } = self;
        Some(Self::File { path: path.clone(), reply: None })
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

impl Agent for Ingestion {
    type Message = IngestionMessage;
    type Error = IngestionError;

    async fn handle(
        &mut self,
        message: IngestionMessage,
        _: &mut Context<Self>,
    ) -> Result<(), IngestionError> {
        let IngestionMessage::File { path, reply } = message;
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
