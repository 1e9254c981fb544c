//! For tests: virtual time, probes, and a guard against leaked agents.

mod probe;
mod virtual_time;

pub use probe::{Probe, ProbeLog};
pub use virtual_time::{TestRuntime, virtual_time};
