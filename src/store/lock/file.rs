//! The operating system's lock on a file beside the database.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rand::RngExt;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::{LockError, LockId};
use crate::resilience::Backoff;
use crate::store::Store;
use crate::sync::lock;

/// The rests between attempts while another process holds the file.
const KNOCKING: Backoff = Backoff::exponential(Duration::from_millis(2), Duration::from_millis(100));

/// In order of arrival within the process; then, between processes, whoever comes first.
pub(super) struct FileLock {
    /// Before the turn, so that it is free before the next in the queue tries. Closing a file frees its lock. `None`: the
    /// database is in memory, and nobody outside can see it.
    _file: Option<File>,
    _turn: OwnedMutexGuard<()>,
}

impl FileLock {
    pub(super) async fn take(store: &Store, id: LockId) -> Result<Self, LockError> {
        let turn = turn(store, id).lock_owned().await;
        let Some(path) = path(store, id) else { return Ok(Self { _file: None, _turn: turn }) };
        let file = open(&path)?;
        for attempt in 1.. {
            if locked(&path, &file)? {
                break;
            }
            let longest = KNOCKING.ceiling(attempt);
            let rest = rand::rng().random_range(longest / 2..=longest);
            tokio::time::sleep(rest).await;
        }
        Ok(Self { _file: Some(file), _turn: turn })
    }

    pub(super) fn try_take(store: &Store, id: LockId) -> Result<Option<Self>, LockError> {
        let Ok(turn) = turn(store, id).try_lock_owned() else { return Ok(None) };
        let Some(path) = path(store, id) else {
            return Ok(Some(Self { _file: None, _turn: turn }));
        };
        let file = open(&path)?;
        Ok(locked(&path, &file)?.then_some(Self { _file: Some(file), _turn: turn }))
    }
}

/// The queue of this process for a lock of a database, the same for all its stores.
fn turn(store: &Store, id: LockId) -> Arc<AsyncMutex<()>> {
    type Turns = HashMap<(String, LockId), Weak<AsyncMutex<()>>>;
    static TURNS: Mutex<Option<Turns>> = Mutex::new(None);
    let mut turns = lock(&TURNS);
    let turns = turns.get_or_insert_default();
    let key = (store.inner().identity.clone(), id);
    if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
        return turn;
    }
    turns.retain(|_, turn| turn.strong_count() > 0);
    let turn = Arc::default();
    turns.insert(key, Arc::downgrade(&turn));
    turn
}

/// `statim.db.lock-12345`. It stays when it is free: whoever removed it might remove it from under one who has just
/// locked it.
fn path(store: &Store, id: LockId) -> Option<PathBuf> {
    let mut path = store.inner().file.clone()?.into_os_string();
    path.push(format!(".lock-{}", id.number().cast_unsigned()));
    Some(path.into())
}

fn open(path: &Path) -> Result<File, LockError> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|source| LockError::File { path: path.to_owned(), source })
}

fn locked(path: &Path, file: &File) -> Result<bool, LockError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(LockError::File { path: path.to_owned(), source }),
    }
}
