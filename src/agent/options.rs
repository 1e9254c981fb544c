//! What can be chosen about an agent.

use std::sync::Arc;
use std::time::Duration;

use crate::mailbox::{BatchOptions, MailboxOptions, Overflow};
use crate::resilience::AdmissionOptions;

/// Where an agent lives. Agents of one arbiter share a thread, so they talk to each other without a
/// thread wake (under a microsecond, where a wake costs 5 to 50), and a busy one delays the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Placement {
    /// One of the runtime's shared arbiters, in turn.
    #[default]
    Shared,
    /// The arbiter of this name, started for the first agent that asks for it.
    Group(Arc<str>),
    /// An arbiter of its own (each instance of a pool one): a bulkhead.
    Own,
    /// The arbiter of this name, and every thread started from it (blocking tasks, database connections), at a lower
    /// scheduling priority: for bulk work, which then takes what processor time the rest leaves. Where the operating
    /// system has no such thing, like `Group`.
    Background(Arc<str>),
    /// Where the parent lives; for an agent without a parent, like `Shared`.
    WithParent,
}

impl Placement {
    /// The arbiter named `name`.
    #[must_use]
    pub fn group(name: impl Into<Arc<str>>) -> Self {
        Self::Group(name.into())
    }

    /// The background arbiter named `name`.
    #[must_use]
    pub fn background(name: impl Into<Arc<str>>) -> Self {
        Self::Background(name.into())
    }
}

/// How many instances serve an agent's messages, and how these are dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// One instance.
    #[default]
    Single,
    /// This many instances take from one mailbox: whoever is free. No order between messages. While it runs,
    /// [`RuntimeHandle::scale`](crate::RuntimeHandle::scale) gives it more or fewer; 1 to begin with is one that may grow.
    Shared(usize),
    /// This many instances with a mailbox each; messages of one [`key`](crate::Message::key) go to the
    /// same one, in order. Messages without a key go to each in turn.
    ByKey(usize),
}

impl Pool {
    pub(crate) fn instances(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Shared(n) | Self::ByKey(n) => n.max(1),
        }
    }
}

/// When an agent that has ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// Never.
    Never,
    /// After a panic, a failed start, or an error that fails the agent.
    #[default]
    OnFailure,
    /// Also after it stopped itself, which then counts like a failure in intensity and backoff. Not after a
    /// stop from outside.
    Always,
}

/// How many failures are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// This many restarts are granted …
    pub restarts: u32,
    /// … in any period this long. One more, and the agent is given up.
    pub within: Duration,
}

/// How long an agent rests before a restart.
///
/// The delay doubles with each failure in a row up to a ceiling, and a random part of it is taken ("full
/// jitter": Brooker, "Exponential Backoff and Jitter", 2015), so that agents that failed together do not
/// return together. After a healthy period it starts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling of the first delay.
    pub first: Duration,
    /// The ceiling of any delay.
    pub longest: Duration,
    /// Running this long without a failure starts the series over.
    pub healthy_after: Duration,
}

/// What happens when an agent is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escalation {
    /// Its parent fails with it (and is restarted or given up in turn). Without a parent, the failure is
    /// logged and the agent stays ended.
    #[default]
    Parent,
    /// The runtime shuts down in order.
    Shutdown,
}

/// Everything about restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// When to restart.
    pub restart: Restart,
    /// When to stop trying.
    pub intensity: Intensity,
    /// How long to rest in between.
    pub backoff: Backoff,
    /// What follows after that.
    pub escalation: Escalation,
}

impl Default for Supervision {
    /// On failure, at most 5 times in 10 s, after 50 ms doubling to 10 s, healthy after 10 s: a fault that
    /// passes is over within a second, a fault that stays costs a restart every 10 s at most.
    fn default() -> Self {
        Self {
            restart: Restart::default(),
            intensity: Intensity { restarts: 5, within: Duration::from_secs(10) },
            backoff: Backoff {
                first: Duration::from_millis(50),
                longest: Duration::from_secs(10),
                healthy_after: Duration::from_secs(10),
            },
            escalation: Escalation::default(),
        }
    }
}

/// The options of one agent. Every one has a default.
///
/// ```
/// use std::time::Duration;
/// use statim::prelude::*;
///
/// let options = AgentOptions::default()
///     .capacity(50_000)
///     .overflow(Overflow::ShedLeastUrgent)
///     .placement(Placement::Own)
///     .batch(BatchOptions::up_to(500).linger(Duration::from_millis(5)))
///     .attempts(3);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct AgentOptions {
    pub(crate) mailbox: MailboxOptions,
    pub(crate) placement: Placement,
    pub(crate) pool: Pool,
    pub(crate) supervision: Supervision,
    pub(crate) attempts: Option<u16>,
    pub(crate) stop_order: i32,
    pub(crate) admission: Option<AdmissionOptions>,
}

impl AgentOptions {
    /// The most messages queued; the reserve becomes a tenth of it. Default 10,000.
    pub fn capacity(mut self, messages: usize) -> Self {
        let reserve = MailboxOptions::with_capacity(messages).reserve;
        self.mailbox = MailboxOptions { capacity: messages.max(1), reserve, ..self.mailbox };
        self
    }

    /// Places of the capacity that only Critical and High messages may use.
    pub fn reserve(mut self, messages: usize) -> Self {
        self.mailbox.reserve = messages;
        self
    }

    /// What happens to a message that does not fit. Default: the sender waits.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.mailbox.overflow = overflow;
        self
    }

    /// A waiting Normal or Low message is served after at most this many others. Default 32; `None` is
    /// strict priority.
    pub fn bypass(mut self, turns: Option<u32>) -> Self {
        self.mailbox.bypass = turns;
        self
    }

    /// Hand messages of one batch key over together. Default: one at a time.
    pub fn batch(mut self, batch: BatchOptions) -> Self {
        self.mailbox.batch = Some(batch);
        self
    }

    /// Where it lives. Default: a shared arbiter.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// How many instances serve its messages. Default: one.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = pool;
        self
    }

    /// When and how it is restarted.
    pub fn supervision(mut self, supervision: Supervision) -> Self {
        self.supervision = supervision;
        self
    }

    /// How often a message is tried, the first time included, if its type can be copied for a retry.
    /// Default 1.
    pub fn attempts(mut self, attempts: u16) -> Self {
        self.attempts = Some(attempts.max(1));
        self
    }

    /// At shutdown agents of a lower order are drained and stopped before those of a higher one, so let
    /// producers come before what they produce for. Default 0.
    pub fn stop_order(mut self, order: i32) -> Self {
        self.stop_order = order;
        self
    }

    /// Refuse the least urgent messages while messages wait too long: Low first, then Normal, Critical never. The sender
    /// has its message back as `Overloaded`. Default: nothing is refused as long as it fits.
    ///
    /// With batches that linger, the target must be longer than the linger: a message that waits for company waits.
    pub fn admission(mut self, options: AdmissionOptions) -> Self {
        self.admission = Some(options);
        self
    }

    pub(crate) fn max_attempts(&self) -> u16 {
        self.attempts.unwrap_or(1)
    }
}
