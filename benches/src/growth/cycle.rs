//! The closed loop itself, whoever runs it: each bulk message handled gives the next one's seed, until the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Point;
use crate::urgent::{Load, Ward, observe, send_urgent};
use crate::{Fault, Target};

/// What those in the loop share with whoever measures them.
pub(super) struct Cycle {
    ward: Ward,
    /// Bulk messages handled, and those that came to their end. Written by one thread, that of the loop.
    turned: AtomicU64,
    ended: AtomicU64,
}

impl Default for Cycle {
    fn default() -> Self {
        Self { ward: Ward::new(Duration::ZERO), turned: AtomicU64::new(0), ended: AtomicU64::new(0) }
    }
}

impl Cycle {
    /// A bulk message is handled: the seed of the next one, while the loop goes on.
    pub(super) fn turn(&self, seed: u64) -> Option<u64> {
        let is_closed = self.ward.is_closed();
        add_one(if is_closed { &self.ended } else { &self.turned });
        (!is_closed).then(|| step(seed))
    }

    /// An urgent message is handled.
    pub(super) fn urgent(&self, number: u64) {
        self.ward.note(number);
    }

    /// Measures for so long, ends the loop, and accounts for the `messages` that were in it.
    pub(super) fn measure<T: Target>(
        &self,
        target: &T,
        size: u64,
        messages: u64,
        bytes: f64,
        during: Duration,
    ) -> Result<Point, Fault> {
        let load =
            Load { duration: during, every: Duration::from_millis(1), service: Duration::ZERO, depth: 0 };
        // Until queues and caches are as they will be.
        thread::sleep(during / 10);
        let turned = self.turned.load(Ordering::Relaxed);
        let began = Instant::now();
        let lags = send_urgent(target, &self.ward, load)?;
        let took = began.elapsed();
        let turned = self.turned.load(Ordering::Relaxed) - turned;
        let patience = Instant::now() + Duration::from_secs(30);
        while self.ended.load(Ordering::Relaxed) < messages && Instant::now() < patience {
            thread::sleep(Duration::from_millis(1));
        }
        let observed = observe(&self.ward, &lags, load.every, 0)?;
        let found = self.ended.load(Ordering::SeqCst);
        if found != messages {
            return Err(Fault::Sum { expected: messages, found });
        }
        Ok(Point {
            size,
            ns_per_message: took.as_nanos() as f64 / turned as f64,
            urgent_wait: observed.from_sending,
            lag: observed.lag,
            bytes_each: bytes,
        })
    }
}

/// Only one thread writes, so an addition need not lock the bus.
fn add_one(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// The next of a sequence that visits everything in no order (xorshift: Marsaglia, 2003).
pub(super) fn step(mut seed: u64) -> u64 {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^ (seed << 17)
}

/// Bytes for each of so many; not a number in a program that does not count its allocations.
pub(super) fn each(before: Option<u64>, after: Option<u64>, count: u64) -> f64 {
    match (before, after) {
        (Some(before), Some(after)) => (after as f64 - before as f64) / count as f64,
        _ => f64::NAN,
    }
}
