//! What the runtime knows about itself, from the first message on.
//!
//! Each agent has one [`AgentStats`], counters of what befell its messages, and each of its instances has
//! [`Figures`], written by the instance's own loop: what it handled and how long that took. That is the one
//! narrow hook; nothing else in the runtime knows how figures are kept. A [`Snapshot`] reads them without
//! stopping anybody.
//!
//! The rest is for whoever watches: [`names`] lists every metric; a [`RuntimeReading`], a [`SystemSample`] and a
//! [`Registry`] give [`MetricSample`]s of them; [`exposition`] writes these for others to read, and a [`History`] remembers. None
//! of it knows the runtime: the folder `monitor` brings them together.

mod buckets;
mod events;
pub mod exposition;
mod figures;
pub mod history;
mod latency;
mod metering;
pub mod names;
mod reading;
mod registry;
mod sample;
mod snapshot;
mod sparse;
mod stats;
pub mod system;

pub use events::{Occurrence, RuntimeEvent};
pub use history::{History, HistoryOptions, Summary};
pub use metering::AllocationMeter;
pub use names::{Kind, Metric, Unit};
pub use reading::{AgentReading, LaneLatencies, RuntimeReading, Totals};
pub use registry::{Distribution, RecordError, Registry, RegistryOptions, RegistryReading, Timing};
pub use sample::{MetricSample, Value};
pub use snapshot::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};
pub use sparse::Sparse;
pub use system::{SystemProbe, SystemSample};

pub(crate) use events::Happenings;
pub(crate) use figures::{Figures, Handled, Work};
pub(crate) use latency::{Latencies, Sample};
pub(crate) use metering::{Meter, Metered, Metering};
pub(crate) use reading::LaneSums;
pub(crate) use stats::AgentStats;
