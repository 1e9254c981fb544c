//! The leave of a link's guards, travelling with a message: what becomes of the message is the outcome.

use super::state::State;
use crate::clock::Nanos;
use crate::mailbox::Reason;
use crate::message::{Asker, Terms};
use crate::resilience::{Leave, Outcome};
use crate::sync::{Arc, AtomicU8, Mutex, Ordering, lock};

/// The terms of a message told over a link whose guards want to know how it ends.
///
/// A message that is handled drops its terms; one that is not is given up for a reason, of which an asker is told. So the
/// end of the message is known without a word from the agent.
pub(super) struct Passage {
    leave: Mutex<Option<Leave>>,
    accepted: AtomicU8,
    link: Arc<State>,
}

impl Passage {
    pub(super) fn new(leave: Leave, link: &Arc<State>) -> Arc<Self> {
        let (leave, accepted) = (Mutex::new(Some(leave)), AtomicU8::new(0));
        Arc::new(Self { leave, accepted, link: Arc::clone(link) })
    }

    /// The mailbox has the message: from now on its end is its handling.
    pub(super) fn accepted(&self) {
        // Relaxed: read once the last of the two holders lets go, which orders it.
        self.accepted.store(1, Ordering::Relaxed);
    }

    /// It ends so, whatever else follows.
    pub(super) fn settle(&self, outcome: Outcome) {
        let leave = lock(&self.leave).take();
        if let Some(leave) = leave {
            self.link.count(outcome);
            leave.settle(outcome);
        }
    }
}

impl Terms for Passage {
    fn deadline(&self) -> Option<Nanos> {
        None
    }

    fn asker(&self) -> Option<&dyn Asker> {
        Some(self)
    }
}

impl Asker for Passage {
    fn is_gone(&self) -> bool {
        false
    }

    fn fail(&self, reason: Reason) {
        self.settle(outcome_of(reason));
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let accepted = self.accepted.load(Ordering::Relaxed) != 0;
        self.settle(if accepted { Outcome::Success } else { Outcome::Abandoned });
    }
}

/// What it says of an agent that it did not handle a message.
pub(super) fn outcome_of(reason: Reason) -> Outcome {
    match reason {
        Reason::Poisoned | Reason::Undeliverable => Outcome::Failure,
        Reason::Expired => Outcome::TimedOut,
        // Somebody wanted it so.
        Reason::Cancelled | Reason::Purged => Outcome::Ignored,
        // The agent is busy and not broken: a breaker that opened for what does not fit would refuse what does, for as
        // long as it stays open, while the agent has nothing to do.
        Reason::Rejected | Reason::Shed | Reason::Overloaded => Outcome::Ignored,
    }
}
