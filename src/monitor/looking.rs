//! Looking at an interval.

use std::io;
use std::sync::Condvar;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::watcher::Monitor;
use crate::sync::{Arc, Mutex, lock};

/// A thread that looks at an interval, until it is dropped. Dropping waits for a look under way.
#[derive(Debug)]
pub struct Looking {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Looking {
    pub(super) fn start(monitor: Monitor, interval: Duration) -> io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&stop);
        let look = move || {
            let mut next = Instant::now();
            while !is_told(&told, next) {
                monitor.look();
                // A look that was late (the machine slept) is not made up for.
                next = (next + interval).max(Instant::now());
            }
        };
        let thread = std::thread::Builder::new().name("statim-monitor".to_owned()).spawn(look)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

/// Waits until then; whether it is time to stop.
fn is_told(stop: &(Mutex<bool>, Condvar), until: Instant) -> bool {
    let mut told = lock(&stop.0);
    while !*told {
        let wait = until.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return false;
        }
        told = match stop.1.wait_timeout(told, wait) {
            Ok((guard, _)) => guard,
            Err(poisoned) => poisoned.into_inner().0,
        };
    }
    true
}

impl Drop for Looking {
    fn drop(&mut self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
