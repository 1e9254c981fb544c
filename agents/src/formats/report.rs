//! What came of a file.

use serde::{Deserialize, Serialize};

use crate::record::Counts;

/// How a file is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Not packed.
    #[default]
    Plain,
    /// Gzip of one or several members.
    Gzip,
    /// Zip.
    Zip,
}

/// The account of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileReport {
    /// The name it was read under.
    pub file: String,
    /// How it is packed.
    pub container: Container,
    /// Members read: those of a zip file, else 1.
    pub members: u64,
    /// Records given to the sink.
    pub records: u64,
    /// Entries given to the quarantine.
    pub quarantined: u64,
    /// What the records hold, deletions included.
    pub counts: Counts,
    /// Bytes of decompressed text that were read.
    pub bytes: u64,
    /// Whether the sink stopped the reading before the end.
    pub stopped: bool,
}
