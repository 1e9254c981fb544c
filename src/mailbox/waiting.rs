//! Senders that wait for room.
//!
//! A waiting sender leaves its message in a ticket that the mailbox holds too. When room comes, the
//! mailbox takes the message out of the ticket of whoever waited longest and wakes the sender: nobody has
//! to be quick to get the place, and a sender that gave up costs nobody one. When room is given out,
//! `admissions` says.

use std::collections::VecDeque;
use std::task::{Poll, Waker};

use crate::message::{Envelope, Priority};
use crate::sync::{Arc, AtomicU8, Mutex, Ordering, lock};

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Admission<M> {
    /// The message is in the mailbox.
    Accepted,
    /// The mailbox closed; here is the message.
    Closed(Envelope<M>),
}

#[derive(Debug)]
enum State<M> {
    Waiting(Envelope<M>, Option<Waker>),
    Accepted,
    Closed(Envelope<M>),
    /// The sender gave up, or has been told.
    Done,
}

/// Where a ticket is. Read and written under the intake lock only.
const QUEUED: u8 = 0;
/// Still queued, its sender gone, and counted as such.
const STALE: u8 = 1;
const LEFT: u8 = 2;

/// One sender's place in the queue for the waiting room.
#[derive(Debug)]
pub(crate) struct Ticket<M> {
    state: Mutex<State<M>>,
    place: AtomicU8,
}

impl<M> Ticket<M> {
    pub(super) fn new(envelope: Envelope<M>) -> Self {
        Self { state: Mutex::new(State::Waiting(envelope, None)), place: AtomicU8::new(QUEUED) }
    }

    /// Whether the wait is over, else who to wake when it is.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Admission<M>> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Done) {
            State::Waiting(envelope, _) => {
                *state = State::Waiting(envelope, Some(waker.clone()));
                Poll::Pending
            }
            State::Accepted => Poll::Ready(Admission::Accepted),
            State::Closed(envelope) => Poll::Ready(Admission::Closed(envelope)),
            State::Done => unreachable!("a ticket is not polled after it was redeemed"),
        }
    }

    /// The sender gives up. Its message, if the mailbox has not taken it yet.
    pub(super) fn cancel(&self) -> Option<Envelope<M>> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Done) {
            State::Waiting(envelope, _) | State::Closed(envelope) => Some(envelope),
            other => {
                *state = other;
                None
            }
        }
    }

    fn admit(&self) -> Option<(Envelope<M>, Option<Waker>)> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Accepted) {
            State::Waiting(envelope, waker) => Some((envelope, waker)),
            other => {
                *state = other;
                None
            }
        }
    }

    fn take_if(&self, matches: &mut dyn FnMut(&M) -> bool) -> Option<(Envelope<M>, Option<Waker>)> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Accepted) {
            State::Waiting(envelope, waker) if matches(&envelope.message) => Some((envelope, waker)),
            other => {
                *state = other;
                None
            }
        }
    }

    fn close(&self) -> Option<Waker> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Done) {
            State::Waiting(envelope, waker) => {
                *state = State::Closed(envelope);
                waker
            }
            other => {
                *state = other;
                None
            }
        }
    }
}

/// The queue of tickets, a FIFO for each priority.
#[derive(Debug)]
pub(super) struct WaitingRoom<M> {
    /// Made when somebody waits for the first time: most mailboxes are never full.
    lanes: Option<Box<[Waiting<M>; Priority::COUNT]>>,
}

#[derive(Debug)]
struct Waiting<M> {
    tickets: VecDeque<Arc<Ticket<M>>>,
    /// Tickets still queued whose sender gave up.
    cancelled: usize,
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Self { tickets: VecDeque::new(), cancelled: 0 }
    }
}

impl<M> WaitingRoom<M> {
    pub(super) const fn new() -> Self {
        Self { lanes: None }
    }

    pub(super) fn join(&mut self, lane: usize, ticket: Arc<Ticket<M>>) {
        self.lanes.get_or_insert_default()[lane].tickets.push_back(ticket);
    }

    /// The message that waited longest in `lane`, and its sender to wake.
    pub(super) fn admit(&mut self, lane: usize) -> Option<(Envelope<M>, Option<Waker>)> {
        let waiting = &mut self.lanes.as_mut()?[lane];
        while let Some(ticket) = waiting.tickets.pop_front() {
            if ticket.place.swap(LEFT, Ordering::Relaxed) == STALE {
                waiting.cancelled -= 1;
            }
            if let Some(admitted) = ticket.admit() {
                return Some(admitted);
            }
        }
        None
    }

    pub(super) fn waits(&self, lane: usize) -> bool {
        self.lanes.as_ref().is_some_and(|lanes| lanes[lane].tickets.len() > lanes[lane].cancelled)
    }

    /// Whether somebody waits who is as urgent as this or more so.
    #[inline]
    pub(super) fn waits_before(&self, priority: Priority) -> bool {
        self.lanes.is_some() && (0..=priority.lane()).any(|lane| self.waits(lane))
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.waits_before(Priority::Low)
    }

    /// A ticket of `lane` was cancelled. Tickets are swept out when they are half of the queue: a sender
    /// that waits and gives up in a loop, at an agent that never takes, must not fill the memory.
    pub(super) fn cancelled(&mut self, lane: usize, ticket: &Ticket<M>) {
        if ticket.place.load(Ordering::Relaxed) != QUEUED {
            return;
        }
        ticket.place.store(STALE, Ordering::Relaxed);
        let Some(lanes) = &mut self.lanes else { return };
        let waiting = &mut lanes[lane];
        waiting.cancelled += 1;
        if waiting.cancelled * 2 > waiting.tickets.len() {
            waiting.tickets.retain(|queued| queued.place.load(Ordering::Relaxed) != STALE);
            waiting.cancelled = 0;
        }
    }

    /// Takes the messages that `matches` out of their tickets. Their senders are told that the message was
    /// accepted, since it is accounted for from here on, and are to be woken.
    pub(super) fn remove(
        &mut self,
        matches: &mut dyn FnMut(&M) -> bool,
        removed: &mut Vec<Envelope<M>>,
        wake: &mut Vec<Waker>,
    ) {
        for waiting in self.lanes.iter_mut().flat_map(|lanes| lanes.iter_mut()) {
            waiting.tickets.retain(|ticket| {
                let Some((envelope, waker)) = ticket.take_if(matches) else { return true };
                ticket.place.store(LEFT, Ordering::Relaxed);
                removed.push(envelope);
                wake.extend(waker);
                false
            });
        }
    }

    /// Tells every sender that the mailbox is closed.
    pub(super) fn close(&mut self) -> Vec<Waker> {
        let lanes = self.lanes.take();
        let tickets = lanes.into_iter().flat_map(|lanes| *lanes).flat_map(|waiting| waiting.tickets);
        tickets
            .filter_map(|ticket| {
                ticket.place.store(LEFT, Ordering::Relaxed);
                ticket.close()
            })
            .collect()
    }
}
