//! One consumer: it never sleeps beside a letter.

use super::{beside, explore, explore_bounded};
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;
use crate::mailbox::{BatchOptions, MailboxOptions};
use crate::message::Priority;

#[test]
fn a_consumer_that_falls_asleep_as_a_letter_comes_gets_it() {
    explore(|| {
        let post = Post::new(plain(2), 1);
        let sender = beside(&post, |post| post.offer(Letter::low(0)));
        assert_eq!(post.next(0), [0]);
        assert_eq!(sender.join().unwrap(), Told::In);
        post.settle();
    });
}

#[test]
fn a_consumer_gets_every_letter_of_two_senders_and_sleeps_in_between() {
    explore_bounded(|| {
        let post = Post::new(plain(2), 2);
        let senders = [Priority::Critical, Priority::Low].map(|priority| {
            beside(&post, move |post| post.offer(Letter::new(priority.lane() / 3, priority)))
        });
        let mut taken = post.next_all(0, 2);
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        for sender in senders {
            assert_eq!(sender.join().unwrap(), Told::In);
        }
        post.settle();
    });
}

#[test]
fn a_consumer_gets_two_letters_of_one_sender_also_when_the_first_woke_it() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        let sender = beside(&post, |post| {
            assert_eq!(post.tell(Letter::low(0)), Told::In);
            assert_eq!(post.tell(Letter::low(1)), Told::In);
        });
        assert_eq!(post.next_all(0, 2), [0, 1]);
        sender.join().unwrap();
        post.settle();
    });
}

#[test]
fn a_consumer_that_something_else_wakes_loses_no_wake_up() {
    explore(|| {
        let post = Post::served_by(2, plain(2), 1);
        let sender = beside(&post, |post| post.offer(Letter::low(0)));
        let mut taken = post.take_or_doze(0);
        if taken.is_empty() {
            post.get_up(0);
            taken = post.next(0);
        }
        assert_eq!(taken, [0]);
        sender.join().unwrap();
        post.settle();
    });
}

#[test]
fn a_letter_that_fills_a_lingering_batch_wakes_its_consumer() {
    explore(|| {
        let linger = std::time::Duration::from_secs(1);
        let batch = Some(BatchOptions::up_to(2).linger(linger));
        let post = Post::new(MailboxOptions { batch, ..plain(4) }, 2);
        assert_eq!(post.offer(Letter::low(0).batched(1)), Told::In);
        let sender = beside(&post, |post| post.offer(Letter::low(1).batched(1)));
        assert_eq!(post.next(0), [0, 1]);
        sender.join().unwrap();
        post.settle();
    });
}

/// The mailbox is full of what is not ripe, its consumer sleeps, and the purge makes the room that lets a sender in.
#[test]
fn a_purge_that_lets_a_sender_in_wakes_the_consumer_for_it() {
    explore_bounded(|| {
        let batch = Some(BatchOptions::up_to(2).linger(std::time::Duration::from_secs(1)));
        let post = Post::new(MailboxOptions { batch, ..plain(1) }, 2);
        assert_eq!(post.offer(Letter::low(0).batched(1).about(1)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(1)));
        let purger = beside(&post, |post| post.purge(1));
        assert_eq!(post.next(0), [1]);
        assert_eq!(sender.join().unwrap(), Told::In);
        assert_eq!(purger.join().unwrap(), [0]);
        post.settle();
    });
}
