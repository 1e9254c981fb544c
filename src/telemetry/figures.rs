//! What one agent instance measures of its own work.
//!
//! The instance's loop is the only writer, and writes a message's figures with a few plain stores into a
//! small ring. Whoever wants to read, and the loop itself when the ring is full, folds the ring into the
//! totals and histograms under a lock. So recording is nearly free, and a reader misses nothing: what was
//! handled before it looked is in what it sees.

use super::latency::{Latencies, Sample};
use super::reading::LaneLatencies;
use crate::message::Priority;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// Places in the ring. Few, because every idle agent carries them; enough to share the price of the lock.
const PLACES: u64 = 4;

/// How handling one message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    Well,
    Failed,
}

/// What an instance did, or several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) busy_nanos: u64,
    /// Processor time, where it is measured.
    pub(crate) cpu_nanos: u64,
    /// Bytes allocated less bytes freed, where that is counted.
    pub(crate) allocated: i64,
}

impl Work {
    pub(crate) fn add(&mut self, other: &Self) {
        self.handled += other.handled;
        self.failed += other.failed;
        self.busy_nanos = self.busy_nanos.saturating_add(other.busy_nanos);
        self.cpu_nanos = self.cpu_nanos.saturating_add(other.cpu_nanos);
        self.allocated = self.allocated.saturating_add(other.allocated);
    }
}

#[derive(Debug)]
pub(crate) struct Figures {
    ring: [Place; PLACES as usize],
    /// Messages ever written; by the loop only.
    written: AtomicU64,
    /// Of these, folded; written under the lock only.
    folded: AtomicU64,
    sums: Mutex<Sums>,
    cpu_nanos: AtomicU64,
    /// A signed number, in two's complement.
    allocated: AtomicU64,
}

/// One message: how long it waited, and its service time with lane and outcome in the two low bytes.
#[derive(Debug, Default)]
struct Place {
    wait: AtomicU64,
    service_and_kind: AtomicU64,
}

#[derive(Debug)]
struct Sums {
    work: Work,
    /// `None`: latencies are not recorded.
    latencies: Option<Latencies>,
}

const KIND_BITS: u32 = 8;
const FAILED: u64 = 0b1000;
const LANE: u64 = 0b0011;

impl Figures {
    /// Nothing measured yet.
    pub(crate) fn new(latencies: bool) -> Self {
        Self {
            ring: Default::default(),
            written: AtomicU64::new(0),
            folded: AtomicU64::new(0),
            sums: Mutex::new(Sums { work: Work::default(), latencies: latencies.then(Latencies::default) }),
            cpu_nanos: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
        }
    }

    /// One message of `priority` waited and was served for so many nanoseconds. For the instance's loop
    /// only. Service times of more than two years are cut off.
    #[inline]
    pub(crate) fn record(&self, priority: Priority, wait: u64, service: u64, outcome: Handled) {
        let written = self.written.load(Ordering::Relaxed);
        // Acquire: what the fold has read of the place may be overwritten only after it.
        if written - self.folded.load(Ordering::Acquire) >= PLACES {
            drop(self.fold());
        }
        let place = &self.ring[(written % PLACES) as usize];
        let failed = if outcome == Handled::Failed { FAILED } else { 0 };
        let service = service.min(u64::MAX >> KIND_BITS);
        place.wait.store(wait, Ordering::Relaxed);
        place
            .service_and_kind
            .store(service << KIND_BITS | failed | priority.lane() as u64, Ordering::Relaxed);
        // Release: whoever sees the count sees the figures.
        self.written.store(written + 1, Ordering::Release);
    }

    /// One message of a batch, whose service time is its share and whose end is the batch's.
    pub(crate) fn record_shared(&self, priority: Priority, sample: Sample, outcome: Handled) {
        lock(&self.sums).add(priority.lane(), sample, outcome);
    }

    /// What the thread's meters counted while the instance had its turn. For the instance's thread only.
    pub(crate) fn meter(&self, cpu_nanos: u64, allocated: i64) {
        // The only writer, so a read and a write will do.
        self.cpu_nanos
            .store(self.cpu_nanos.load(Ordering::Relaxed).wrapping_add(cpu_nanos), Ordering::Relaxed);
        let sum = self.allocated.load(Ordering::Relaxed).wrapping_add_signed(allocated);
        self.allocated.store(sum, Ordering::Relaxed);
    }

