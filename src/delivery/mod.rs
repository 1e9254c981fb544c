//! Messages that survive a crash, and what becomes of those that could not be delivered.
//!
//! * [`Outbox`]: durable delivery. A send completes once it is committed; what was not handled is delivered again.
//! * [`DeadLetter`], [`DeadLetterSink`]: what was accepted and not handled, in the runtime's memory.
//! * [`LetterStore`]: the same in a store, for an operator to look at, requeue and purge.

mod dead_letters;
mod letters;
mod outbox;

pub use self::dead_letters::{DeadLetter, DeadLetterSink};
pub use self::letters::{LetterFilter, LetterStatus, LetterStore, LettersError, NewLetter, StoredLetter};
pub use self::outbox::{
    AgentOutbox, BindError, Durable, DurableRef, DurableTell, Outbox, OutboxError, OutboxOptions,
    OutboxStats, Receipt, SendError, SettleError, StoreFault, StoredId, Work, WorkError,
};

pub(crate) use self::dead_letters::DeadLetters;
