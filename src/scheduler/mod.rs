//! Which of an arbiter's agents runs next.
//!
//! A thread hosts many agents, and a woken one waits for its turn. Here the turn goes by urgency, as inside
//! a mailbox: an agent that was woken for a Critical message runs before all those that have only bulk to
//! do, so "urgent first" holds between the agents of one thread too and not only inside each of them.
//!
//! - [`Turns`]: the rule, pure; the mailbox's lanes follow the same one.
//! - `queue`: the agents that are ready, in four lanes.
//! - [`Bell`]: one agent's way into the queue. Ringing it twice queues it once.
//! - [`Door`]: the queue of one thread as other threads see it, and that thread's own way past the lock.
//! - [`Watch`]: how long an idle thread listens at its door before it goes to sleep.
//!
//! Nothing here knows what an agent is: a place in the queue is a number.

mod bell;
mod door;
mod queue;
mod turns;
mod watch;

pub(crate) use bell::Bell;
pub(crate) use door::{Door, Inside, anyone_waits, more_urgent_waits, spend_slice};
pub(crate) use turns::Turns;
pub(crate) use watch::Watch;

/// An agent's number on its thread.
pub(crate) type Slot = u32;
