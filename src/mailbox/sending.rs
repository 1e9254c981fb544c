//! The senders' side of a mailbox: a message offered is queued, waits for room, sheds another or comes back.

use std::cell::Cell;

use super::intake::{Intake, IsAgent};
use super::options::Overflow;
use super::parking::Sleeper;
use super::queue::Rest;
use super::shared::{FOREIGN, Mailbox, WAITING, WAITING_URGENTLY};
use super::waiting::Ticket;
use crate::clock::Nanos;
use crate::message::{Envelope, Key, Message, Priority, Terms};
use crate::sync::{Arc, MutexGuard, Ordering};

/// What became of a message offered to the mailbox.
#[derive(Debug)]
pub(crate) enum Offer<M> {
    /// It is queued. The second is what it displaced, if anything.
    Accepted(Option<Envelope<M>>),
    /// There is no room: here it is.
    Full(Envelope<M>),
    /// Nobody takes messages here any more: here it is.
    Closed(Envelope<M>),
}

/// Why a message could not be queued at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoRoom,
    Closed,
}

/// A message at its sender's. It stays there until it is accepted, so that it is copied once.
pub(crate) struct Outgoing<'a, M> {
    message: &'a mut Option<Cell<M>>,
    terms: &'a mut Option<std::sync::Arc<dyn Terms>>,
    batch_key: Option<Box<Key>>,
    priority: Priority,
    sent_at: Nanos,
}

impl<'a, M: Message> Outgoing<'a, M> {
    /// `message` holds one.
    #[inline]
    pub(crate) fn new(
        message: &'a mut Option<Cell<M>>,
        terms: &'a mut Option<std::sync::Arc<dyn Terms>>,
        priority: Priority,
        sent_at: Nanos,
    ) -> Self {
        Self { message, terms, batch_key: None, priority, sent_at }
    }

