//! Reading health-data files: from bytes to typed records, one at a time, in bounded memory.
//!
//! [`read_path`] opens a file, finds out from its content (never its name) how it is packed and what is in it, and hands
//! each record to a [`Sink`]. What cannot be read goes to [`Sink::quarantine`] with its place and the reason; one bad
//! record never stops the others. A file yields records, or an entry in the quarantine, or it is one of the forms that
//! are legitimately empty (`{"studies": []}`): nothing is passed over in silence.
//!
//! | read | how packed |
//! |---|---|
//! | ClinicalTrials.gov API v2: a study, a page, an array, one study a line | plain, gzip (several members too), |
//! | PubMed: `PubmedArticleSet`, `PubmedBookArticleSet`, deletions | zip (every member) |
//! | openFDA: `{meta, results}`, an array, one record a line; Drugs@FDA, NDC, label, event | |
//!
//! Everything else that is known by sight (the retired ClinicalTrials.gov v1, SPL, MEDLINE text, HTML error pages, …) is
//! quarantined by name, in one entry for its file or zip member. What ought to be a record and is not has an entry of its
//! own; after a thousand of one reason in a file the others are counted in one more.

mod classify;
mod collector;
mod container;
mod ctgov;
mod discover;
mod flood;
mod json;
mod meter;
mod openfda;
mod pubmed;
mod quarantine;
mod reason;
mod report;
mod scanner;
mod sniff;
mod typed;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use discover::{DiscoverError, discover};
pub use quarantine::{Position, Quarantined};
pub use report::{Container, FileReport};

use crate::record::Record;

/// Takes what is read. Either method may stop the reading by answering `Break`.
pub trait Sink {
    /// Takes a record or a deletion.
    fn item(&mut self, item: Item) -> ControlFlow<()>;
    /// Takes the account of something that could not be read.
    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()>;
}

/// Something that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A record.
    Record {
        /// The record.
        record: Record,
        /// Where it was.
        position: Position,
    },
    /// PubMed asks for an article to be deleted. It holds for what was read before it, so the order matters.
    Delete {
        /// The PubMed id.
        pmid: String,
        /// The version, 1 when none is given.
        version: u32,
        /// Where it was.
        position: Position,
    },
}

/// How much one file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest record, in bytes of decompressed text; a larger one is quarantined. This bounds memory: a reading holds
    /// one record at a time, as text and typed, which comes to about three times this figure at worst. After an oversized
    /// JSON record the reading goes on; after one in XML the rest of the file is quarantined.
    pub record_bytes: u64,
    /// The most that one file may decompress to, in bytes, all its members together; the rest is quarantined.
    pub file_bytes: u64,
    /// The most members of one zip file.
    pub zip_members: usize,
}

impl Default for Limits {
    /// 64 MiB a record, 64 GiB a file, 100,000 members a zip.
    fn default() -> Self {
        Self { record_bytes: 64 << 20, file_bytes: 64 << 30, zip_members: 100_000 }
    }
}

/// The file could not be read at all, or not to its end. Damage in the content is not an error but is quarantined.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file does not open.
    #[error("cannot open {}: {source}; check that it exists and may be read", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The operating system failed while the file was read. What came before went to the sink.
    #[error("cannot read on in {}: {source}; check the disk and read the file again", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads a file with the default [`Limits`].
///
/// # Errors
/// [`ReadError`] when the operating system refuses to open or to read the file.
pub fn read_path(path: &Path, sink: &mut dyn Sink) -> Result<FileReport, ReadError> {
    read_path_with(path, &Limits::default(), sink)
}

/// Reads a file within the given limits.
///
/// # Errors
/// As [`read_path`].
pub fn read_path_with(path: &Path, limits: &Limits, sink: &mut dyn Sink) -> Result<FileReport, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
    let name = path.to_string_lossy();
    read_from(&name, BufReader::with_capacity(128 << 10, file), limits, sink)
        .map_err(|source| ReadError::Read { path: path.to_owned(), source })
}

/// Reads from any source that can seek (a zip file has its directory at the end); `name` stands for the file in the
/// report and in the quarantine.
///
/// # Errors
/// An error of the operating system from the source; damaged content is quarantined instead.
pub fn read_from<R: Read + Seek>(
    name: &str,
    source: R,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> io::Result<FileReport> {
    container::read(name, source, limits, sink)
}

#[cfg(test)]
mod tests;
