//! Statim: a multi-agent message-passing runtime for systems where some messages may not wait.
//!
//! Agents are state with a mailbox in front of it. The mailbox has four lanes and a bound that holds;
//! a critical message is handled within one running handler of its arrival, however deep the backlog
//! behind it. Nothing is lost without a reason: what is not handled is in the sender's hand or in the
//! dead letters.
//!
//! Start with [`Runtime`], write an [`Agent`], and talk to it through its [`AgentRef`].
//!
//! The folders, each knowing only those before it: `message`, `scheduler`, [`mailbox`], [`agent`], `host`,
//! [`runtime`], [`monitor`]; beside them [`telemetry`], a leaf that everyone may call, [`resilience`] and what hangs it between two
//! agents, [`link`], [`store`] with [`delivery`], for messages that survive a crash, and [`wire`], which turns messages
//! into bytes, [`alert`], the rules over figures, and [`remedy`], what they do besides telling somebody, [`load`], which tells
//! what all of it stands, and [`analysis`], which says why. [`testing`] is for tests.

pub mod agent;
pub mod alert;
pub mod analysis;
mod clock;
pub mod delivery;
mod host;
pub mod link;
pub mod load;
pub mod mailbox;
mod message;
pub mod monitor;
pub mod remedy;
pub mod resilience;
pub mod runtime;
mod scheduler;
pub mod store;
mod sync;
pub mod telemetry;
pub mod testing;
pub mod wire;

pub use agent::{
    Agent, AgentOptions, AgentRef, Ask, AskError, Backoff, Batch, Context, ControlError, Escalation,
    Inspection, Intensity, Placement, Pool, Reply, Restart, Severity, Supervision, Tell, TellError,
    TimerHandle, TryTellError,
};
pub use delivery::{DeadLetter, DeadLetterSink};
pub use link::{Link, LinkError, LinkOptions};
pub use mailbox::{BatchOptions, MailboxOptions, Overflow, Reason};
pub use message::{Key, Message, Priority};
pub use runtime::{
    FindError, RestartError, Runtime, RuntimeBuilder, RuntimeHandle, ScaleError, Scaled, ShutdownReport,
    SpawnError, StartError,
};
pub use telemetry::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};

/// What most programs need.
pub mod prelude {
    pub use crate::{
        Agent, AgentOptions, AgentRef, AskError, Batch, BatchOptions, Context, Key, Message, Overflow,
        Placement, Pool, Priority, Reason, Reply, Runtime, RuntimeHandle, TellError, TryTellError,
    };
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
