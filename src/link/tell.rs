//! Messages told over a link.

use super::Link;
use super::error::LinkError;
use super::guard::Shut;
use super::passage::{Passage, outcome_of};
use super::snapshot::LinkEnd;
use crate::agent::{TellError, TryTellError, block_on};
use crate::mailbox::Reason;
use crate::message::{Message, Terms};
use crate::resilience::{Leave, Outcome, Verdict};
use crate::sync::Arc;

impl<M: Message> Link<M> {
    /// Sends a message once the guards let it pass; they may make it wait, up to the longest wait of their options. What
    /// comes back is sent again, if the link has a retry. Resolves when the message is queued.
    ///
    /// # Errors
    ///
    /// A guard or the agent refused the message, which comes back in the error. What a guard refuses is not tried again.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, the message was not sent; to a breaker that is a failure if the agent kept it waiting.
    pub async fn tell(&self, mut message: M) -> Result<(), LinkError<M, TellError<M>>> {
        let under_way = self.state.begin();
        let exempt = self.exempts(&message);
        let retry = self.state.policy.retry().inspect(|retry| retry.begin());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match self.enter(exempt).await {
                Ok(leave) => match self.send(message, leave, exempt).await {
                    Ok(()) => {
                        under_way.end(LinkEnd::Passed);
                        return Ok(());
                    }
                    Err(error) => error,
                },
                Err(Shut::Refused(guard)) => {
                    under_way.end(LinkEnd::from(&guard));
                    return Err(self.refusal(message, guard));
                }
                Err(Shut::RuntimeEnded) => TellError::Closed(message),
            };
            let (end, may_pass) = match &error {
                TellError::Full(_) => (LinkEnd::Full, true),
                TellError::Overloaded(_) => (LinkEnd::Overloaded, true),
                TellError::Closed(_) => (LinkEnd::Closed, false),
                // It is back, so it can be sent again without being handled twice.
                TellError::Expired(_) => (LinkEnd::TimedOut, true),
            };
            let verdict = if may_pass { Verdict::Retryable } else { Verdict::Permanent };
            match retry.and_then(|retry| retry.after(attempt, verdict).ok()) {
                Some(rest) => message = self.rest(rest, error.into_message()).await,
                None => {
                    under_way.end(end);
                    return Err(LinkError::Failed(error));
                }
            }
        }
    }

    /// Sends a message if the guards let it pass and there is room for it now. Never waits, and never tries again.
    ///
    /// # Errors
    ///
    /// A guard or the agent refused the message, which comes back in the error.
    pub fn try_tell(&self, message: M) -> Result<(), LinkError<M, TryTellError<M>>> {
        let under_way = self.state.begin();
        let leave = if self.exempts(&message) {
            None
        } else {
            match self.state.policy.try_enter() {
                Ok(leave) => Some(leave),
                Err(guard) => {
                    under_way.end(LinkEnd::from(&guard));
                    return Err(self.refusal(message, guard));
                }
            }
        };
        let passage = self.passage(leave);
        match self.to.try_tell_on(self.at_most, message, terms(&passage)) {
            Ok(()) => {
                accept(passage);
                under_way.end(LinkEnd::Passed);
                Ok(())
            }
            Err(error) => {
                let (end, outcome) = match &error {
                    TryTellError::Full(_) => (LinkEnd::Full, outcome_of(Reason::Rejected)),
                    TryTellError::Overloaded(_) => (LinkEnd::Overloaded, outcome_of(Reason::Overloaded)),
                    TryTellError::Closed(_) => (LinkEnd::Closed, Outcome::Failure),
                };
                settle(passage, outcome);
                under_way.end(end);
                Err(LinkError::Failed(error))
            }
        }
    }

    /// [`tell`](Self::tell) from a thread that may block, and blocks it while it waits.
    ///
    /// Not for async code: it would block the executor's thread.
    ///
    /// # Errors
    ///
    /// As [`tell`](Self::tell).
    pub fn tell_blocking(&self, message: M) -> Result<(), LinkError<M, TellError<M>>> {
        block_on(self.tell(message))
    }

    async fn send(&self, message: M, leave: Option<Leave>, exempt: bool) -> Result<(), TellError<M>> {
        let passage = self.passage(leave);
        let mut tell = self.to.tell(message).priority(self.at_most);
        if let Some(time) = self.state.policy.timeout().filter(|_| !exempt) {
            tell.give_up_after(time);
        }
        if let Some(terms) = terms(&passage) {
            tell = tell.on_terms(terms);
        }
        let told = tell.await;
        match &told {
            Ok(()) => accept(passage),
            Err(TellError::Expired(_)) => {
                self.state.policy.note_timed_out();
                settle(passage, Outcome::TimedOut);
            }
            Err(TellError::Overloaded(_)) => settle(passage, outcome_of(Reason::Overloaded)),
            Err(TellError::Full(_)) => settle(passage, outcome_of(Reason::Rejected)),
            Err(TellError::Closed(_)) => settle(passage, Outcome::Failure),
        }
        told
    }

    /// The leave to travel with a message, if it matters to the guards how that ends.
    fn passage(&self, leave: Option<Leave>) -> Option<Arc<Passage>> {
        let leave = leave.filter(|_| self.state.policy.wants_outcomes())?;
        Some(Passage::new(leave, &self.state))
    }
}

fn terms(passage: &Option<Arc<Passage>>) -> Option<Arc<dyn Terms>> {
    passage.clone().map(|passage| passage as Arc<dyn Terms>)
}

fn accept(passage: Option<Arc<Passage>>) {
    if let Some(passage) = passage {
        passage.accepted();
    }
}

fn settle(passage: Option<Arc<Passage>>, outcome: Outcome) {
    if let Some(passage) = passage {
        passage.settle(outcome);
    }
}
