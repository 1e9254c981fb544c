//! The figures of one agent (all instances of a pool that share a mailbox).

use std::sync::atomic::AtomicU32;

use super::latency::{Latencies, Sample};
use super::snapshot::LatencySummary;
use crate::mailbox::Reason;
use crate::message::Priority;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

#[derive(Debug, Default)]
pub(crate) struct AgentStats {
    handled: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    restarts: AtomicU64,
    busy_nanos: AtomicU64,
    dropped: [[AtomicU32; Priority::COUNT]; Reason::COUNT],
    latencies: Mutex<Latencies>,
}

impl AgentStats {
    pub(crate) fn dropped(&self, reason: Reason, priority: Priority) {
        self.dropped[reason as usize][priority.lane()].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_handled(&self, handled: u64, failed: u64, busy_nanos: u64) {
        self.handled.fetch_add(handled, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
        self.busy_nanos.fetch_add(busy_nanos, Ordering::Relaxed);
    }

    pub(super) fn add_samples(&self, samples: &[(u8, Sample)]) {
        if samples.is_empty() {
            return;
        }
        let mut latencies = lock(&self.latencies);
        for &(lane, sample) in samples {
            latencies.record(usize::from(lane), sample);
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            handled: load(&self.handled),
            failed: load(&self.failed),
            panicked: load(&self.panicked),
            restarts: load(&self.restarts),
            busy_nanos: load(&self.busy_nanos),
        }
    }

    pub(crate) fn dropped_for(&self, reason: Reason) -> u64 {
        let lanes = &self.dropped[reason as usize];
        lanes.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).sum()
    }

    pub(crate) fn latency(&self, priority: Priority) -> Option<LatencySummary> {
        lock(&self.latencies).summary(priority.lane())
    }
}

/// Counters read at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) panicked: u64,
    pub(crate) restarts: u64,
    pub(crate) busy_nanos: u64,
}
