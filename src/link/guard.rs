//! How a message passes the guards, whether it is told or asked.

use std::time::Duration;

use super::Link;
use super::error::LinkError;
use crate::message::Message;
use crate::resilience::{Leave, Refused};
use crate::sync::Arc;

impl<M: Message> Link<M> {
    pub(super) fn exempts(&self, message: &M) -> bool {
        self.state.exempts(message.priority().at_most(self.at_most))
    }

    /// Asks the guards, and waits as long as they want.
    pub(super) async fn enter(&self, exempt: bool) -> Result<Option<Leave>, Shut> {
        if exempt {
            return Ok(None);
        }
        let policy = &self.state.policy;
        if !policy.may_wait() {
            return Ok(Some(policy.try_enter()?));
        }
        match self.to.commons().with_timers(policy.enter()).await {
            Some(entered) => Ok(Some(entered?)),
            None => Err(Shut::RuntimeEnded),
        }
    }

    pub(super) async fn rest(&self, time: Duration, message: M) -> M {
        self.to.commons().sleep(time).await;
        message
    }

    pub(super) fn refusal<E>(&self, message: M, guard: Refused) -> LinkError<M, E> {
        LinkError::Refused { message, link: Arc::clone(self.state.name()), guard }
    }
}

/// Why a message does not get as far as the agent.
pub(super) enum Shut {
    Refused(Refused),
    RuntimeEnded,
}

impl From<Refused> for Shut {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
