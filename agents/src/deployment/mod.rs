//! The agents put together as a configuration says, and the jobs they do together.

mod dead_letter_keeper;
mod drill;
mod error;
mod peak_memory;
mod pipeline;
mod replay;
mod report;
mod requeue;
mod watch;
mod whole;

pub use error::DeploymentError;
pub use peak_memory::peak_rss_bytes;
pub use pipeline::{Pipeline, PipelineOptions, Progress};
pub use replay::{ReplayReport, replay};
pub use report::{
    AgentReport, IngestReport, LatencyMillis, QuarantineNote, RunReport, UnreadableFile, agent_reports,
};
pub use requeue::Requeued;
pub use whole::{Deployment, DeploymentLinks, DeploymentOptions, DoorOptions};
