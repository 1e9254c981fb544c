//! The synchronisation primitives that the mailbox is built of, behind one door, so that a model
//! checker can stand in for them without a change to the code that uses them.
//!
//! The two flags are set by the package `statim-proof` for itself alone.

#[cfg(any(statim_loom, statim_shuttle))]
pub(crate) use crate::primitives::{Arc, AtomicU8, AtomicU64, Mutex, MutexGuard, Ordering, thread_local};
#[cfg(not(any(statim_loom, statim_shuttle)))]
pub(crate) use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard},
    thread_local,
};

/// Locks `mutex`, also after a panic elsewhere: no code of a user runs under our locks, so a poisoned
/// lock can only mean that a thread was torn down between two complete states.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
