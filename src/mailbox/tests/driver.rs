//! Plays operations on a mailbox and writes down what came of each.

use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;

use super::{Bell, TestMessage, an_agent, an_outsider, batches, bell, subject_key};
use crate::clock::Nanos;
use crate::mailbox::taking::Parked;
use crate::mailbox::{
    Admission, BatchOptions, Gate, Mailbox, MailboxOptions, Offer, Overflow, Taken, Ticket,
};
use crate::message::{Envelope, Priority};

#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Send {
        lane: usize,
        subject: Option<u8>,
        batch: Option<u8>,
        wait: bool,
        from_agent: bool,
    },
    Take,
    /// Gives back so many of what was taken last, counted from its end.
    GiveBack(usize),
    /// One of the waiting senders leaves.
    GiveUp(usize),
    Purge(u8),
    Drain,
    Gate(Gate),
    Advance(u64),
    Park,
}

/// What an operation led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Accepted {
        message: TestMessage,
        shed: Option<usize>,
    },
    /// Handed back for want of room.
    Full {
        message: TestMessage,
        wanted_to_wait: bool,
    },
    /// Handed back because nobody may send.
    Closed {
        message: TestMessage,
        from_agent: bool,
    },
    Waits(TestMessage),
    /// Waiting senders that were let in, told, or left; by id.
    Admitted(usize),
    TurnedAway(usize),
    LeftTheLine(usize),
    Taken {
        ids: Vec<usize>,
        batch: bool,
    },
    Nothing {
        ripe_at: Option<u64>,
    },
    GaveBack(Vec<usize>),
    Purged {
        subject: u8,
        ids: Vec<usize>,
    },
    Drained(Vec<usize>),
    GateIs(Gate),
    Parked {
        asleep: bool,
    },
}

pub(super) struct Driver {
    pub(super) mailbox: Mailbox<TestMessage>,
    pub(super) now: u64,
    pub(super) sent: Vec<TestMessage>,
    pub(super) log: Vec<Event>,
    in_line: Vec<InLine>,
    held: Vec<Envelope<TestMessage>>,
    consumer: Arc<Bell>,
    asleep: bool,
    /// Look at the mailbox after every message, so that a linger begins when the message came.
    attentive: bool,
}

struct InLine {
    id: usize,
    lane: usize,
    ticket: Arc<Ticket<TestMessage>>,
    bell: Arc<Bell>,
}

impl Driver {
    pub(super) fn new(options: MailboxOptions) -> Self {
        Self {
            mailbox: Mailbox::new(options),
            now: 0,
            sent: Vec::new(),
            log: Vec::new(),
            in_line: Vec::new(),
            held: Vec::new(),
            consumer: Arc::default(),
            asleep: false,
            attentive: options.batch.is_some_and(|batch| !batch.linger.is_zero()),
        }
    }

    /// A driver that has played `ops`, with a check after each.
    pub(super) fn played(options: MailboxOptions, ops: &[Op], mut check: impl FnMut(&Self)) -> Self {
        let mut driver = Self::new(options);
        for op in ops {
            driver.apply(*op);
            check(&driver);
        }
        driver
    }

    /// What became of `op`, senders that were let in by it included.
    pub(super) fn apply(&mut self, op: Op) -> Vec<Event> {
        let before = self.log.len();
        let rung = self.consumer.rung();
        match op {
            Op::Send { lane, subject, batch, wait, from_agent } => {
                let message =
                    TestMessage { id: self.sent.len(), priority: Priority::ALL[lane], subject, batch };
                self.sent.push(message);
                self.send(message, wait, from_agent);
            }
            Op::Take => self.take(),
            Op::GiveBack(count) => self.give_back(count),
            Op::GiveUp(index) => self.give_up(index),
            Op::Purge(subject) => {
                let ids = super::ids(&self.mailbox.purge(subject_key(subject)));
                let (waited, ids) =
                    ids.into_iter().partition(|id| self.in_line.iter().any(|it| it.id == *id));
                self.purged_in_line(waited);
                self.log.push(Event::Purged { subject, ids });
            }
            Op::Drain => {
                let ids = super::ids(&self.mailbox.drain());
                self.log.push(Event::Drained(ids));
            }
            Op::Gate(gate) => {
                self.mailbox.set_gate(gate);
                self.log.push(Event::GateIs(gate));
            }
            Op::Advance(by) => self.now += by,
            Op::Park => self.park(),
        }
        if self.attentive {
            assert!(self.mailbox.purge(subject_key(u8::MAX)).is_empty());
        }
        self.ask_those_in_line();
        let events = self.log[before..].to_vec();
        let came_in = |event: &Event| match event {
            Event::Accepted { .. } | Event::Admitted(_) => true,
            Event::GaveBack(ids) => !ids.is_empty(),
            _ => false,
        };
        if self.asleep && events.iter().any(came_in) {
            assert!(self.consumer.rung() > rung, "a sleeping consumer was not woken: {events:?}");
            self.asleep = false;
        }
        events
    }

