//! How many bytes of records may be on their way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A budget of bytes that readers draw on and deduplication gives back.
///
/// A mailbox counts messages, but one study may be a hundred times as large as another.
#[derive(Debug, Clone)]
pub struct Flow {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    free: Mutex<u64>,
    freed: Condvar,
    budget: u64,
    stopped: AtomicBool,
}

impl Flow {
    /// A budget of this many bytes; at least 1 MiB.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let budget = bytes.max(1 << 20);
        let (free, freed) = (Mutex::new(budget), Condvar::new());
        Self { inner: Arc::new(Inner { free, freed, budget, stopped: AtomicBool::new(false) }) }
    }

    /// Asks every reader to leave its file after the record it is at. There is no way back.
    pub fn stop(&self) {
        self.inner.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether readers are to leave their files.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.inner.stopped.load(Ordering::Relaxed)
    }

    /// Takes a share of `bytes`, and blocks the thread until there is one: for threads that may. What is larger than the whole budget takes
    /// all of it, so that it passes alone.
    #[must_use]
    pub fn take(&self, bytes: u64) -> Share {
        let bytes = bytes.min(self.inner.budget);
        let mut free = self.inner.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            free = self.inner.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Share { flow: self.clone(), bytes }
    }

    /// Takes a share of `bytes` if there is one now.
    #[must_use]
    pub fn try_take(&self, bytes: u64) -> Option<Share> {
        let bytes = bytes.min(self.inner.budget);
        let mut free = self.inner.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(bytes)?;
        Some(Share { flow: self.clone(), bytes })
    }
}

/// A share of the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    flow: Flow,
    bytes: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.flow.inner.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.flow.inner.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_waits_until_a_share_is_given_back() {
        let flow = Flow::new(1 << 20);
        let first = flow.take(900_000);
        let waiting = std::thread::spawn({
            let flow = flow.clone();
            move || drop(flow.take(900_000))
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap();
    }

    #[test]
    fn who_may_not_wait_gets_a_share_or_none() {
        let flow = Flow::new(1 << 20);
        let first = flow.try_take(900_000).unwrap();
        assert!(flow.try_take(900_000).is_none());
        drop(first);
        assert!(flow.try_take(u64::MAX).is_some());
    }

    #[test]
    fn what_is_larger_than_everything_passes_alone() {
        let flow = Flow::new(1 << 20);
        drop(flow.take(u64::MAX));
        drop(flow.take(u64::MAX));
    }
}
