//! Senders and consumers on real threads around one mailbox, and the account of what they did.
//!
//! Consumers are woken by the mailbox or, once every message has met its end, by the account. So a lost
//! message or a lost wake-up leaves somebody asleep, and the time limit fails the test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{TestMessage, an_outsider};
use crate::clock::{Nanos, nanos};
use crate::mailbox::taking::Parked;
use crate::mailbox::{Admission, Mailbox, MailboxOptions, Offer, Taken, Ticket};
use crate::message::{Envelope, Priority};

/// Far above what any of these tests needs, on the busiest machine.
const LIMIT: Duration = Duration::from_secs(15);

/// Runs `body` and fails if it is not over in time.
pub(super) fn in_time(body: impl FnOnce() + Send + 'static) {
    let (done, over) = mpsc::channel();
    let thread = thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        panic!("stuck: a message or a wake-up was lost, or a thread failed");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A thread that sleeps until it is woken.
#[derive(Debug)]
pub(super) struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Sleeper {
    pub(super) fn of_this_thread() -> (Arc<Self>, Waker) {
        let sleeper = Arc::new(Self { thread: thread::current(), woken: AtomicBool::new(false) });
        (Arc::clone(&sleeper), Waker::from(sleeper))
    }

    fn sleep(&self, until: Option<Instant>) {
        while !self.woken.swap(false, Ordering::SeqCst) {
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return,
                Some(left) => thread::park_timeout(left),
            }
        }
    }
}

/// What a consumer got: the message and its place among all that were accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    pub(super) message: TestMessage,
    pub(super) sequence: u64,
}

pub(super) struct Crew {
    pub(super) mailbox: Mailbox<TestMessage>,
    ends: Vec<AtomicU8>,
    left: AtomicUsize,
    consumers: Mutex<Vec<Waker>>,
    began: Instant,
}

