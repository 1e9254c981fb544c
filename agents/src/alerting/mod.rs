//! Alerting: an agent that shows a [`statim::alert::service::AlertService`] what the monitor saw, has the rules evaluated at
//! their interval, and takes up a rule file that has changed.

mod agent;
mod remedies;
mod setup;
mod sinks;

#[cfg(test)]
mod tests;

pub use agent::{Alerting, AlertingMessage};
pub use remedies::Acting;
pub use setup::{RuleSource, Rules};
pub use sinks::sinks;
