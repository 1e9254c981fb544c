//! Diagnostic bundles: everything that helps to find a cause, in a directory of files.

mod contents;
mod folder;
mod name;
mod write;

use std::io;
use std::path::PathBuf;

pub(super) use self::contents::Contents;
pub(super) use self::write::write;

/// A bundle that was written: a directory named by the time and the rule, only for its owner to read.
///
/// | File | What is in it |
/// |---|---|
/// | `alert.json` | the alert |
/// | `agents.json` | the agents that stand out by work, wait, queue, failures, processor time and memory, and where their time goes |
/// | `events.json` | restarts, changes of breakers and admission control, and the last dead letters, without their bodies |
/// | `system.json` | process, host and cgroup, and the process's threads |
/// | `history.json` | the last 1, 5, 15 and 60 minutes |
/// | `latency.hlog` | the last hour's latencies, for HDR histogram tools |
/// | `snapshot.json` | every agent and link |
/// | `manifest.json` | what is in the bundle, and what was left out for want of room |
///
/// No message's content is in it, and no secret: agents, rules and labels are named.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bundle {
    /// The directory.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Files that did not fit under the bound.
    pub left_out: Vec<String>,
    /// Older bundles that were deleted to make room.
    pub deleted: usize,
}

/// Why a bundle was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The folder cannot be made, read or locked.
    #[error("the folder for bundles, {}, cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes to the folder.
    #[error("another process writes a bundle to {}; give each a folder of its own", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The bound leaves no room for the alert itself.
    #[error("a bundle needs more than the {most_bytes} bytes that all bundles may take; raise `most_bytes`")]
    TooSmall {
        /// The bound.
        most_bytes: u64,
    },
    /// An older bundle cannot be deleted to make room.
    #[error("the bundle {} cannot be deleted to make room for another: {source}", path.display())]
    Delete {
        /// The older bundle.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files cannot be written: the disk is full, or somebody is in the way.
    #[error("the bundle {} cannot be written: {source}", path.display())]
    Write {
        /// Where it would have been.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no thread to write it on.
    #[error("the thread that writes bundles could not be started: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// Something of what is to be in it panicked.
    #[error("a bundle could not be gathered: a panic, of which the log says more")]
    Panicked,
}
