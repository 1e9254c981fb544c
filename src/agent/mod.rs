//! Agents, and how to talk to them.
//!
//! An [`Agent`] owns its state and handles one message at a time; an [`AgentRef`] is how everybody else
//! reaches it: cheap to clone, usable from any thread and any executor.

mod ask;
mod batch;
mod cell;
mod commons;
mod context;
pub(crate) mod current;
mod error;
mod instance;
mod members;
mod options;
mod reference;
mod reply;
mod tell;
mod timer;
mod wait_graph;

use std::future::Future;

pub use ask::Ask;
pub use batch::Batch;
pub use context::Context;
pub use error::{AskError, ControlError, TellError, TryTellError};
pub use instance::Inspection;
pub use options::{AgentOptions, Backoff, Escalation, Intensity, Placement, Pool, Restart, Supervision};
pub use reference::AgentRef;
pub use reply::Reply;
pub use tell::Tell;
pub use timer::TimerHandle;

pub(crate) use batch::Settled;
pub(crate) use cell::{AgentCell, AnyCell};
pub(crate) use commons::Commons;
pub(crate) use context::Seat;
pub(crate) use instance::{Command, Instance};
pub(crate) use reference::block_on;

use crate::message::Message;

/// A type's name without its path and without its parameters.
pub(crate) fn short_name(type_name: &'static str) -> &'static str {
    let outer = type_name.split('<').next().unwrap_or(type_name);
    outer.rsplit("::").next().unwrap_or(outer)
}

/// What a failed handler means for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The message was at fault: it is retried or goes to the dead letters, and the agent goes on.
    Message,
    /// The agent's state is suspect: besides, the agent is rebuilt by its factory.
    Agent,
}

/// A unit of state with a mailbox in front of it.
///
/// `handle` borrows the state mutably across awaits: an agent handles one message (or batch) at a time,
/// and everything between two messages (urgent ones, stops, restarts) happens there.
///
/// Agents live on one thread, so they need not be `Send`; their factory runs there too.
///
/// # Examples
///
/// ```
/// use statim::prelude::*;
///
/// struct Counter(u64);
///
/// enum Count {
///     Add(u64),
///     Read(Reply<u64>),
/// }
/// impl Message for Count {}
///
/// impl Agent for Counter {
///     type Message = Count;
///     type Error = std::convert::Infallible;
///
///     async fn handle(&mut self, message: Count, _: &mut Context<Self>) -> Result<(), Self::Error> {
///         match message {
///             Count::Add(n) => self.0 += n,
///             Count::Read(reply) => reply.send(self.0),
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().start()?;
/// let counter = runtime.spawn("counter", AgentOptions::default(), || Counter(0))?;
/// let total = runtime.block_on(async {
///     counter.tell(Count::Add(2)).await?;
///     Ok::<_, Box<dyn std::error::Error>>(counter.ask(Count::Read).await?)
/// })?;
/// assert_eq!(total, 2);
/// runtime.shutdown_blocking();
/// # Ok(())
/// # }
/// ```
pub trait Agent: Sized + 'static {
    /// What it receives.
    type Message: Message;

    /// How its handlers fail. Shown in logs, so it must not carry a payload.
    type Error: std::fmt::Display + 'static;

    /// Runs before the first message, after every (re)start. Failing counts as a failed start: the
    /// supervision of the agent's options decides what follows.
    fn started(&mut self, _ctx: &mut Context<Self>) -> impl Future<Output = Result<(), Self::Error>> {
        std::future::ready(Ok(()))
    }

    /// Handles one message.
    ///
    /// # Errors
    ///
    /// An error fails the message; [`severity`](Self::severity) says whether it also fails the agent.
    fn handle(
        &mut self,
        message: Self::Message,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// Handles messages of one batch key together. The default handles them one by one and stops early
    /// when something more urgent waits; what it leaves in the batch goes back to its place in the queue.
    ///
    /// # Errors
    ///
    /// An error fails the messages taken from the batch since the last [`Batch::done`].
    fn handle_batch(
        &mut self,
        batch: &mut Batch<Self::Message>,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Result<(), Self::Error>> {
        async move {
            while let Some(message) = batch.next() {
                self.handle(message, ctx).await?;
                batch.done();
                if ctx.urgent_waiting() {
                    break;
                }
            }
            Ok(())
        }
    }

    /// Runs after the last message when the agent stops as asked or drained; not after a failure.
    fn stopped(&mut self, _ctx: &mut Context<Self>) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// What an error means for the agent.
    fn severity(_error: &Self::Error) -> Severity {
        Severity::Message
    }

    /// The agent's state for inspection, as JSON. Keep patient data out of it.
    fn inspect(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
