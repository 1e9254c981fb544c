//! What happened lately, in bounded memory.
//!
//! Each look of the monitor adds an [`Observation`]: what happened since the look before. It goes into several tiers at
//! once, each with slots of its own length: by default 1 s for 10 minutes, 10 s for 2 hours and 1 minute for 24 hours.
//! Counts add up, gauges keep mean and maximum, and latencies are interval histograms that add up exactly, so that a quantile
//! over an hour is one of all its messages and not a mean of quantiles.
//!
//! Bounded: a slot names the busiest agents only and folds the others into one, and all slots together take at most
//! [`HistoryOptions::bytes`], beyond which the oldest of the finest tier go first.

mod observation;
mod slot;
mod summary;
mod tier;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::observation::{AgentObservation, Gauge, LaneObservation, Observation};
pub use self::summary::{AgentSummary, GaugeSummary, Summary};

use self::slot::Slot;
use self::tier::Tier;

/// How much is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryOptions {
    /// The length of a slot and for how long slots are kept, finest first.
    pub tiers: Vec<(Duration, Duration)>,
    /// Agents that a slot names; the others are one. Default: 20.
    pub agents: usize,
    /// Most memory that all slots take, in bytes. Default: 32 MiB.
    pub bytes: usize,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self::of(Duration::from_secs(24 * 60 * 60))
    }
}

impl HistoryOptions {
    /// The default tiers, the last of them kept for `longest` (at least two hours).
    #[must_use]
    pub fn of(longest: Duration) -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let tiers = vec![
            (Duration::from_secs(1), minutes(10)),
            (Duration::from_secs(10), minutes(120)),
            (minutes(1), longest.max(minutes(120))),
        ];
        Self { tiers, agents: 20, bytes: 32 << 20 }
    }
}

/// What happened lately. Pure: the time comes with the observations.
#[derive(Debug)]
pub struct History {
    tiers: Vec<Tier>,
    options: HistoryOptions,
    /// End of the last observation, since the history began.
    now: Duration,
    bytes: usize,
    forgotten: u64,
}

impl History {
    /// Nothing yet.
    #[must_use]
    pub fn new(options: HistoryOptions) -> Self {
        let tiers = options.tiers.iter().map(|(step, keep)| Tier::new(*step, *keep)).collect();
        Self { tiers, options, now: Duration::ZERO, bytes: 0, forgotten: 0 }
    }

    /// Adds what happened since the observation before.
    pub fn observe(&mut self, mut observation: Observation) {
        observation.keep_busiest(self.options.agents);
        self.now += observation.span;
        for tier in &mut self.tiers {
            self.bytes = self.bytes + tier.add(&observation, self.now, self.options.agents) - tier.expire();
        }
        while self.bytes > self.options.bytes {
            let Some(tier) = self.tiers.iter_mut().find(|tier| !tier.is_empty()) else { break };
            self.bytes -= tier.forget_oldest();
            self.forgotten += 1;
        }
    }

    /// Memory that the closed slots take, in bytes; each tier's open slot comes on top, some kilobytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Slots that were forgotten before their time, because all together took too much memory.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// For how long observations have come.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.now
    }

    /// What happened in the last so much time, from the finest tier that reaches back so far; what is older than the
    /// coarsest remembers is not in it. [`Summary::seconds`] says how long it really is.
    #[must_use]
    pub fn summary(&self, last: Duration) -> Summary {
        let mut all = Observation::default();
        self.since(last).for_each(|(_, observation)| all.add(&observation));
        Summary::of(&all)
    }

    /// The slots of the last so much time, oldest first, each with when it ended (since the history began).
    pub fn since(&self, last: Duration) -> impl Iterator<Item = (Duration, Observation)> + '_ {
        let from = self.now.saturating_sub(last);
        let tier = self.tiers.iter().find(|tier| tier.reaches(from)).or(self.tiers.last());
        tier.into_iter().flat_map(move |tier| tier.since(from))
    }
}
