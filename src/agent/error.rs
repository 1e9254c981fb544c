//! One error for each operation. Those that refuse a message hand it back; none shows it.

use std::fmt;
use std::sync::Arc;

use crate::mailbox::Reason;

const OVERLOADED: &str = "the agent is overloaded and takes more urgent messages only; try again in a while";

/// Why [`AgentRef::try_tell`](crate::AgentRef::try_tell) refused.
#[derive(Clone, PartialEq, Eq)]
pub enum TryTellError<M> {
    /// The mailbox has no room for it now.
    Full(M),
    /// Messages wait too long, and this one is among the least urgent (admission control).
    Overloaded(M),
    /// The agent takes no more messages.
    Closed(M),
}

/// Why a [`tell`](crate::AgentRef::tell) was not accepted.
#[derive(Clone, PartialEq, Eq)]
pub enum TellError<M> {
    /// The mailbox has no room, and its overflow policy is not to wait.
    Full(M),
    /// Messages wait too long, and this one is among the least urgent (admission control).
    Overloaded(M),
    /// The agent takes no more messages.
    Closed(M),
    /// The deadline passed while it waited for room.
    Expired(M),
}

/// Why an [`ask`](crate::AgentRef::ask) has no answer.
#[derive(Clone, PartialEq, Eq)]
pub enum AskError<M> {
    /// The mailbox has no room, and its overflow policy is not to wait.
    Full(M),
    /// Messages wait too long, and this one is among the least urgent (admission control).
    Overloaded(M),
    /// The agent takes no more messages.
    Closed(M),
    /// No answer in time. The message may still be queued; it will not be handled.
    Timeout,
    /// It was accepted and then not handled.
    Dropped(Reason),
    /// The handler ended without an answer.
    NoReply,
    /// Waiting would never end: the agents, in the order in which each waits for the next.
    Cycle(Vec<Arc<str>>),
}

impl<M> TryTellError<M> {
    /// The message that was refused.
    #[must_use]
    pub fn into_message(self) -> M {
        let (Self::Full(message) | Self::Overloaded(message) | Self::Closed(message)) = self;
        message
    }
}

impl<M> TellError<M> {
    /// The message that was refused.
    #[must_use]
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message)
            | Self::Overloaded(message)
            | Self::Closed(message)
            | Self::Expired(message) => message,
        }
    }
}

impl<M> AskError<M> {
    /// The message, if it was refused rather than lost.
    #[must_use]
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Full(message) | Self::Overloaded(message) | Self::Closed(message) => Some(message),
            Self::Timeout | Self::Dropped(_) | Self::NoReply | Self::Cycle(_) => None,
        }
    }
}

impl<M> From<TellError<M>> for AskError<M> {
    fn from(error: TellError<M>) -> Self {
        match error {
            TellError::Full(message) => Self::Full(message),
            TellError::Overloaded(message) => Self::Overloaded(message),
            TellError::Closed(message) => Self::Closed(message),
            TellError::Expired(_) => Self::Timeout,
        }
    }
}

impl<M> fmt::Display for TryTellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the mailbox is full; try again, or use `tell`, which can wait for room",
            Self::Overloaded(_) => OVERLOADED,
            Self::Closed(_) => "the agent has stopped taking messages",
        })
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the mailbox is full and does not make senders wait; try again later",
            Self::Overloaded(_) => OVERLOADED,
            Self::Closed(_) => "the agent has stopped taking messages",
            Self::Expired(_) => "the deadline passed while waiting for room in the mailbox",
        })
    }
}

impl<M> fmt::Display for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => {
                f.write_str("the mailbox is full and does not make senders wait; try again later")
            }
            Self::Overloaded(_) => f.write_str(OVERLOADED),
            Self::Closed(_) => f.write_str("the agent has stopped taking messages"),
            Self::Timeout => f.write_str("no answer came in time"),
            Self::Dropped(reason) => write!(f, "the question was not handled: {reason}"),
            Self::NoReply => f.write_str("the handler ended without an answer"),
            Self::Cycle(path) => {
                write!(f, "asking would wait for ever: {}", path.join(" asks "))
            }
        }
    }
}

macro_rules! without_payload {
    ($($error:ident),*) => {$(
        impl<M> fmt::Debug for $error<M> {
            /// The refusal without the message.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($error), "({})"), self)
            }
        }
        impl<M> std::error::Error for $error<M> {}
    )*};
}
without_payload!(TryTellError, TellError, AskError);

/// Why a control command had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The agent has ended already.
    #[error("the agent has ended")]
    Ended,
}