    fn send(&mut self, message: TestMessage, wait: bool, from_agent: bool) {
        let who = if from_agent { an_agent } else { an_outsider };
        let envelope = message.at(self.now);
        let offer = if wait {
            match self.mailbox.offer_or_wait(envelope, who) {
                Ok(offer) => offer,
                Err(ticket) => {
                    let (bell, waker) = bell();
                    self.log.push(Event::Waits(message));
                    // Let in at once or not, it learns of it when all in line are asked.
                    if ticket.poll(&waker).is_pending() {
                        let (id, lane) = (message.id, message.lane());
                        self.in_line.push(InLine { id, lane, ticket, bell });
                    } else {
                        panic!("{message:?} waited for a place that was free");
                    }
                    return;
                }
            }
        } else {
            self.mailbox.offer(envelope, who)
        };
        self.log.push(match offer {
            Offer::Accepted(shed) => {
                Event::Accepted { message, shed: shed.map(|envelope| envelope.message.id) }
            }
            Offer::Full(back) => {
                assert_eq!(back.message, message);
                Event::Full { message, wanted_to_wait: wait }
            }
            Offer::Closed(back) => {
                assert_eq!(back.message, message);
                Event::Closed { message, from_agent }
            }
        });
    }

    fn take(&mut self) {
        let (held, event) = match self.mailbox.take(Nanos(self.now)) {
            Taken::One(envelope) => {
                let ids = vec![envelope.message.id];
                (vec![envelope], Event::Taken { ids, batch: false })
            }
            Taken::Batch(envelopes) => {
                let ids = super::ids(&envelopes);
                (envelopes, Event::Taken { ids, batch: true })
            }
            Taken::Nothing { ripe_at } => (Vec::new(), Event::Nothing { ripe_at: ripe_at.map(|at| at.0) }),
        };
        self.held = held;
        self.log.push(event);
    }

    fn give_back(&mut self, count: usize) {
        let count = count.min(self.held.len());
        let left = self.held.split_off(self.held.len() - count);
        self.held.clear();
        self.log.push(Event::GaveBack(super::ids(&left)));
        self.mailbox.give_back(left);
    }

    fn give_up(&mut self, index: usize) {
        if self.in_line.is_empty() {
            return;
        }
        let leaver = self.in_line.swap_remove(index % self.in_line.len());
        let back = self.mailbox.give_up(leaver.lane, &leaver.ticket);
        let back = back.expect("whoever was not let in gets the message back");
        assert_eq!(back.message, self.sent[leaver.id]);
        self.log.push(Event::LeftTheLine(leaver.id));
    }

    fn park(&mut self) {
        let waker = std::task::Waker::from(Arc::clone(&self.consumer));
        let asleep = self.mailbox.park(0, &waker) == Parked::Asleep;
        self.asleep = asleep;
        self.log.push(Event::Parked { asleep });
    }

    /// Messages that a purge took from those who waited: their senders hear that they were accepted.
    fn purged_in_line(&mut self, ids: Vec<usize>) {
        for id in ids {
            let place = self.in_line.iter().position(|it| it.id == id).expect("it is in line");
            let InLine { ticket, bell, .. } = self.in_line.remove(place);
            let told = ticket.poll(&std::task::Waker::from(bell));
            assert!(matches!(told, Poll::Ready(Admission::Accepted)), "{id} was purged and not told");
            self.log.push(Event::LeftTheLine(id));
        }
    }

