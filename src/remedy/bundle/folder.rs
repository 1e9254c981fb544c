//! The folder of all bundles: what is in it, under a bound, and only what is ours.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::BundleError;
use super::name::is_name;

/// In every directory of ours, finished or not. Nothing without it is touched.
pub(super) const MARKER: &str = ".statim-bundle";
/// How a directory is called until it is whole.
pub(super) const UNFINISHED: &str = ".unfinished-";
const LOCK: &str = ".lock";

/// A folder for one writer at a time.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// A bundle of some time.
#[derive(Debug)]
struct Old {
    name: String,
    bytes: u64,
}

impl Folder {
    /// Opens the folder, makes it if it is not there, and clears away what a crash left.
    pub(super) fn open(path: &Path) -> Result<Self, BundleError> {
        let unusable = |source| BundleError::Folder { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BundleError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        let is_unfinished = |name: &str| name.strip_prefix(UNFINISHED).is_some_and(is_name);
        for name in folder.ours(&is_unfinished).map_err(unusable)? {
            fs::remove_dir_all(path.join(name)).map_err(unusable)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the oldest bundles until there is room for so many bytes under the bound. Says how many.
    pub(super) fn make_room(&self, bytes: u64, most_bytes: u64) -> Result<usize, BundleError> {
        let unusable = |source| BundleError::Folder { path: self.path.clone(), source };
        let mut old = Vec::new();
        for name in self.ours(&is_name).map_err(unusable)? {
            let bytes = size(&self.path.join(&name)).map_err(unusable)?;
            old.push(Old { name, bytes });
        }
        old.sort_by(|a, b| a.name.cmp(&b.name));
        let mut all: u64 = old.iter().map(|it| it.bytes).sum();
        let mut deleted = 0;
        for Old { name, bytes: freed } in old {
            if all.saturating_add(bytes) <= most_bytes {
                break;
            }
            let path = self.path.join(name);
            fs::remove_dir_all(&path).map_err(|source| BundleError::Delete { path, source })?;
            all -= freed;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Directories with our marker whose names are as they should be.
    fn ours(&self, is_ours: &dyn Fn(&str) -> bool) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Of the entry itself: a link to a directory is not one.
            if is_ours(&name) && entry.file_type()?.is_dir() && entry.path().join(MARKER).is_file() {
                found.push(name);
            }
        }
        Ok(found)
    }
}

/// What the files in a directory take, those that somebody put there included.
fn size(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
