//! The bound, the reserve and the order, with several senders and a consumer.

use super::{beside, explore, explore_bounded};
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;
use crate::mailbox::{MailboxOptions, Overflow};
use crate::message::Priority;

fn rejecting(capacity: usize) -> MailboxOptions {
    MailboxOptions { overflow: Overflow::Reject, ..plain(capacity) }
}

#[test]
fn as_many_of_several_newcomers_get_in_as_there_are_places() {
    explore_bounded(|| {
        let post = Post::new(rejecting(2), 3);
        let others = [1, 2].map(|id| beside(&post, move |post| post.offer(Letter::low(id))));
        let mut told = vec![post.offer(Letter::low(0))];
        told.extend(others.map(|other| other.join().unwrap()));
        assert_eq!(told.iter().filter(|told| **told == Told::In).count(), 2);
        post.settle();
    });
}

#[test]
fn bulk_leaves_the_reserve_to_the_urgent_whoever_comes_first() {
    explore_bounded(|| {
        let post = Post::new(MailboxOptions { reserve: 1, ..rejecting(2) }, 3);
        let urgent = beside(&post, |post| post.offer(Letter::new(0, Priority::High)));
        let bulk = beside(&post, |post| post.offer(Letter::low(1)));
        let more = post.offer(Letter::new(2, Priority::Normal));
        assert_eq!(urgent.join().unwrap(), Told::In);
        assert_ne!(bulk.join().unwrap(), more, "the one place for bulk goes to one of two");
        post.settle();
    });
}

#[test]
fn a_letter_sent_beside_a_take_is_taken_or_stays() {
    explore(|| {
        let post = Post::new(rejecting(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| (post.offer(Letter::low(1)), post.offer(Letter::low(2))));
        let first = post.take();
        assert_eq!(first, [0]);
        let second = post.take();
        let (one, two) = sender.join().unwrap();
        // The place comes free once for sure, and again only if somebody who took it was taken.
        assert!(one == Told::Back || two == Told::Back || !second.is_empty());
        post.settle();
    });
}

#[test]
fn no_more_is_ever_inside_than_the_capacity_while_letters_come_and_go() {
    explore_bounded(|| {
        let post = Post::new(rejecting(1), 4);
        let senders = [0, 2].map(|first| {
            beside(&post, move |post| {
                post.offer(Letter::low(first));
                post.offer(Letter::new(first + 1, Priority::High));
            })
        });
        let taken = post.take().len();
        post.assert_within_bounds();
        let (accepted, received) = post.count();
        assert!(accepted <= 1 + received, "{accepted} accepted and {received} taken");
        for sender in senders {
            sender.join().unwrap();
        }
        assert!(taken <= 1);
        post.settle();
    });
}

#[test]
fn one_senders_letters_are_taken_in_the_order_it_sent_them() {
    explore(|| {
        let post = Post::new(plain(3), 3);
        let sender =
            beside(&post, |post| (0..3).for_each(|id| assert_eq!(post.offer(Letter::low(id)), Told::In)));
        let mut taken = post.take();
        taken.extend(post.take());
        sender.join().unwrap();
        taken.extend(std::iter::from_fn(|| post.take().pop()));
        assert_eq!(taken, [0, 1, 2]);
        post.settle();
    });
}

#[test]
fn a_critical_letter_is_the_next_from_the_moment_it_is_accepted() {
    explore(|| {
        let post = Post::new(plain(4), 4);
        let sender = beside(&post, |post| {
            post.offer(Letter::new(0, Priority::High));
            post.offer(Letter::low(1));
        });
        assert_eq!(post.offer(Letter::low(2)), Told::In);
        assert_eq!(post.offer(Letter::new(3, Priority::Critical)), Told::In);
        assert!(post.holds_more_urgent_than(Priority::Low), "a handler that looks must see it");
        assert_eq!(post.take(), [3]);
        sender.join().unwrap();
        post.settle();
    });
}

/// The sender tells the consumer by nothing but the letter itself: the lane's bit must not be seen before the letter,
/// nor the letter before what its sender had done.
#[test]
fn a_handler_that_looks_up_sees_what_is_urgent_and_takes_it_next() {
    explore(|| {
        let post = Post::new(plain(3), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| post.offer(Letter::new(1, Priority::Critical)));
        if post.holds_more_urgent_than(Priority::Low) {
            assert_eq!(post.take(), [1]);
        }
        sender.join().unwrap();
        post.settle();
    });
}