    fn ask_those_in_line(&mut self) {
        for place in std::mem::take(&mut self.in_line) {
            let rung = place.bell.rung();
            let waker = std::task::Waker::from(Arc::clone(&place.bell));
            match place.ticket.poll(&waker) {
                Poll::Pending => {
                    assert_eq!(rung, 0, "a sender was woken for nothing");
                    self.in_line.push(place);
                    continue;
                }
                Poll::Ready(Admission::Accepted) => self.log.push(Event::Admitted(place.id)),
                Poll::Ready(Admission::Closed(back)) => {
                    assert_eq!(back.message, self.sent[place.id]);
                    self.log.push(Event::TurnedAway(place.id));
                }
            }
            assert_eq!(rung, 1, "a sender whose wait is over is woken once");
        }
        self.in_line.sort_by_key(|place| place.id);
    }

    /// The lanes of those who wait, in the order in which they began to.
    pub(super) fn lanes_in_line(&self) -> impl Iterator<Item = usize> {
        self.in_line.iter().map(|place| place.lane)
    }

    /// Closes the mailbox and empties it, so that every message has met its end.
    pub(super) fn finish(&mut self) {
        self.held.clear();
        self.apply(Op::Gate(Gate::Closed));
        self.apply(Op::Drain);
        assert!(self.in_line.is_empty(), "a sender still waits at a closed mailbox");
    }
}

// ---- What is played ------------------------------------------------------------------------------

/// Which operations are in the mix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mix {
    pub(super) waiting: bool,
    pub(super) batches: bool,
    pub(super) give_back: bool,
    pub(super) removal: bool,
    pub(super) gates: bool,
}

impl Mix {
    pub(super) const ALL: Self =
        Self { waiting: true, batches: true, give_back: true, removal: true, gates: true };
    /// Sending and taking, no more.
    pub(super) const PLAIN: Self =
        Self { waiting: false, batches: false, give_back: false, removal: false, gates: false };

    pub(super) fn ops(self, most: usize) -> impl Strategy<Value = Vec<Op>> {
        let weight = |wanted: bool, weight: u32| if wanted { weight } else { 0 };
        let key = prop_oneof![1 => Just(None), 2 => (0..3_u8).prop_map(Some)];
        let send = (0..Priority::COUNT, key.clone(), key, any::<bool>(), prop::bool::weighted(0.2));
        let send = send.prop_map(move |(lane, subject, batch, wait, from_agent)| Op::Send {
            lane,
            subject,
            batch: batch.filter(|_| self.batches),
            wait: wait && self.waiting,
            from_agent,
        });
        // A weight of nought is not allowed, so what is unwanted becomes something harmless.
        let gate = prop_oneof![4 => Just(Gate::Open), 3 => Just(Gate::AgentsOnly), 1 => Just(Gate::Closed)];
        let unless = |wanted: bool| move |op: Op| if wanted { op } else { Op::Take };
        let op = prop_oneof![
            40 => send,
            24 => Just(Op::Take),
            1 + weight(self.give_back, 7) => (0..5_usize).prop_map(Op::GiveBack).prop_map(unless(self.give_back)),
            1 + weight(self.waiting, 7) => (0..8_usize).prop_map(Op::GiveUp).prop_map(unless(self.waiting)),
            1 + weight(self.removal, 3) => (0..3_u8).prop_map(Op::Purge).prop_map(unless(self.removal)),
            1 => Just(Op::Drain).prop_map(unless(self.removal)),
            1 => gate.prop_map(Op::Gate).prop_map(unless(self.gates)),
            1 + weight(self.batches, 12) => (0..12_u64).prop_map(Op::Advance),
            6 => Just(Op::Park),
        ];
        prop::collection::vec(op, 1..most)
    }
}

/// Small mailboxes of one policy, where everything that can go wrong goes wrong soon.
pub(super) fn small(overflow: Overflow) -> impl Strategy<Value = MailboxOptions> {
    (1..9_usize, 0..4_usize, prop::option::of(2..6_u32)).prop_map(move |(capacity, reserve, bypass)| {
        MailboxOptions { capacity, reserve, overflow, bypass, batch: None }.clamped()
    })
}

pub(super) fn any_policy() -> impl Strategy<Value = MailboxOptions> {
    prop_oneof![small(Overflow::Wait), small(Overflow::Reject), small(Overflow::ShedLeastUrgent)]
}

/// The same with batches of a few messages, which linger for up to `linger`.
pub(super) fn batching(linger: std::ops::Range<u64>) -> impl Strategy<Value = MailboxOptions> {
    let batch = (1..5_usize, linger).prop_map(|(most, linger)| batches(most, linger));
    (any_policy(), batch).prop_map(|(options, batch): (MailboxOptions, Option<BatchOptions>)| {
        MailboxOptions { batch, ..options }
    })
}
