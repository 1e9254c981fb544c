//! What a rule does besides telling somebody: more pool members, a restart, a diagnostic bundle.
//!
//! The [rule engine](crate::alert) says that a rule fires and which [`Action`](crate::alert::Action)s it has; [`Remedies`]
//! does them, and sees to their limits:
//!
//! - **`scale_up`** gives a shared pool more members, a step at a time and up to a maximum, and takes exactly those away
//!   again when the rule is resolved.
//! - **`restart_agents`** drains and rebuilds one agent: the one that is named, the one in the alert's label `agent`, or the
//!   [worst offender](Remedies#the-worst-offender). One at a time, and so often in so long.
//! - **`investigate`** writes a [bundle](Bundle) of everything that helps to find the cause, to a folder with a bound.
//!
//! ```
//! use statim::alert::{Action, Alert, Moment};
//! use statim::remedy::{Remedies, RemedyOptions, RemedyOutcome};
//! # use statim::monitor::{Monitor, MonitorOptions};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = statim::Runtime::builder().start()?;
//! # let monitor = Monitor::new(&runtime, MonitorOptions::default());
//! let folder = std::env::temp_dir().join("bundles");
//! let options = RemedyOptions { bundles: Some(folder), ..RemedyOptions::default() };
//! let remedies = Remedies::new(&runtime, &monitor, options);
//! // For each alert that fires, and again as long as it does:
//! async fn act(remedies: &Remedies, alert: &Alert, now: Moment) {
//!     for action in &alert.actions {
//!         match remedies.fired(alert, action, now).await {
//!             RemedyOutcome::Skipped { .. } => {}
//!             outcome => println!("{}: {outcome}", alert.rule),
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod bundle;
mod offender;
mod options;
mod outcome;
mod remedies;
mod state;

#[cfg(test)]
mod tests;

pub use self::bundle::{Bundle, BundleError};
pub use self::options::RemedyOptions;
pub use self::outcome::{Deed, RemedyError, RemedyOutcome, Skip};
pub use self::remedies::Remedies;
pub use self::state::RemedySnapshot;
