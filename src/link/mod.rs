//! Guards on the way from one agent to another.
//!
//! A [`Link`] is an agent's address behind a circuit breaker, a rate limit, a bulkhead, a timeout and a retry, as its
//! [`LinkOptions`] say. It is held by the sender; other senders of the same agent have links of their own, or none, so
//! that one sender's storm trips its own breaker. Its counters are in the runtime's snapshot, and its decisions are told
//! to the runtime's listener.

mod ask;
mod error;
mod guard;
mod options;
mod passage;
mod registry;
mod snapshot;
mod state;
mod tell;

use std::fmt;

pub use self::error::{LinkError, NewLinkError};
pub use self::options::{Exempt, LinkOptions};
pub use self::snapshot::{LinkEnd, LinkSnapshot};

pub(crate) use self::registry::Links;

use self::state::State;
use crate::agent::AgentRef;
use crate::message::{Message, Priority};
use crate::resilience::Policy;
use crate::sync::Arc;

/// An agent's address behind guards. Cheap to clone; clones are the same link.
///
/// What counts as the outcome of a call is what became of the message, as far as that can be known: an `ask` succeeds
/// with its answer; a message told succeeds when it has been handled, and fails when its handling is given up, when it
/// finds no room within the timeout or expires, or when the agent ends first. That an agent is busy (its mailbox is full,
/// it sheds, its admission control refuses) says nothing about it, nor does a purge, or an ask in a circle.
///
/// [Critical](Priority::Critical) messages go past all guards but the retry (see [`Exempt`]).
///
/// ```
/// # use statim::prelude::*;
/// use statim::{LinkError, LinkOptions};
/// use statim::resilience::RateLimitOptions;
/// # struct Store;
/// # struct Save(u32);
/// # impl Message for Save {}
/// # impl Agent for Store {
/// #     type Message = Save;
/// #     type Error = std::convert::Infallible;
/// #     async fn handle(&mut self, _: Save, _: &mut Context<Self>) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().start()?;
/// let store = runtime.spawn("store", AgentOptions::default(), || Store)?;
/// let options = LinkOptions::health_sync().rate_limit(RateLimitOptions::per_second(500));
/// let to_store = store.guarded("reader", &options)?;
/// # runtime.block_on(async {
/// match to_store.tell(Save(7)).await {
///     Ok(()) => {}
///     Err(LinkError::Refused { message, guard, .. }) => {
///         println!("{guard}; {:?} until another try of {}", guard.retry_after(), message.0);
///     }
///     Err(LinkError::Failed(error)) => println!("{error}"),
/// }
/// # });
/// assert_eq!(runtime.snapshot().link("reader -> store").map(|link| link.offered), Some(1));
/// # drop(to_store);
/// # runtime.shutdown_blocking();
/// # Ok(())
/// # }
/// ```
pub struct Link<M: Message> {
    to: AgentRef<M>,
    state: Arc<State>,
    at_most: Priority,
}

impl<M: Message> AgentRef<M> {
    /// This address behind guards, for a sender called `from`. The link is named `from -> to`.
    ///
    /// # Errors
    ///
    /// [`NewLinkError`]: somebody holds a link of this name, or the options are out of their bounds.
    pub fn guarded(&self, from: &str, options: &LinkOptions) -> Result<Link<M>, NewLinkError> {
        let name = format!("{from} -> {}", self.name());
        let commons = self.commons();
        let made = State::new(Arc::from(&*name), from, self.name(), options, commons.guards.clone());
        let state = match made {
            Ok(state) => Arc::new(state),
            Err(source) => return Err(NewLinkError::Options { name, source }),
        };
        if !commons.links.register(&state) {
            return Err(NewLinkError::NameTaken { name });
        }
        Ok(Link { to: self.clone(), state, at_most: Priority::Critical })
    }
}

impl<M: Message> Link<M> {
    /// The same link for messages that are at most this urgent. A priority above what the message's type grants has no
    /// effect.
    #[must_use]
    pub fn at_most(&self, priority: Priority) -> Self {
        Self { at_most: self.at_most.at_most(priority), ..self.clone() }
    }

    /// `from -> to`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// The agent behind it, without the guards.
    #[must_use]
    pub fn agent(&self) -> &AgentRef<M> {
        &self.to
    }

    /// Its guards, to look at, or to force the breaker.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.state.policy
    }

    /// Its counters.
    #[must_use]
    pub fn snapshot(&self) -> LinkSnapshot {
        self.state.snapshot()
    }
}

impl<M: Message> Clone for Link<M> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), state: Arc::clone(&self.state), at_most: self.at_most }
    }
}

impl<M: Message> fmt::Debug for Link<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.name()).finish()
    }
}
