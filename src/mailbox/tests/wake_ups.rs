//! Sleeping consumers: nobody sleeps beside a message, nobody is woken for nothing.

use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::crew::in_time;
use super::{
    Bell, Mailbox, MailboxOptions, TestMessage, batches, bell, plain, put, take, take_ids, wait_in_line,
};
use crate::mailbox::taking::Parked;
use crate::mailbox::{ConsumerId, Gate};
use crate::message::Priority;
use crate::sync::Arc;

fn asleep(mailbox: &Mailbox<TestMessage>, consumer: ConsumerId) -> Arc<Bell> {
    let (bell, waker) = bell();
    assert_eq!(mailbox.park(consumer, &waker), Parked::Asleep);
    bell
}

fn low(id: usize) -> TestMessage {
    TestMessage::new(id, Priority::Low)
}

#[test]
fn nobody_falls_asleep_beside_a_message() {
    let mailbox = Mailbox::new(plain(10));
    put(&mailbox, low(0), 0);
    assert_eq!(mailbox.park(0, &bell().1), Parked::StayAwake);
    // And now it is on the agent's side, with another behind it.
    put(&mailbox, low(1), 0);
    assert_eq!(take_ids(&mailbox, 0), [0]);
    assert_eq!(mailbox.park(0, &bell().1), Parked::StayAwake);
    assert_eq!(take_ids(&mailbox, 0), [1]);
    assert_eq!(mailbox.park(0, &bell().1), Parked::Asleep);
}

#[test]
fn a_lingering_batch_lets_its_agent_sleep_until_a_message_fills_it() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(2, 50), ..plain(10) });
    put(&mailbox, low(0).batched(1), 0);
    assert!(take_ids(&mailbox, 0).is_empty());
    let bell = asleep(&mailbox, 0);
    put(&mailbox, low(1).batched(1), 1);
    assert_eq!(bell.rung(), 1);
    assert_eq!(take_ids(&mailbox, 1), [0, 1]);
}

#[test]
fn each_message_wakes_one_sleeper_and_none_who_got_up() {
    let mailbox = Mailbox::new(plain(10));
    let bells = [asleep(&mailbox, 0), asleep(&mailbox, 1), asleep(&mailbox, 2)];
    let woken = || bells.iter().map(|bell| bell.rung()).sum::<usize>();
    mailbox.unpark(1);
    put(&mailbox, low(0), 0);
    assert_eq!((woken(), bells[1].rung()), (1, 0));
    put(&mailbox, low(1), 0);
    assert_eq!((woken(), bells[1].rung()), (2, 0));
    put(&mailbox, low(2), 0);
    assert_eq!(woken(), 2);
}

#[test]
fn whoever_sleeps_twice_is_woken_by_the_waker_it_left_last() {
    let mailbox = Mailbox::new(plain(10));
    let (old, other) = (asleep(&mailbox, 0), asleep(&mailbox, 1));
    let new = asleep(&mailbox, 0);
    put(&mailbox, low(0), 0);
    put(&mailbox, low(1), 0);
    assert_eq!((old.rung(), new.rung(), other.rung()), (0, 1, 1));
}

#[test]
fn a_consumer_that_leaves_passes_its_wake_up_on() {
    let mailbox = Mailbox::new(plain(10));
    let (first, second) = (asleep(&mailbox, 0), asleep(&mailbox, 1));
    put(&mailbox, low(0), 0);
    let woken = if first.rung() == 1 { 0 } else { 1 };
    mailbox.hand_over(woken);
    assert_eq!((first.rung(), second.rung()), (1, 1));
}

#[test]
fn a_consumer_that_leaves_an_empty_mailbox_wakes_nobody_and_is_not_woken() {
    let mailbox = Mailbox::new(plain(10));
    let (first, second) = (asleep(&mailbox, 0), asleep(&mailbox, 1));
    mailbox.hand_over(0);
    assert_eq!((first.rung(), second.rung()), (0, 0));
    put(&mailbox, low(0), 0);
    assert_eq!((first.rung(), second.rung()), (0, 1));
}

#[test]
fn what_is_given_back_wakes_a_sleeping_member_of_the_pool() {
    let mailbox = Mailbox::new(plain(10));
    put(&mailbox, low(0), 0);
    let taken = take(&mailbox, 0);
    let bell = asleep(&mailbox, 1);
    mailbox.give_back(Vec::new());
    assert_eq!(bell.rung(), 0);
    mailbox.give_back(taken);
    assert_eq!(bell.rung(), 1);
    assert_eq!(mailbox.park(1, &super::bell().1), Parked::StayAwake);
}

