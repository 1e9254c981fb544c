//! The performance monitor: looks at the runtime and the process at an interval, and keeps a bounded history.

mod agent;
mod process;

pub use agent::{Monitor, MonitorMessage, Sampled};
pub use process::ProcessSample;
