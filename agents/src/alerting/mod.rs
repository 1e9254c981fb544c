//! Alerting: one threshold rule, which logs when it fires and when it is over.

mod agent;
mod rule;
mod sinks;

pub use agent::{Alerting, AlertingMessage, Reading};
pub use rule::{Metric, Rule, Transition, UnknownMetric};
pub use sinks::sinks;
