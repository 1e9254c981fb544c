//! What the runtime knows about itself, from the first message on.
//!
//! Each agent has one [`AgentStats`]: counters of every outcome, written where the outcome happens, and
//! latencies, written by the agent's own loop through a [`Recorder`] that collects a handful of samples
//! before it touches anything shared. That is the one narrow hook; nothing else in the runtime knows how
//! figures are kept. A [`Snapshot`] reads them without stopping anybody.

mod latency;
mod recorder;
mod snapshot;
mod stats;

pub use snapshot::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};

pub(crate) use latency::Sample;
pub(crate) use recorder::{Handled, Recorder};
pub(crate) use stats::AgentStats;