// A fault that was: however many are let in at one stroke, one sleeper is woken.
#[test]
fn senders_let_in_at_one_stroke_wake_a_sleeper_each() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(10, 50), ..plain(2) });
    put(&mailbox, low(0).batched(1).about(1), 0);
    put(&mailbox, low(1).batched(2).about(1), 0);
    assert!(take_ids(&mailbox, 0).is_empty());
    let _waiting = [wait_in_line(&mailbox, low(2)), wait_in_line(&mailbox, low(3))];
    let bells = [asleep(&mailbox, 0), asleep(&mailbox, 1)];
    assert_eq!(mailbox.purge(super::subject_key(1)).len(), 2);
    assert_eq!(mailbox.depth(), [0, 0, 0, 2]);
    assert_eq!(bells.map(|bell| bell.rung()), [1, 1], "two messages, and one member sleeps");
}

/// Looks at both sides of the mailbox as soon as it is woken, on the thread that wakes it: as an executor may.
struct Curious {
    mailbox: Weak<Mailbox<TestMessage>>,
    looks: AtomicUsize,
}

impl Curious {
    fn about(mailbox: &Arc<Mailbox<TestMessage>>) -> (Arc<Self>, Waker) {
        let curious = Arc::new(Self { mailbox: Arc::downgrade(mailbox), looks: AtomicUsize::new(0) });
        (Arc::clone(&curious), Waker::from(curious))
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        let Some(mailbox) = self.mailbox.upgrade() else { return };
        let _depth = mailbox.depth();
        let _either = mailbox.holds_more_urgent_than(Priority::Low);
        self.looks.fetch_add(1, Ordering::SeqCst);
    }
}

/// How many looked when `act` was done to a mailbox where, as told, a consumer sleeps and a sender waits, both curious.
fn looks(asleep: bool, waiting: bool, act: impl FnOnce(&Mailbox<TestMessage>)) -> usize {
    let mailbox = Arc::new(Mailbox::new(MailboxOptions { batch: batches(2, 50), ..plain(1) }));
    let (curious, waker) = Curious::about(&mailbox);
    if waiting {
        // Full of what is not ripe, so that the consumer may sleep beside it.
        put(&mailbox, low(0).batched(1).about(1), 0);
        assert!(take_ids(&mailbox, 0).is_empty());
    }
    let ticket = waiting.then(|| wait_in_line(&mailbox, low(1)));
    assert!(ticket.iter().all(|ticket| ticket.poll(&waker).is_pending()));
    if asleep {
        assert_eq!(mailbox.park(0, &waker), Parked::Asleep);
    }
    act(&mailbox);
    curious.looks()
}

#[test]
fn nobody_is_woken_under_a_lock() {
    in_time(|| {
        assert_eq!(looks(true, false, |mailbox| put(mailbox, low(2), 0)), 1);
        assert_eq!(looks(false, true, |mailbox| assert_eq!(take_ids(mailbox, 50), [0])), 1);
        assert_eq!(looks(true, true, |mailbox| assert_eq!(mailbox.purge(super::subject_key(1)).len(), 1)), 2);
        assert_eq!(looks(true, true, |mailbox| assert_eq!(mailbox.drain().len(), 1)), 2);
        assert_eq!(looks(false, true, |mailbox| mailbox.set_gate(Gate::Closed)), 1);
        assert_eq!(looks(true, false, |mailbox| mailbox.give_back(vec![low(2).at(0)])), 1);
    });
}

#[test]
fn a_wake_up_is_not_passed_on_under_a_lock() {
    in_time(|| {
        let mailbox = Arc::new(Mailbox::new(plain(10)));
        let sleepers = [Curious::about(&mailbox), Curious::about(&mailbox)];
        for (consumer, (_, waker)) in (0..).zip(&sleepers) {
            assert_eq!(mailbox.park(consumer, waker), Parked::Asleep);
        }
        put(&mailbox, low(0), 0);
        let woken = if sleepers[0].0.looks() == 1 { 0 } else { 1 };
        mailbox.hand_over(woken);
        assert!(sleepers.iter().all(|(sleeper, _)| sleeper.looks() == 1));
    });
}
