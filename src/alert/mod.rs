//! Alerts: rules over metrics, and who is told.
//!
//! Two state machines, both pure: they look at no clock, wait for nothing and touch no file, so that the same samples at
//! the same moments give the same events, in a test, in a replay and in the night of the incident.
//!
//! - The [`Engine`] takes samples and time, and says what each [`Rule`] finds for each label set: pending, fired, resolved.
//! - The [`Dispatcher`] takes these [`Event`]s and time, and says who is to be told: grouped, silenced, repeated, escalated.
//!
//! Both give their whole state as a snapshot and go on from one, so that an incident outlives the process. Reading rules
//! from a file, sending, and keeping what is not sent yet are the business of whoever runs them.
//!
//! ```
//! use std::time::Duration;
//! use statim::alert::{Aggregate, Comparison, Condition, Engine, EngineOptions, Event, Labels, Moment, Rule, Threshold};
//!
//! let minute = Duration::from_secs(60);
//! let full = Threshold::new("statim_memory_used_ratio", Aggregate::Mean, minute, Comparison::AtLeast, 0.85);
//! let rule = Rule { hold: minute * 3, ..Rule::new("MemoryHigh", Condition::Threshold(full)) };
//! let mut engine = Engine::new(EngineOptions { interval: minute, ..EngineOptions::default() }, vec![rule])?;
//! let mut said = Vec::new();
//! for now in (0..6).map(|n| Moment::from_millis(n * 60_000)) {
//!     engine.observe("statim_memory_used_ratio", &Labels::none(), 0.9, now);
//!     said.extend(engine.evaluate(now).iter().map(Event::kind));
//! }
//! assert_eq!(said, ["pending", "fired", "still_firing", "still_firing"]);
//! # Ok::<(), statim::alert::RuleFaults>(())
//! ```

mod action;
mod aggregate;
mod check;
mod dispatch;
mod distribution;
mod engine;
mod event;
mod group;
mod incident;
mod labels;
mod notification;
mod routing;
mod rule;
mod series;
pub mod service;
mod set;
mod silence;
pub mod sink;
mod snapshot;
mod state;
mod template;
mod time;
mod watched;

#[cfg(test)]
mod tests;

pub use self::action::{Action, Severity};
pub use self::aggregate::{Aggregate, Comparison};
pub use self::check::{MOST_RULES, RuleFault, RuleFaults, check};
pub use self::dispatch::{Dispatcher, DispatcherSnapshot, NotFiring};
pub use self::distribution::Distribution;
pub use self::engine::{Engine, EngineOptions, EngineStats};
pub use self::event::{Alert, Ending, Event};
pub use self::group::Acknowledgement;
pub use self::incident::{Incident, dedup_key};
pub use self::labels::{LabelFault, Labels, Matcher};
pub use self::notification::{Notice, Notification, Status, Why};
pub use self::routing::{DispatchOptions, EscalationStep};
pub use self::rule::{Condition, Flap, NoData, Per, Rule, Threshold};
pub use self::series::Value;
pub use self::silence::{Silence, SilenceFault, Silences};
pub use self::snapshot::EngineSnapshot;
pub use self::state::Standing;
pub use self::template::{Template, TemplateFault};
pub use self::time::Moment;
