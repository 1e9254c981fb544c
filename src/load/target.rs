//! What a load test is made against.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};

use super::completion::Completion;
use super::observed::Observed;
use crate::message::Priority;
use crate::sync::Arc;

/// Whatever messages can be sent to: agents in this process, or something behind a network.
///
/// # Examples
///
/// ```
/// use std::future::Future;
/// use statim::Priority;
/// use statim::load::{Kind, Outcome, Request, Target};
///
/// struct Doubler;
///
/// impl Target for Doubler {
///     fn kinds(&self) -> Vec<Kind> {
///         vec![Kind::new("number", Priority::Normal)]
///     }
///     async fn send(&self, request: Request) -> Outcome {
///         std::hint::black_box(request.random.wrapping_mul(2));
///         Outcome::Done
///     }
/// }
/// ```
pub trait Target: Send + Sync + 'static {
    /// The kinds of messages it can be sent. A [`Request`] says which by its place in this list.
    fn kinds(&self) -> Vec<Kind>;

    /// Sends a message, and resolves when it has ended: answered, or refused. It is polled on a thread of the generator, inside
    /// the Tokio context of whoever called [`run`](super::Load::run). A future that is ready when it is polled
    /// first costs no allocation.
    ///
    /// # Cancel safety
    ///
    /// It is dropped when the scenario's timeout is over.
    fn send(&self, request: Request) -> impl Future<Output = Outcome> + Send;

    /// Sends a message whose end is not awaited but told: whoever has the completion, on whatever thread, says how it
    /// ended. An agent's message can carry it. Used in open models only.
    ///
    /// The default takes nothing.
    ///
    /// # Errors
    ///
    /// The completion comes back: it is not sent this way, and [`send`](Self::send) is called.
    #[inline]
    fn start(&self, request: Request, completion: Completion) -> Result<(), Completion> {
        let _ = request;
        Err(completion)
    }

    /// How it is, for the series and the report; `None` if it cannot say. Asked once a second on a thread that may block,
    /// and before and after the run.
    fn observe(&self) -> Option<Observed> {
        None
    }
}

/// A target that somebody else has too.
impl<T: Target> Target for Arc<T> {
    fn kinds(&self) -> Vec<Kind> {
        (**self).kinds()
    }

    #[inline]
    fn send(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        (**self).send(request)
    }

    #[inline]
    fn start(&self, request: Request, completion: Completion) -> Result<(), Completion> {
        (**self).start(request, completion)
    }

    fn observe(&self) -> Option<Observed> {
        (**self).observe()
    }
}

/// A kind of message that a target can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Its name, as a scenario's mix writes it.
    pub name: Cow<'static, str>,
    /// How urgent it is. A scenario can lower it.
    pub priority: Priority,
}

impl Kind {
    /// A kind of this name and priority.
    pub fn new(name: impl Into<Cow<'static, str>>, priority: Priority) -> Self {
        Self { name: name.into(), priority }
    }
}

/// A message to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number in the run, from 0 on.
    pub sequence: u64,
    /// Its kind: the place in [`Target::kinds`].
    pub kind: usize,
    /// Its place in the scenario's mix.
    pub share: usize,
    /// How urgently it is to be sent: the kind's priority, or what the mix lowers it to.
    pub priority: Priority,
    /// The batch key, from 0 on; `None` if the mix has none for it.
    pub key: Option<u64>,
    /// The virtual user, from 0 on.
    pub user: u32,
    /// To draw the message's content by. The same in every run of the same seed.
    pub random: u64,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// Otherwise.
    Failed(ErrorClass),
}

/// Why a message failed, coarsely: one counter each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Not in time.
    Timeout = 0,
    /// Not accepted by whoever it was sent to: no permission, a limit, an open breaker.
    Refused = 1,
    /// Not accepted, or accepted and not handled, because there was too much.
    Overloaded = 2,
    /// There was nobody.
    Unavailable = 3,
    /// Handled, and that failed.
    Handler = 4,
    /// The way there or back failed.
    Transport = 5,
    /// Anything else.
    Other = 6,
    /// Not sent, because as many were under way as the scenario allows.
    Dropped = 7,
}

impl ErrorClass {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// Every class.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Timeout,
        Self::Refused,
        Self::Overloaded,
        Self::Unavailable,
        Self::Handler,
        Self::Transport,
        Self::Other,
        Self::Dropped,
    ];

    /// As JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Handler => "handler",
            Self::Transport => "transport",
            Self::Other => "other",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
