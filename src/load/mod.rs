//! Load tests: how much a target stands, and how it behaves beyond.
//!
//! A [`Scenario`] says what is sent how fast and what must hold; a [`Target`] is what it is sent to; [`Load`] brings the two
//! together and tells a [`LoadResult`]. Scenarios are open models by default: messages are sent when they are to be sent,
//! and a latency runs from there, so a target that stands still is seen by all that came meanwhile (no coordinated
//! omission). The latency from the actual send is told beside it, as is how late the generator itself was.
//!
//! ```
//! use std::time::Duration;
//! use statim::load::{Completion, Kind, Load, Outcome, Request, Scenario, Share, Target};
//! use statim::prelude::*;
//!
//! struct Ward(AgentRef<Call>);
//!
//! /// A message that says itself when it is done.
//! struct Call(Priority, Completion);
//!
//! impl Message for Call {
//!     fn priority(&self) -> Priority {
//!         self.0
//!     }
//! }
//!
//! struct Nurse;
//! impl Agent for Nurse {
//!     type Message = Call;
//!     type Error = std::convert::Infallible;
//!
//!     async fn handle(&mut self, Call(_, end): Call, _: &mut Context<Self>) -> Result<(), Self::Error> {
//!         end.finish(Outcome::Done);
//!         Ok(())
//!     }
//! }
//!
//! impl Target for Ward {
//!     fn kinds(&self) -> Vec<Kind> {
//!         vec![Kind::new("alarm", Priority::Critical), Kind::new("note", Priority::Low)]
//!     }
//!     fn start(&self, request: Request, end: Completion) -> Result<(), Completion> {
//!         // A message that does not fit is dropped, and its completion with it: it has failed.
//!         let _ = self.0.try_tell(Call(request.priority, end));
//!         Ok(())
//!     }
//!     async fn send(&self, _: Request) -> Outcome {
//!         unreachable!("every message is started")
//!     }
//! }
//!
//! let runtime = Runtime::builder().start()?;
//! let nurse = runtime.spawn("nurse", AgentOptions::default(), || Nurse)?;
//! let mut scenario = Scenario::new("ward", 1_000.0, Duration::from_millis(300));
//! scenario.mix = vec![Share::new("alarm", 1), Share::new("note", 9)];
//! scenario.thresholds = vec!["error_rate < 1%".parse()?];
//!
//! let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let measured = tokio.block_on(Load::new(scenario, Ward(nurse)).run())?;
//! let results = &measured.result.results;
//! println!("{} messages/s, p99 {} ms", results.all.throughput, results.all.percentiles.p99);
//! assert_eq!(results.all.failed_requests, 0);
//! runtime.shutdown_blocking();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What each figure means stands in the book's chapter on load tests. The folders: `scenario` and `threshold` are what is
//! asked for, `result` is what is told; `engine` sends, `measure` counts, `breaking` raises the rate, `conductor` holds them
//! together.

mod baseline;
mod breaking;
mod completion;
mod conductor;
mod engine;
mod error;
mod files;
pub mod html;
mod measure;
mod measured;
mod observed;
mod result;
mod run;
mod scenario;
mod target;
mod threshold;
pub mod usl;

#[cfg(test)]
mod tests;

pub use self::completion::Completion;
pub use self::conductor::Progress;
pub use self::error::LoadError;
pub use self::files::{ReadError, WriteError};
pub use self::measured::Measured;
pub use self::observed::Observed;
pub use self::result::*;
pub use self::run::Load;
pub use self::scenario::{Arrivals, Breaking, CoolDown, Scenario, ScenarioError, Share, Stage};
pub use self::target::{ErrorClass, Kind, Outcome, Request, Target};
pub use self::threshold::{Threshold, ThresholdError};
