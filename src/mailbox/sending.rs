//! The senders' side of a mailbox: a message offered is queued, waits for room, sheds another or comes back.

use super::intake::{Intake, IsAgent};
use super::options::Overflow;
use super::parking::Sleeper;
use super::shared::{FOREIGN, Mailbox, WAITING, WAITING_URGENTLY};
use super::waiting::Ticket;
use crate::message::{Envelope, Message, Priority};
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

/// Whether a message could be queued at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    Yes,
    NoRoom,
    Closed,
}

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    /// Queues the message in `place` if it has room now, and leaves it there otherwise. What is usual on the
    /// way of a message is here, and copies it once.
    #[inline]
    fn try_accept(&self, place: &mut Option<Envelope<M>>, is_agent: IsAgent) -> Admitted {
        let Some(envelope) = place else { return Admitted::Yes };
        if self.options.batch.is_some() {
            envelope.batch_key = envelope.message.batch_key().map(Box::new);
        }
        let mut intake = self.intake();
        if !intake.admits(is_agent) {
            return Admitted::Closed;
        }
        if !self.room_for_newcomer(&mut intake, envelope.priority) {
            return Admitted::NoRoom;
        }
        if let Some(envelope) = place.take() {
            self.accept(intake, envelope);
        }
        Admitted::Yes
    }

    /// Queues a message if it has room, making room first where the overflow policy says so.
    #[inline]
    pub(crate) fn offer(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let mut place = Some(envelope);
        let admitted = self.try_accept(&mut place, is_agent);
        match place {
            None => Offer::Accepted(None),
            Some(envelope) => self.turned_away(envelope, admitted, is_agent),
        }
    }

    /// What becomes of a message that could not be queued at once.
    #[cold]
    fn turned_away(&self, envelope: Envelope<M>, admitted: Admitted, is_agent: IsAgent) -> Offer<M> {
        match (admitted, self.options.overflow) {
            (Admitted::Closed, _) => Offer::Closed(envelope),
            (_, Overflow::ShedLeastUrgent) => self.offer_shedding(envelope, is_agent),
            (_, Overflow::Wait | Overflow::Reject) => Offer::Full(envelope),
        }
    }

    /// Like [`offer`](Self::offer), but a message without room queues for it.
    #[inline]
    pub(crate) fn offer_or_wait(
        &self,
        envelope: Envelope<M>,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        let mut place = Some(envelope);
        let admitted = self.try_accept(&mut place, is_agent);
        match place {
            None => Ok(Offer::Accepted(None)),
            Some(envelope) => self.turned_away_or_wait(envelope, admitted, is_agent),
        }
    }

    /// What becomes of a message that could not be queued at once, and may wait.
    #[cold]
    fn turned_away_or_wait(
        &self,
        envelope: Envelope<M>,
        admitted: Admitted,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        match self.turned_away(envelope, admitted, is_agent) {
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
            self.accept(intake, envelope);
            return Ok(Offer::Accepted(None));
        }
        let lane = envelope.priority.lane();
        let ticket = Arc::new(Ticket::new(envelope));
        intake.waiting.join(lane, Arc::clone(&ticket));
        let urgent = lane < Priority::Normal.lane();
        self.signal.fetch_or(if urgent { WAITING | WAITING_URGENTLY } else { WAITING }, Ordering::Relaxed);
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

    #[inline]
    fn accept(&self, mut intake: MutexGuard<'_, Intake<M, S>>, envelope: Envelope<M>) {
        let priority = envelope.priority;
        // The first message of a lane raises its bit; only the agent lowers it, under this lock.
        let is_first = intake.lanes[priority.lane()].is_empty();
        if is_first {
            let foreign = if self.home.is_elsewhere() { FOREIGN } else { 0 };
            self.signal.fetch_or(1 << priority.lane() | foreign, Ordering::SeqCst);
        }
        intake.accept(envelope);
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
            self.accept(intake, envelope);
            return Offer::Accepted(None);
        }
        // The newest message may be on either side: bring both together, then look.
        self.bring_all(&mut front, &mut intake);
        let Some(evicted) = front.lanes.evict_for(envelope.priority) else {
            return Offer::Full(envelope);
        };
        self.departed().add(evicted.priority.lane(), 1);
        if intake.has_room(envelope.priority, &self.options, self.departed()) {
            self.accept(intake, envelope);
            return Offer::Accepted(Some(evicted));
        }
        // A Normal newcomer over the bulk limit gains room only from bulk, and Low is all there is
        // less urgent than Normal, so an eviction always made room.
        unreachable!("an evicted message leaves a place for a more urgent one")
    }
}
