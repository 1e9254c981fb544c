//! Senders on threads of their own: for measuring.

use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::sender::Turn;
use super::timeline::Timeline;
use crate::sync::Arc;

/// A sender sleeps until so long before a message is due, in nanoseconds, and watches the clock from then on: to be woken
/// takes the system about that long.
const SPIN: u64 = 20_000;

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// What wakes the calling thread.
pub(in crate::load) fn waker() -> Waker {
    Waker::from(Arc::new(Unpark(std::thread::current())))
}

/// Gives turns until they end, on the calling thread. `is_called` is asked while the clock is watched.
pub(in crate::load) fn drive<S>(
    timeline: &Timeline,
    sender: &mut S,
    turn: impl Fn(&mut S) -> Turn,
    is_called: impl Fn(&S) -> bool,
) {
    sleep_exactly();
    while let wait @ 1.. = timeline.until_zero() {
        std::thread::park_timeout(Duration::from_nanos(wait));
    }
    loop {
        match turn(sender) {
            Turn::Ended => return,
            Turn::Now => {}
            Turn::At(then) => {
                let wait = then.saturating_sub(timeline.now());
                if wait > SPIN {
                    std::thread::park_timeout(Duration::from_nanos(wait - SPIN));
                } else {
                    while timeline.now() < then && !is_called(sender) {
                        std::hint::spin_loop();
                    }
                }
            }
        }
    }
}

/// Asks the system to wake this thread when it wanted to be woken, and not up to 50 µs later with others.
fn sleep_exactly() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!(%error, "the load test's threads may be woken some microseconds late");
    }
}
