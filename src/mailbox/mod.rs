//! The bounded four-lane mailbox.
//!
//! Think of a hospital's reception: four queues, a waiting room with a fixed number of chairs, some of
//! them kept free for emergencies, and one doctor who always looks up before calling the next patient.
//!
//! The rooms of this folder, from the pure to the concurrent:
//!
//! - [`Reason`] and [`MailboxOptions`]: the vocabulary.
//! - `lane`, `gather`, `lanes`: what is served next. Pure, driven by property tests against a model.
//! - `intake`: what senders see, under one lock: bound, reserve, waiting senders, sleeping agents.
//! - `shared`: the two ends joined. Senders push into the intake (`sending`); the agent takes from its own
//!   side (`taking`) and crosses over only when it must, so the two rarely meet at a lock.
//! - `stream`, `admissions`: when, at most, the agent crosses over, and lets waiting senders in.
//!
//! # What holds
//!
//! - **Bound.** Never more than `capacity` messages are queued, whoever sends and however.
//! - **Reserve.** Normal and Low together never use the last `reserve` places.
//! - **Order.** Inside a lane, and for each batch key, messages are handed over in the order they were
//!   accepted. Waiting senders are admitted in the order in which they began to wait.
//! - **Urgency.** Critical first, always; the rest by priority with a bounded bypass.
//! - **Account.** Every accepted message is taken, or leaves with a [`Reason`], exactly once.

mod admissions;
mod gather;
mod intake;
mod lane;
mod lanes;
mod options;
mod parking;
mod queue;
mod reason;
mod sending;
mod shared;
mod stream;
mod taking;
#[cfg(test)]
mod tests;
mod waiting;

pub use options::{BatchOptions, MailboxOptions, Overflow};
pub use reason::Reason;

pub(crate) use intake::{Gate, Traffic};
pub(crate) use lanes::{NEVER, Next};
pub(crate) use parking::{ConsumerId, Sleeper};
pub(crate) use sending::{Offer, Outgoing, Refused};
pub(crate) use shared::Mailbox;
#[cfg(any(test, statim_loom, statim_shuttle))]
pub(crate) use taking::Taken;
pub(crate) use waiting::{Admission, Ticket};
