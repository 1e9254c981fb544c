//! What the runtime knows about itself, from the first message on.
//!
//! Each agent has one [`AgentStats`], counters of what befell its messages, and each of its instances has
//! [`Figures`], written by the instance's own loop: what it handled and how long that took. That is the one
//! narrow hook; nothing else in the runtime knows how figures are kept. A [`Snapshot`] reads them without
//! stopping anybody. [`names`] lists every metric.

mod buckets;
mod figures;
mod latency;
pub mod names;
mod snapshot;
mod stats;

pub use snapshot::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};

pub(crate) use figures::{Figures, Handled};
pub(crate) use latency::{Latencies, Sample};
pub(crate) use stats::AgentStats;
