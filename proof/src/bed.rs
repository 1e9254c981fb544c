//! Where the threads of a model sleep.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::primitives::{Condvar, Mutex};

/// Where a thread sleeps until it is woken. Not by parking the thread: loom lets that end a wait for a lock, too.
#[derive(Default)]
pub(crate) struct Bed {
    woken: Mutex<bool>,
    alarm: Condvar,
}

impl Bed {
    pub(crate) fn made() -> (Arc<Self>, Waker) {
        let bed = Arc::new(Self::default());
        (Arc::clone(&bed), Waker::from(bed))
    }

    pub(crate) fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.alarm.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Bed {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.alarm.notify_one();
    }
}
