//! What arrives, and what can be worked out about it before anyone waits.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::CatalogueError;
use crate::record::{Alias, Evidence, Identity, Kind, Record, Revision};

/// The longest id or other name, in bytes.
const LONGEST_NAME: usize = 512;

/// A place in the sources. Ordered by file name, then member, then index: a later place counts as later news.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePosition {
    /// The file's name, without its folder, so that the same file is the same source wherever it lies.
    pub file: Arc<str>,
    /// The member of a zip file; empty where there are none, and where the index grows across members anyway.
    pub member: Arc<str>,
    /// Where in it: anything that grows from the beginning to the end, such as the byte.
    pub index: u64,
}

/// Something that was read from a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A record.
    Record {
        /// The record.
        record: Record,
        /// Where it was read.
        source: SourcePosition,
    },
    /// The order to delete a record.
    Delete {
        /// Which.
        identity: Identity,
        /// Up to which version of it (the `Version` of a PMID).
        version: u32,
        /// Where it was read.
        source: SourcePosition,
    },
}

/// Something that arrived, written as JSON and hashed: the part of storing it that needs no database and so can be done
/// on the thread that parsed it.
#[derive(Debug)]
pub struct Prepared {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) source: SourcePosition,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Record(Content),
    Delete { number: u32 },
}

pub(super) struct Content {
    pub(super) hash: Hash,
    pub(super) revision: Revision,
    /// The version that a deletion can name; 0 for kinds that cannot be deleted.
    pub(super) number: u32,
    pub(super) aliases: Vec<Alias>,
    pub(super) body: String,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// Half a SHA-256: contents with the same hash are the same.
pub(super) type Hash = [u8; 16];

impl Prepared {
    /// Works out what can be worked out without the database.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::Unreadable`] for a record that cannot be written as JSON.
    pub fn new(incoming: Incoming) -> Result<Self, CatalogueError> {
        match incoming {
            Incoming::Delete { identity: Identity { kind, id }, version, source } => {
                Ok(Self { kind, id, source, what: What::Delete { number: version } })
            }
            Incoming::Record { record, source } => {
                let Identity { kind, id } = record.identity();
                let body = serde_json::to_string(&record)
                    .map_err(|_| CatalogueError::Unreadable { what: "record" })?;
                let digest: [u8; 32] = Sha256::digest(body.as_bytes()).into();
                let mut hash = Hash::default();
                hash.copy_from_slice(&digest[..16]);
                let number = if let Record::Article(article) = &record { article.version } else { 0 };
                let content = Content {
                    hash,
                    revision: record.revision(),
                    number,
                    aliases: storable(record.aliases()),
                    body,
                };
                Ok(Self { kind, id, source, what: What::Record(content) })
            }
        }
    }

    /// What it costs to hold and to write, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let content = match &self.what {
            What::Record(content) => content.body.len(),
            What::Delete { .. } => 0,
        };
        self.id.len() + content
    }

    /// Whether it cannot be stored for its own sake, whatever else is in the catalogue.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.fault().is_some()
    }

    /// Why it cannot be stored, if it cannot.
    pub(super) fn fault(&self) -> Option<&'static str> {
        name_fault(&self.id)
    }
}

impl Content {
    /// The numbers that this record says are its own.
    pub(super) fn claims(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().filter(|it| it.evidence == Evidence::Same).map(|it| it.value.as_str())
    }
}

/// Names that cannot be stored are left out: they are other people's and need not spoil the record.
pub(super) fn storable(mut aliases: Vec<Alias>) -> Vec<Alias> {
    aliases.retain(|it| name_fault(&it.value).is_none());
    aliases
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("the id is blank")
    } else if name.len() > LONGEST_NAME {
        Some("the id is longer than 512 bytes")
    } else if name.chars().any(char::is_control) {
        Some("the id has control characters")
    } else {
        None
    }
}
