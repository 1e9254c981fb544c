//! The end of a message, told by whoever comes to know it.

use std::fmt;

use super::engine::{Moment, Origin, Shared};
use super::target::{ErrorClass, Outcome};
use crate::sync::Arc;

/// The end of a message under way: whoever has it says, once, how the message ended.
///
/// It can be carried inside an agent's message, be sent to another thread and be used from any executor. It takes no lock
/// that anybody holds for long, and allocates nothing.
///
/// Dropped without a word it says that the message failed: was not handled
/// ([`Overloaded`](ErrorClass::Overloaded)), or, after [`taken`](Self::taken), was handled and failed
/// ([`Handler`](ErrorClass::Handler)). So nothing need be done for a message that its mailbox sheds or whose
/// handler returns early with an error.
///
/// A message that ends later than the scenario's timeout has failed by timeout, whatever is said of it.
///
/// # Examples
///
/// ```
/// use statim::load::{Completion, ErrorClass, Outcome};
/// use statim::prelude::*;
///
/// struct Work(Completion);
/// impl Message for Work {}
///
/// struct Worker;
/// impl Agent for Worker {
///     type Message = Work;
///     type Error = std::convert::Infallible;
///
///     async fn handle(&mut self, Work(mut end): Work, _: &mut Context<Self>) -> Result<(), Self::Error> {
///         end.taken();
///         // … the work …
///         end.finish(Outcome::Done);
///         Ok(())
///     }
/// }
/// ```
#[must_use = "dropped, it says that the message failed"]
pub struct Completion {
    /// `None` once it is said.
    run: Option<(Arc<Shared>, Arc<Origin>)>,
    /// When the message was to be sent.
    intended: Moment,
    /// When it was.
    sent: Moment,
    place: u32,
    taken: bool,
}

impl Completion {
    #[inline]
    pub(super) fn new(run: (Arc<Shared>, Arc<Origin>), intended: Moment, sent: Moment, place: usize) -> Self {
        Self { run: Some(run), intended, sent, place: place as u32, taken: false }
    }

    /// Says how it ended.
    #[inline]
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    /// Says that whoever is to handle the message has it: from now on a drop is a failure of its handling.
    #[inline]
    pub fn taken(&mut self) {
        self.taken = true;
    }

    #[inline]
    fn end(&mut self, outcome: Outcome) {
        let Some((shared, origin)) = self.run.take() else { return };
        let now = shared.timeline.now();
        let since_sent = now.saturating_sub(self.sent);
        let outcome =
            if since_sent > shared.timeout { Outcome::Failed(ErrorClass::Timeout) } else { outcome };
        shared.recorders.record(self.place as usize, outcome, now.saturating_sub(self.intended), since_sent);
        origin.note_end();
    }
}

impl Drop for Completion {
    #[inline]
    fn drop(&mut self) {
        let class = if self.taken { ErrorClass::Handler } else { ErrorClass::Overloaded };
        self.end(Outcome::Failed(class));
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completion")
    }
}
