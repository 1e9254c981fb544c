//! Questions asked over a link.

use super::Link;
use super::error::LinkError;
use super::guard::Shut;
use super::passage::outcome_of;
use super::snapshot::LinkEnd;
use crate::agent::{AgentRef, AskError, Reply};
use crate::mailbox::Reason;
use crate::message::Message;
use crate::resilience::{Leave, Outcome, Verdict};

impl<M: Message> Link<M> {
    /// Asks a question once the guards let it pass, and resolves with the answer. A question that comes back is asked
    /// again, if the link has a retry; one that ran out of time is not, because it is not there any more.
    ///
    /// # Errors
    ///
    /// A guard refused, or there is no answer, as [`AskError`] says. A question that was refused comes back; whoever has
    /// it asks anew, because nobody waits for its reply any more.
    ///
    /// # Cancel safety
    ///
    /// As [`AgentRef::ask`]; to a breaker, an ask that is dropped is a failure.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, LinkError<M, AskError<M>>> {
        self.ask_judged(|_| Verdict::Success, question).await
    }

    /// [`ask`](Self::ask), where `verdict` says what an answer means to the breaker: an agent that answers "I cannot" may
    /// be as broken as one that does not answer.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    ///
    /// # Cancel safety
    ///
    /// As [`ask`](Self::ask).
    pub async fn ask_judged<T: Send + 'static>(
        &self,
        verdict: impl Fn(&T) -> Verdict,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, LinkError<M, AskError<M>>> {
        let under_way = self.state.begin();
        let (mut message, mut awaited) = AgentRef::question(question);
        let exempt = self.exempts(&message);
        let policy = &self.state.policy;
        let retry = policy.retry().inspect(|retry| retry.begin());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let leave = match self.enter(exempt).await {
                Ok(leave) => leave,
                Err(Shut::Refused(guard)) => {
                    under_way.end(LinkEnd::from(&guard));
                    return Err(self.refusal(message, guard));
                }
                Err(Shut::RuntimeEnded) => {
                    under_way.end(LinkEnd::Closed);
                    return Err(LinkError::Failed(AskError::Closed(message)));
                }
            };
            let mut ask = self.to.ask_built(message, awaited).priority(self.at_most);
            if let Some(time) = policy.timeout().filter(|_| !exempt) {
                ask = ask.timeout(time);
            }
            let error = match (&mut ask).await {
                Ok(answer) => {
                    self.settle(
                        leave,
                        match verdict(&answer) {
                            Verdict::Success => Outcome::Success,
                            Verdict::Ignored => Outcome::Ignored,
                            Verdict::Retryable | Verdict::RetryAfter(_) | Verdict::Permanent => {
                                Outcome::Failure
                            }
                        },
                    );
                    under_way.end(LinkEnd::Passed);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let (end, outcome, judged) = judge(&error);
            if matches!(error, AskError::Timeout) {
                policy.note_timed_out();
            }
            self.settle(leave, outcome);
            awaited = ask.into_awaited();
            match retry.and_then(|retry| retry.after(attempt, judged).ok()) {
                // Only what comes back is judged worth another attempt.
                Some(rest) => match error.into_message() {
                    Some(back) => message = self.rest(rest, back).await,
                    None => unreachable!("a question that is retried came back"),
                },
                None => {
                    under_way.end(end);
                    return Err(LinkError::Failed(error));
                }
            }
        }
    }

    fn settle(&self, leave: Option<Leave>, outcome: Outcome) {
        if let Some(leave) = leave.filter(|_| self.state.policy.wants_outcomes()) {
            self.state.count(outcome);
            leave.settle(outcome);
        }
    }
}

/// What an unanswered question means: to the link's counters, to its breaker, to its retry.
fn judge<M>(error: &AskError<M>) -> (LinkEnd, Outcome, Verdict) {
    match error {
        AskError::Full(_) => (LinkEnd::Full, outcome_of(Reason::Rejected), Verdict::Retryable),
        AskError::Overloaded(_) => (LinkEnd::Overloaded, outcome_of(Reason::Overloaded), Verdict::Retryable),
        AskError::Closed(_) => (LinkEnd::Closed, Outcome::Failure, Verdict::Permanent),
        AskError::Timeout => (LinkEnd::TimedOut, Outcome::TimedOut, Verdict::Permanent),
        AskError::Dropped(reason) => (LinkEnd::Dropped, outcome_of(*reason), Verdict::Permanent),
        AskError::NoReply => (LinkEnd::NoReply, Outcome::Failure, Verdict::Permanent),
        AskError::Cycle(_) => (LinkEnd::Cycle, Outcome::Ignored, Verdict::Permanent),
    }
}