    fn into_envelope(self) -> Option<Envelope<M>> {
        let mut envelope = Envelope::on_terms(
            self.message.take()?.into_inner(),
            self.priority,
            self.sent_at,
            self.terms.take(),
        );
        envelope.batch_key = self.batch_key;
        Some(envelope)
    }
}

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    /// Queues the message if it has room now, and leaves it where it is otherwise: whoever is refused goes on to
    /// [`turned_away`](Self::turned_away) or [`turned_away_or_wait`](Self::turned_away_or_wait). The usual way of a
    /// message, so nothing large is returned.
    #[inline(always)]
    pub(crate) fn accept(&self, outgoing: &mut Outgoing<'_, M>, is_agent: IsAgent) -> Result<(), Refused> {
        let gathers = self.options.batch.is_some();
        if gathers {
            outgoing.batch_key =
                outgoing.message.as_mut().and_then(|message| message.get_mut().batch_key()).map(Box::new);
        }
        let priority = outgoing.priority;
        let mut intake = self.intake();
        if !intake.admits(is_agent) {
            return Err(Refused::Closed);
        }
        if !self.room_for_newcomer(&mut intake, priority) {
            return Err(Refused::NoRoom);
        }
        let rest = if gathers || outgoing.terms.is_some() {
            let (terms, batch_key) = (outgoing.terms.take(), outgoing.batch_key.take());
            Some(Rest { terms, batch_key, ..Rest::default() })
        } else {
            None
        };
        let is_first = intake.accept(outgoing.message, outgoing.sent_at, priority, rest, gathers);
        self.announce(intake, priority, is_first);
        Ok(())
    }

    /// What becomes of a message that could not be queued at once.
    #[cold]
    pub(crate) fn turned_away(
        &self,
        outgoing: Outgoing<'_, M>,
        refused: Refused,
        is_agent: IsAgent,
    ) -> Offer<M> {
        let Some(envelope) = outgoing.into_envelope() else { return Offer::Accepted(None) };
        match (refused, self.options.overflow) {
            (Refused::Closed, _) => Offer::Closed(envelope),
            (Refused::NoRoom, Overflow::ShedLeastUrgent) => self.offer_shedding(envelope, is_agent),
            (Refused::NoRoom, Overflow::Wait | Overflow::Reject) => Offer::Full(envelope),
        }
    }

    /// What becomes of a message that could not be queued at once, and may wait.
    #[cold]
    pub(crate) fn turned_away_or_wait(
        &self,
        outgoing: Outgoing<'_, M>,
        refused: Refused,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        match self.turned_away(outgoing, refused, is_agent) {
            Offer::Full(envelope) if self.options.overflow == Overflow::Wait => self.wait(envelope, is_agent),
            decided => Ok(decided),
        }
    }

    #[cold]
    fn wait(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Result<Offer<M>, Arc<Ticket<M>>> {
        // Under the front's lock too, so that the agent is between two departures: one before it is counted
        // for us here, one after it finds us waiting. Without it a ticket could wait for ever.
        let front = self.front();
        let mut intake = self.intake();
        if !intake.admits(is_agent) {
            return Ok(Offer::Closed(envelope));
        }
        if self.room_for_newcomer(&mut intake, envelope.priority) {
            drop(front);
            self.accept_envelope(intake, envelope);
            return Ok(Offer::Accepted(None));
        }
        let lane = envelope.priority.lane();
        let ticket = Arc::new(Ticket::new(envelope));
        intake.waiting.join(lane, Arc::clone(&ticket));
        let urgent = lane < Priority::Normal.lane();
        self.crowd().fetch_or(if urgent { WAITING | WAITING_URGENTLY } else { WAITING }, Ordering::Relaxed);
        Err(ticket)
    }

    /// A sender stops waiting. Its message if it was not accepted yet.
    pub(crate) fn give_up(&self, lane: usize, ticket: &Arc<Ticket<M>>) -> Option<Envelope<M>> {
        let envelope = ticket.cancel();
        if envelope.is_some() {
            self.intake().waiting.cancelled(lane, ticket);
        }
        envelope
    }

    /// Room for a newcomer, after those who waited longer and are at least as urgent.
    #[inline]
    fn room_for_newcomer(&self, intake: &mut Intake<M, S>, priority: Priority) -> bool {
        intake.has_room(priority, &self.options, self.departed()) && !intake.waiting.waits_before(priority)
    }

    fn accept_envelope(&self, mut intake: MutexGuard<'_, Intake<M, S>>, envelope: Envelope<M>) {
        let priority = envelope.priority;
        let is_first = intake.accept_envelope(envelope, self.options.batch.is_some());
        self.announce(intake, priority, is_first);
    }

    /// A message was accepted: raises its lane's bit, lets the lock go, and wakes whoever is to handle it.
    #[inline(always)]
    fn announce(&self, mut intake: MutexGuard<'_, Intake<M, S>>, priority: Priority, is_first: bool) {
        // The first message of a lane raises its bit; only the agent lowers it, under this lock.
        if is_first {
            let foreign = if self.home.is_elsewhere() { FOREIGN } else { 0 };
            self.signal().fetch_or(1 << priority.lane() | foreign, Ordering::SeqCst);
        }
        let mut to_wake = intake.parking.pop();
        if to_wake.is_none() && is_first {
            // The agent is awake, and may be waiting for its turn behind its neighbours.
            to_wake = intake.parking.moved_up_by(priority);
        }
        drop(intake);
        if let Some(sleeper) = to_wake {
            sleeper.wake_for(priority);
        }
    }

    fn offer_shedding(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let mut front = self.front();
        let mut intake = self.intake();
        if !intake.admits(is_agent) {
            return Offer::Closed(envelope);
        }
        if intake.has_room(envelope.priority, &self.options, self.departed()) {
            self.accept_envelope(intake, envelope);
            return Offer::Accepted(None);
        }
        // The newest message may be on either side: bring both together, then look.
        self.bring_all(&mut front, &mut intake);
        let evicted = front.lanes.evict_for(envelope.priority);
        self.show(&front);
        let Some(evicted) = evicted else {
            return Offer::Full(envelope);
        };
        self.departed().add(evicted.priority.lane(), 1);
        if intake.has_room(envelope.priority, &self.options, self.departed()) {
            self.accept_envelope(intake, envelope);
            return Offer::Accepted(Some(evicted));
        }
        // A Normal newcomer over the bulk limit gains room only from bulk, and Low is all there is
        // less urgent than Normal, so an eviction always made room.
        unreachable!("an evicted message leaves a place for a more urgent one")
    }
}

/// For tests and models: what becomes of a message, whether it is queued at once or not.
#[cfg(any(test, statim_loom, statim_shuttle))]
impl<M: Message, S: Sleeper> Mailbox<M, S> {
    /// Queues a message if it has room, making room first where the overflow policy says so.
    pub(crate) fn offer(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let Envelope { message, sent_at, mut terms, priority, .. } = envelope;
        let mut message = Some(Cell::new(message));
        let mut outgoing = Outgoing::new(&mut message, &mut terms, priority, sent_at);
        match self.accept(&mut outgoing, is_agent) {
            Ok(()) => Offer::Accepted(None),
            Err(refused) => self.turned_away(outgoing, refused, is_agent),
        }
    }

    /// Like [`offer`](Self::offer), but a message without room queues for it.
    pub(crate) fn offer_or_wait(
        &self,
        envelope: Envelope<M>,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        let Envelope { message, sent_at, mut terms, priority, .. } = envelope;
        let mut message = Some(Cell::new(message));
        let mut outgoing = Outgoing::new(&mut message, &mut terms, priority, sent_at);
        match self.accept(&mut outgoing, is_agent) {
            Ok(()) => Ok(Offer::Accepted(None)),
            Err(refused) => self.turned_away_or_wait(outgoing, refused, is_agent),
        }
    }
}
