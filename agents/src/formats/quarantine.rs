//! What could not be read, and where it was.

use serde::{Deserialize, Serialize};

/// A place in the decompressed text of a file or zip member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Which record, from 0, counting those that were quarantined; absent when the fault is not in a record.
    pub record: Option<u64>,
    /// Bytes before it.
    pub byte: u64,
    /// Which line, from 1; only for files with a record a line.
    pub line: Option<u64>,
}

/// An account of something that could not be read. It shows names of fields and kinds of values, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The file.
    pub file: String,
    /// The member of a zip file.
    pub member: Option<String>,
    /// Where in it.
    pub position: Position,
    /// The JSON field at fault, such as `protocolSection.identificationModule.nctId`.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// Why a stream was left before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The sink asked for it.
    Asked,
    /// The operating system failed.
    Disk(std::io::Error),
    /// The rest cannot be understood.
    Fault(Fault),
}

/// Something that goes to the quarantine.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) position: Position,
    pub(super) path: Option<String>,
    pub(super) reason: String,
}

impl Stop {
    pub(super) fn fault(position: Position, reason: impl Into<String>) -> Self {
        Self::Fault(Fault { position, path: None, reason: reason.into() })
    }
}
