//! Messages that come from another core than the one that serves the mailbox.

use std::task::Waker;

use super::{Nanos, Priority, TestMessage, an_agent, plain};
use crate::mailbox::{Mailbox, Offer, Taken};

struct Served {
    mailbox: Mailbox<TestMessage>,
    sent: usize,
}

impl Served {
    /// A mailbox that was served on this thread before, and found empty.
    fn here() -> Self {
        let mailbox = Mailbox::new(plain(100));
        let served = Self { mailbox, sent: 0 };
        assert_eq!(served.look(0), Some(None));
        served
    }

    fn send(&mut self, priority: Priority) {
        let envelope = TestMessage::new(self.sent, priority).at(0);
        self.sent += 1;
        assert!(matches!(self.mailbox.offer(envelope, an_agent), Offer::Accepted(None)));
    }

    fn send_from_elsewhere(&mut self, priority: Priority) {
        std::thread::scope(|scope| scope.spawn(|| self.send(priority)).join().unwrap());
    }

    /// The number of the message taken, none if there is none; `None` if it was too early to look.
    fn look(&self, now: u64) -> Option<Option<usize>> {
        match self.mailbox.take_or_park(Nanos(now), 0, Waker::noop())? {
            Taken::One(envelope) => Some(Some(envelope.message.id)),
            Taken::Nothing { .. } => Some(None),
            Taken::Batch(_) => panic!("nothing is gathered here"),
        }
    }
}

#[test]
fn in_a_stream_from_another_thread_the_intake_is_looked_at_once_a_microsecond() {
    let mut served = Served::here();
    served.send_from_elsewhere(Priority::Normal);
    assert_eq!(served.look(10_000), Some(Some(0)), "the first after a sleep is fetched at once");
    served.send_from_elsewhere(Priority::Normal);
    assert_eq!(served.look(10_999), None);
    assert_eq!(served.look(11_000), Some(Some(1)));
}

#[test]
fn in_a_stream_what_was_fetched_is_served_meanwhile() {
    let mut served = Served::here();
    served.send_from_elsewhere(Priority::Low);
    served.send_from_elsewhere(Priority::Low);
    assert_eq!(served.look(10_000), Some(Some(0)));
    served.send_from_elsewhere(Priority::Critical);
    assert_eq!(served.look(10_500), Some(Some(1)));
    assert_eq!(served.look(11_000), Some(Some(2)));
}

#[test]
fn what_the_agents_own_thread_sends_is_fetched_at_once() {
    let mut served = Served::here();
    for number in 0..3 {
        served.send(Priority::Normal);
        assert_eq!(served.look(10_000), Some(Some(number)));
    }
}

#[test]
fn a_stream_ends_when_the_agent_says_so_or_finds_nothing() {
    let mut served = Served::here();
    served.send_from_elsewhere(Priority::Normal);
    assert_eq!(served.look(10_000), Some(Some(0)));
    assert_eq!(served.look(10_100), None);
    served.mailbox.leave_stream();
    assert_eq!(served.look(10_100), Some(None));
    served.send(Priority::Normal);
    assert_eq!(served.look(10_100), Some(Some(1)));
}

#[test]
fn whoever_drains_is_never_told_to_wait() {
    let mut served = Served::here();
    served.send_from_elsewhere(Priority::Normal);
    assert!(matches!(served.mailbox.take(Nanos(u64::MAX)), Taken::One(_)));
    served.send_from_elsewhere(Priority::Normal);
    // Another member of the pool, by the real time.
    assert_eq!(served.look(10_000), Some(Some(1)));
}
