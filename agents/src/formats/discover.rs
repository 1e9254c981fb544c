//! Finding the files below a path.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A path could not be looked into.
#[derive(Debug, thiserror::Error)]
#[error("cannot look into {}: {source}; check that it exists and may be read", path.display())]
pub struct DiscoverError {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// All regular files at or below the given paths, each once, sorted by path.
///
/// Symbolic links are followed; a link that leads back to a directory already visited is not entered again, and a file
/// that several paths lead to is listed once. What is neither a file nor a directory (a socket, a device) and a broken
/// link inside a directory is left out. Memory grows with the number of files.
///
/// # Errors
/// The first path that does not exist, or directory that cannot be listed.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting: Vec<PathBuf> = paths.to_vec();
    // Sorted and taken from the end, so that which of two names of one file wins does not depend on the file system.
    waiting.sort_by(|a, b| b.cmp(a));
    while let Some(path) = waiting.pop() {
        let real = fs::canonicalize(&path).map_err(|source| failed(&path, source))?;
        let metadata = fs::metadata(&real).map_err(|source| failed(&path, source))?;
        if !(metadata.is_file() || metadata.is_dir()) || !seen.insert(real) {
            continue;
        }
        if metadata.is_file() {
            files.push(path);
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(&path).map_err(|source| failed(&path, source))? {
            let child = entry.map_err(|source| failed(&path, source))?.path();
            // A link to nothing is no file; the paths that the caller names must exist.
            if fs::metadata(&child).is_ok() || !child.is_symlink() {
                inside.push(child);
            }
        }
        inside.sort_by(|a, b| b.cmp(a));
        waiting.append(&mut inside);
    }
    files.sort();
    Ok(files)
}

fn failed(path: &Path, source: io::Error) -> DiscoverError {
    DiscoverError { path: path.to_owned(), source }
}