    /// Everything.
    pub(crate) fn work(&self) -> Work {
        Work {
            cpu_nanos: self.cpu_nanos.load(Ordering::Relaxed),
            allocated: self.allocated.load(Ordering::Relaxed).cast_signed(),
            ..self.fold().work
        }
    }

    /// Adds this instance's latencies to `all`.
    pub(crate) fn add_latencies_to(&self, all: &mut Latencies) {
        if let Some(latencies) = &self.fold().latencies {
            all.add(latencies);
        }
    }

    /// This instance's latencies, in short.
    pub(crate) fn lanes(&self) -> LaneLatencies {
        self.fold().latencies.as_ref().map(LaneLatencies::of).unwrap_or_default()
    }

    /// Brings everything written into the sums.
    fn fold(&self) -> crate::sync::MutexGuard<'_, Sums> {
        let mut sums = lock(&self.sums);
        let written = self.written.load(Ordering::Acquire);
        let folded = self.folded.load(Ordering::Relaxed);
        for number in folded..written {
            let place = &self.ring[(number % PLACES) as usize];
            let wait = place.wait.load(Ordering::Relaxed);
            let service_and_kind = place.service_and_kind.load(Ordering::Relaxed);
            let service = service_and_kind >> KIND_BITS;
            let sample = Sample { wait, service, end_to_end: wait.saturating_add(service) };
            let outcome = if service_and_kind & FAILED == 0 { Handled::Well } else { Handled::Failed };
            sums.add((service_and_kind & LANE) as usize, sample, outcome);
        }
        self.folded.store(written, Ordering::Release);
        sums
    }
}

impl Sums {
    fn add(&mut self, lane: usize, sample: Sample, outcome: Handled) {
        match outcome {
            Handled::Well => self.work.handled += 1,
            Handled::Failed => self.work.failed += 1,
        }
        self.work.busy_nanos = self.work.busy_nanos.saturating_add(sample.service);
        if let Some(latencies) = &mut self.latencies {
            latencies.record(lane, sample);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_reader_sees_every_message_written_before_it_looked() {
        let figures = Figures::new(true);
        for n in 0..100 {
            let outcome = if n % 5 == 0 { Handled::Failed } else { Handled::Well };
            figures.record(Priority::ALL[n % 4], n as u64, 10, outcome);
            let work = figures.work();
            assert_eq!(work.handled + work.failed, n as u64 + 1);
            assert_eq!(work.failed, n as u64 / 5 + 1);
            assert_eq!(work.busy_nanos, (n as u64 + 1) * 10);
        }
        let mut all = Latencies::default();
        figures.add_latencies_to(&mut all);
        let counts: Vec<_> = (0..4).map(|lane| all.summary(lane).unwrap().count).collect();
        assert_eq!(counts, [25, 25, 25, 25]);
    }

    #[test]
    fn readers_and_the_writer_never_lose_or_double_a_message() {
        const MESSAGES: u64 = 200_000;
        let figures = Arc::new(Figures::new(true));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let figures = Arc::clone(&figures);
                std::thread::spawn(move || {
                    let mut seen = 0;
                    while seen < MESSAGES {
                        let work = figures.work();
                        let now = work.handled + work.failed;
                        assert!(now >= seen && work.busy_nanos == now * 3, "{work:?} after {seen}");
                        seen = now;
                    }
                })
            })
            .collect();
        for n in 0..MESSAGES {
            figures.record(Priority::ALL[(n % 4) as usize], 1, 3, Handled::Well);
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        let mut all = Latencies::default();
        figures.add_latencies_to(&mut all);
        let sum: u64 = (0..4).map(|lane| all.summary(lane).unwrap().count).sum();
        assert_eq!(sum, MESSAGES);
        assert_eq!(all.summary(0).unwrap().wait.max, 1);
    }

    #[test]
    fn the_longest_wait_and_service_survive_the_ring() {
        let figures = Figures::new(true);
        figures.record(Priority::Low, 5_000_000_000_000, u64::MAX, Handled::Well);
        let mut all = Latencies::default();
        figures.add_latencies_to(&mut all);
        assert!(all.summary(3).unwrap().service.max >= 1_000_000_000 * 60 * 60 * 24 * 365);
    }
}
