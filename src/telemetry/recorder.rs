//! The agent loop's side of telemetry.

use std::sync::Arc;

use super::latency::Sample;
use super::stats::AgentStats;
use crate::message::Priority;

/// Samples collected before they are written down together: one uncontended lock for as many messages.
const COLLECTED: usize = 256;

/// How handling one message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    Well,
    Failed,
}

/// Collects what one agent instance measures. Written down when the buffer is full and whenever the
/// instance yields or goes to sleep, so a figure is late by one slice of the loop at most.
#[derive(Debug)]
pub(crate) struct Recorder {
    stats: Arc<AgentStats>,
    enabled: bool,
    samples: Vec<(u8, Sample)>,
    handled: u64,
    failed: u64,
    busy: u64,
}

impl Recorder {
    pub(crate) fn new(stats: Arc<AgentStats>, enabled: bool) -> Self {
        Self { stats, enabled, samples: Vec::new(), handled: 0, failed: 0, busy: 0 }
    }

    /// One message of `priority` waited and was served for so many nanoseconds. In a batch, `service` is
    /// its share and `end_to_end` lasts until the batch was done.
    pub(crate) fn record(&mut self, priority: Priority, sample: Sample, outcome: Handled) {
        match outcome {
            Handled::Well => self.handled += 1,
            Handled::Failed => self.failed += 1,
        }
        self.busy += sample.service;
        if self.enabled {
            self.samples.push((priority as u8, sample));
            if self.samples.len() >= COLLECTED {
                self.write_down();
            }
        }
    }

    /// Makes everything recorded so far visible to snapshots.
    pub(crate) fn write_down(&mut self) {
        if self.handled + self.failed == 0 {
            return;
        }
        self.stats.add_handled(self.handled, self.failed, self.busy);
        self.stats.add_samples(&self.samples);
        self.samples.clear();
        (self.handled, self.failed, self.busy) = (0, 0, 0);
    }

    /// Gives the buffer back when there is nothing to record for a while.
    pub(crate) fn rest(&mut self) {
        self.write_down();
        if self.samples.capacity() > 16 {
            self.samples = Vec::new();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.write_down();
    }
}
