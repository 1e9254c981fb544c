//! The performance monitor: an agent that lets a [`statim::monitor::Monitor`] look at an interval, off the threads of
//! agents, and tells alerting what was seen.

mod agent;
mod store;

#[cfg(test)]
mod tests;

pub use agent::{MonitorAgent, MonitorMessage};
pub use store::store_check;
