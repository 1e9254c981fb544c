//! Messages in the hands of a handler: whatever happens to the handler, they are accounted for.

use crate::agent::{AgentCell, Batch, Settled};
use crate::mailbox::Reason;
use crate::message::{Hand, Message, Remains};

/// A message and what remains of it while it is handled. If the handler is dropped midway (the runtime ends and
/// does not wait), the message goes to the dead letters instead of nowhere.
pub(super) struct InHand<'a, M: Message> {
    cell: &'a AgentCell<M>,
    hand: Hand<M>,
    /// `None`: nothing is in the hand that would have to be accounted for.
    kind: Option<&'static str>,
}

impl<'a, M: Message> InHand<'a, M> {
    /// Nothing yet.
    #[inline]
    pub(super) fn nothing(cell: &'a AgentCell<M>) -> Self {
        Self { cell, hand: Hand::empty(), kind: None }
    }

    /// Where a message is put.
    #[inline]
    pub(super) fn hand(&mut self) -> &mut Hand<M> {
        &mut self.hand
    }

    /// The message in hand will not be handled.
    #[cold]
    pub(super) fn bury(&mut self, reason: Reason) {
        if let Ok(envelope) = std::mem::replace(&mut self.hand, Hand::empty()).filled() {
            self.cell.bury(envelope, reason);
        }
    }

    /// The message for its handler.
    #[inline]
    pub(super) fn lend(&mut self) -> Option<M> {
        self.hand.lend(&mut self.kind)
    }

    /// The message's kind.
    pub(super) fn kind(&self) -> &'static str {
        self.kind.unwrap_or("")
    }

    /// Handled: nothing is left to account for.
    #[inline]
    pub(super) fn put_down(&mut self) {
        if self.kind.take().is_some()
            && let Some(keeper) = self.hand.keeper()
        {
            keeper.handled();
        }
    }

    /// Handling failed: back to the queue if it may be tried again, else to the dead letters.
    #[cold]
    pub(super) fn fail(&mut self, max_attempts: u16) {
        if let Some(remains) = self.remains() {
            fail(self.cell, remains, max_attempts);
        }
    }

    #[cold]
    fn remains(&mut self) -> Option<Remains<M>> {
        let kind = self.kind.take()?;
        Some(Remains { envelope: std::mem::replace(&mut self.hand, Hand::empty()), kind })
    }
}

impl<M: Message> Drop for InHand<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if self.kind.is_some()
            && let Some(remains) = self.remains()
        {
            self.cell.bury_remains(remains, Reason::Undeliverable);
        }
    }
}

/// A message's handler succeeded: whoever keeps the message may forget it.
pub(super) fn handled<M>(remains: &Remains<M>) {
    if let Some(keeper) = remains.envelope.keeper() {
        keeper.handled();
    }
}

/// One more failed attempt at a message.
pub(super) fn fail<M: Message>(cell: &AgentCell<M>, mut remains: Remains<M>, max_attempts: u16) {
    if remains.envelope.keeper().is_some_and(|keeper| keeper.is_settled()) {
        // It failed after its effect was committed: trying again would make the effect twice.
        return handled(&remains);
    }
    let attempts = &mut remains.envelope.failed_attempts;
    *attempts = attempts.saturating_add(1);
    if *attempts >= max_attempts {
        return cell.bury_remains(remains, Reason::Poisoned);
    }
    match remains.restore() {
        Ok(envelope) => cell.mailbox.give_back(vec![envelope]),
        Err(remains) => cell.bury_remains(remains, Reason::Poisoned),
    }
}

/// A batch lent to a handler, with the same promise.
pub(super) struct Lent<'a, M: Message> {
    cell: &'a AgentCell<M>,
    batch: Option<Batch<M>>,
}

impl<'a, M: Message> Lent<'a, M> {
    pub(super) fn new(cell: &'a AgentCell<M>, batch: Batch<M>) -> Self {
        Self { cell, batch: Some(batch) }
    }

    pub(super) fn batch(&mut self) -> &mut Batch<M> {
        self.batch.as_mut().expect("the batch is here until it is taken back")
    }

    pub(super) fn take_back(mut self) -> Settled<M> {
        self.batch.take().expect("the batch is here until it is taken back").settle()
    }
}

impl<M: Message> Drop for Lent<'_, M> {
    fn drop(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        let settled = batch.settle();
        for remains in settled.taken {
            self.cell.bury_remains(remains, Reason::Undeliverable);
        }
        for envelope in settled.left {
            self.cell.bury(envelope, Reason::Undeliverable);
        }
    }
}