impl Crew {
    /// For messages numbered below `messages`.
    pub(super) fn new(options: MailboxOptions, messages: usize) -> Self {
        Self {
            mailbox: Mailbox::new(options),
            ends: (0..messages).map(|_| AtomicU8::new(0)).collect(),
            left: AtomicUsize::new(messages),
            consumers: Mutex::default(),
            began: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Nanos {
        Nanos(nanos(self.began.elapsed()))
    }

    /// This message has met its end.
    pub(super) fn end(&self, id: usize) {
        assert_eq!(self.ends[id].fetch_add(1, Ordering::SeqCst), 0, "message {id} met its end twice");
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.consumers.lock().unwrap().drain(..).for_each(Waker::wake);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Sends and, where the mailbox asks for it, waits. Whether the message was accepted.
    pub(super) fn tell(&self, message: TestMessage) -> bool {
        match self.try_tell(message) {
            Ok(accepted) => accepted,
            Err(ticket) => {
                let (sleeper, waker) = Sleeper::of_this_thread();
                loop {
                    match ticket.poll(&waker) {
                        Poll::Pending => sleeper.sleep(None),
                        Poll::Ready(Admission::Accepted) => return true,
                        Poll::Ready(Admission::Closed(back)) => {
                            assert_eq!(back.message, message);
                            self.end(message.id);
                            return false;
                        }
                    }
                }
            }
        }
    }

    /// Sends; a ticket if the message has to wait.
    pub(super) fn try_tell(&self, message: TestMessage) -> Result<bool, Arc<Ticket<TestMessage>>> {
        let envelope = Envelope::new(message, self.now());
        Ok(match self.mailbox.offer_or_wait(envelope, an_outsider)? {
            Offer::Accepted(shed) => {
                if let Some(shed) = shed {
                    assert!(message.priority.is_more_urgent_than(shed.priority));
                    self.end(shed.message.id);
                }
                true
            }
            Offer::Full(back) | Offer::Closed(back) => {
                assert_eq!(back.message, message);
                self.end(message.id);
                false
            }
        })
    }

    /// Takes until every message has met its end. `keeps` says how many of what was taken are handled;
    /// the rest is given back.
    pub(super) fn serve(&self, consumer: u32, mut keeps: impl FnMut(usize) -> usize) -> Vec<Served> {
        let (sleeper, waker) = Sleeper::of_this_thread();
        self.consumers.lock().unwrap().push(waker.clone());
        let mut served = Vec::new();
        while !self.is_over() {
            let now = self.now();
            let mut taken = match self.mailbox.take(now) {
                Taken::One(envelope) => vec![envelope],
                Taken::Batch(envelopes) => envelopes,
                Taken::Nothing { ripe_at } => {
                    if self.mailbox.park(consumer, &waker) == Parked::Asleep {
                        let ripe = ripe_at.map(|at| self.began + Duration::from_nanos(at.0));
                        if !self.is_over() {
                            sleeper.sleep(ripe);
                        }
                        self.mailbox.unpark(consumer);
                    }
                    continue;
                }
            };
            let left = taken.split_off(keeps(taken.len()).min(taken.len()));
            self.mailbox.give_back(left);
            for envelope in taken {
                served.push(Served { message: envelope.message, sequence: envelope.sequence });
                self.end(envelope.message.id);
            }
        }
        self.mailbox.hand_over(consumer);
        served
    }

    /// Looks at the mailbox until all is over: it is never over its bounds.
    pub(super) fn watch(&self) {
        let options = *self.mailbox.options();
        while !self.is_over() {
            let depth = self.mailbox.depth();
            let bulk = depth[Priority::Normal.lane()] + depth[Priority::Low.lane()];
            assert!(depth.iter().sum::<u64>() <= options.capacity as u64, "{depth:?}");
            assert!(bulk <= (options.capacity - options.reserve) as u64, "{depth:?}");
            thread::yield_now();
        }
    }

    /// At the end every message has met exactly one end, and nothing is left anywhere.
    pub(super) fn assert_all_accounted_for(&self) {
        let wrong = self.ends.iter().position(|ends| ends.load(Ordering::SeqCst) != 1);
        assert_eq!(wrong, None, "the first message that did not meet exactly one end");
        assert_eq!(self.mailbox.depth(), [0; 4]);
        assert!(self.mailbox.drain().is_empty());
    }
}

/// Messages `sender * each ..` of one sender, in a mix of priorities, subjects and (some) batch keys.
pub(super) fn mixed(sender: usize, each: usize) -> impl Iterator<Item = TestMessage> {
    (sender * each..(sender + 1) * each).map(|id| {
        let mixed = id.wrapping_mul(0x9E37_79B9) >> 7;
        let message = TestMessage::new(id, Priority::ALL[mixed % 4]).about((mixed / 4 % 4) as u8);
        if mixed / 16 % 3 == 0 { message } else { message.batched((mixed / 16 % 3) as u8) }
    })
}

/// Each sender's messages of a lane (and of a batch key) were accepted, hence numbered, in the order in
/// which it sent them, and whoever took several of a lane took them in that order.
pub(super) fn assert_in_order(served: &[Vec<Served>], each: usize) {
    for by_one in served {
        let mut last = HashMap::new();
        for one in by_one {
            let of = (one.message.lane(), one.message.batch);
            if let Some(before) = last.insert(of, one.sequence) {
                assert!(before < one.sequence, "{one:?} after {before}");
            }
        }
    }
    let mut all: Vec<_> = served.iter().flatten().collect();
    // Numbers are those of a lane, or of the whole mailbox if it gathers batches.
    let number = |one: &Served| (one.message.lane(), one.sequence);
    all.sort_by_key(|one| number(one));
    assert!(all.windows(2).all(|pair| number(pair[0]) < number(pair[1])), "two of one number");
    let mut last = HashMap::new();
    for one in all {
        let of = (one.message.id / each, one.message.lane());
        if let Some(before) = last.insert(of, one.message.id) {
            assert!(before < one.message.id, "{one:?} after {before}");
        }
    }
}
