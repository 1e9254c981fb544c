//! Sends what is due.

use std::future::Future;
use std::task::Waker;

use super::arrivals::{Arrival, Arrivals, Coming};
use super::flights::Flights;
use super::shared::{Origin, Shared};
use super::timeline::Moment;
use super::users::Users;
use crate::load::completion::Completion;
use crate::load::target::{Outcome, Request};
use crate::sync::Arc;

/// Messages sent before answers are looked at again.
const BATCH: usize = 256;

/// How soon it is looked again whether there is more to do, in nanoseconds, when nothing says when.
const SOON: u64 = 1_000_000;

/// The longest that a sender sleeps, in nanoseconds: so long a halt may go unnoticed.
const LONGEST: u64 = 20_000_000;

/// What a sender sends.
#[derive(Debug)]
pub(in crate::load) enum Source {
    Open(Box<Arrivals>),
    Closed(Box<Users>),
}

/// When a sender is to have its next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) enum Turn {
    /// At once.
    Now,
    /// Then, or when it is woken.
    At(Moment),
    /// Never.
    Ended,
}

/// Sends what is due, and looks after what is under way. It has no time of its own: whoever drives it gives it turns.
pub(in crate::load) struct Sender<B, S, F> {
    begin: B,
    send: S,
    source: Source,
    shared: Arc<Shared>,
    origin: Arc<Origin>,
    flights: Flights<F>,
    /// The next message, drawn already.
    next: Option<Arrival>,
    /// Most messages under way.
    bound: u64,
    classes: usize,
    sent_all: bool,
    last_send: Moment,
}

impl<B, S, F> Sender<B, S, F>
where
    B: Fn(Request, Completion) -> Result<(), Completion>,
    S: Fn(Request) -> F,
    F: Future<Output = Outcome>,
{
    pub(in crate::load) fn new(
        (begin, send): (B, S),
        source: Source,
        shared: Arc<Shared>,
        number: usize,
        bound: u64,
        waker: Waker,
    ) -> Self {
        let origin = Arc::clone(&shared.origins[number]);
        let classes = shared.recorders.classes();
        let flights = Flights::new(waker);
        Self {
            begin,
            send,
            source,
            shared,
            origin,
            flights,
            next: None,
            bound,
            classes,
            sent_all: false,
            last_send: 0,
        }
    }

    /// Does what is due.
    pub(in crate::load) fn turn(&mut self) -> Turn {
        let mut now = self.shared.timeline.now();
        self.look_after(now);
        if self.shared.is_finished() {
            self.flights.give_up();
            return Turn::Ended;
        }
        if self.shared.is_halted() {
            self.note_sent_all();
        }
        let mut wake = now + LONGEST;
        for sent in 0.. {
            if self.sent_all {
                break;
            }
            match self.coming(now) {
                Coming::Message(arrival) if arrival.at <= now => {
                    if sent == BATCH {
                        self.next = Some(arrival);
                        return Turn::Now;
                    }
                    self.dispatch(arrival, now);
                    now = self.shared.timeline.now();
                }
                Coming::Message(arrival) => {
                    self.next = Some(arrival);
                    wake = wake.min(arrival.at);
                    break;
                }
                Coming::Later => {
                    wake = wake.min(self.soon(now));
                    break;
                }
                Coming::Nothing => self.note_sent_all(),
            }
        }
        if self.flights.has_ready() {
            return Turn::Now;
        }
        Turn::At(self.flights.next_deadline().map_or(wake, |deadline| wake.min(deadline)))
    }

    /// Whether somebody under way has something to say.
    pub(in crate::load) fn is_called(&self) -> bool {
        self.flights.has_ready()
    }

    fn look_after(&mut self, now: Moment) {
        let Self { flights, source, .. } = self;
        let mut ended = |user| {
            if let Source::Closed(users) = source {
                users.ended(user, now);
            }
        };
        flights.poll_ready(&mut ended);
        flights.expire(now, ended);
    }

    fn coming(&mut self, now: Moment) -> Coming {
        match (self.next.take(), &mut self.source) {
            (Some(arrival), _) => Coming::Message(arrival),
            (None, Source::Open(arrivals)) => arrivals.next(),
            (None, Source::Closed(users)) => users.next(now),
        }
    }

    /// When to ask again if nothing is known to come.
    fn soon(&self, now: Moment) -> Moment {
        match &self.source {
            Source::Open(_) => now + SOON,
            Source::Closed(users) => users.wakes_at().unwrap_or(now + SOON).clamp(now, now + SOON),
        }
    }

    #[inline]
    fn dispatch(&mut self, arrival: Arrival, now: Moment) {
        let Arrival { at, request } = arrival;
        self.last_send = now;
        let measured = usize::from(at >= self.shared.warm_up);
        let place = measured * self.classes + request.share;
        if self.origin.note_send(place, at, now, self.bound) {
            return;
        }
        let run = (Arc::clone(&self.shared), Arc::clone(&self.origin));
        let mut completion = Completion::new(run, at, now, place);
        if let Source::Open(_) = self.source {
            match (self.begin)(request, completion) {
                Ok(()) => return,
                Err(unsent) => completion = unsent,
            }
        }
        let deadline = now.saturating_add(self.shared.timeout);
        let ended = self.flights.begin((self.send)(request), completion, request.user, deadline);
        if ended && let Source::Closed(users) = &mut self.source {
            users.ended(request.user, self.shared.timeline.now());
        }
    }

    fn note_sent_all(&mut self) {
        if !self.sent_all {
            self.sent_all = true;
            self.next = None;
            self.origin.note_sent_all(self.last_send);
        }
    }
}
