//! Purging, draining and shedding beside sending and taking: each letter has one end.

use super::{beside, explore, explore_bounded};
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;
use crate::mailbox::{MailboxOptions, Overflow};
use crate::message::Priority;

fn shedding(capacity: usize) -> MailboxOptions {
    MailboxOptions { overflow: Overflow::ShedLeastUrgent, ..plain(capacity) }
}

#[test]
fn a_letter_is_purged_or_taken() {
    explore(|| {
        let post = Post::new(plain(2), 2);
        assert_eq!(post.offer(Letter::low(0).about(1)), Told::In);
        assert_eq!(post.offer(Letter::low(1)), Told::In);
        let purger = beside(&post, |post| post.purge(1));
        let taken = post.take();
        let purged = purger.join().unwrap();
        assert!(
            (taken == [0] && purged.is_empty()) || (taken == [1] && purged == [0]),
            "{taken:?} {purged:?}"
        );
        post.settle();
    });
}

#[test]
fn a_purge_reaches_a_letter_that_waits_for_room_or_lets_it_be_sent_afterwards() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1).about(1)) else { panic!("there was no room") };
        let purger = beside(&post, |post| post.purge(1));
        let taken = post.take();
        assert_eq!(taken, [0]);
        assert_eq!(purger.join().unwrap(), [1], "it was in the mailbox or in the line all the time");
        assert_eq!(post.look(place).ok(), Some(Told::In));
        post.settle();
    });
}

#[test]
fn a_purge_beside_a_sender_that_begins_to_wait_leaves_nobody_behind() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0).about(1)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(1).about(2)));
        assert_eq!(post.purge(1), [0]);
        assert_eq!(sender.join().unwrap(), Told::In);
        post.settle();
    });
}

#[test]
fn a_purge_wakes_the_sender_whose_letter_it_takes_out_of_the_line() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1).about(1)) else { panic!("there was no room") };
        let sender = beside(&post, |post| post.wait(place));
        assert_eq!(post.purge(1), [1]);
        assert_eq!(sender.join().unwrap(), Told::In);
        post.settle();
    });
}

#[test]
fn giving_up_beside_a_purge_of_the_same_letter_ends_it_once() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1).about(1)) else { panic!("there was no room") };
        let purger = beside(&post, |post| post.purge(1));
        let told = post.give_up(&place);
        assert_eq!(purger.join().unwrap().len(), usize::from(told == Told::In));
        post.settle();
    });
}

#[test]
fn whatever_is_accepted_before_the_closing_is_drained_or_taken_and_nothing_after() {
    explore_bounded(|| {
        let post = Post::new(plain(3), 2);
        let sender = beside(&post, |post| (post.offer(Letter::low(0)), post.offer(Letter::low(1))));
        let taker = beside(&post, |post| post.take());
        post.close();
        let drained = post.drain();
        let (one, two) = sender.join().unwrap();
        let taken = taker.join().unwrap();
        let accepted = [one, two].into_iter().filter(|told| *told == Told::In).count();
        assert_eq!(drained.len() + taken.len(), accepted, "a letter was accepted after the closing");
        post.settle();
    });
}

#[test]
fn shedding_beside_a_take_ends_each_letter_once() {
    explore(|| {
        let post = Post::new(shedding(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| post.offer(Letter::new(1, Priority::High)));
        let taken = post.take();
        assert_eq!(sender.join().unwrap(), Told::In, "what is more urgent gets in either way");
        assert_eq!(taken.len(), 1);
        post.settle();
    });
}

#[test]
fn two_who_shed_at_once_shed_no_more_than_they_need_and_nothing_as_urgent() {
    explore(|| {
        let post = Post::new(shedding(2), 4);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        assert_eq!(post.offer(Letter::new(1, Priority::High)), Told::In);
        let other = beside(&post, |post| post.offer(Letter::new(2, Priority::High)));
        let mine = post.offer(Letter::new(3, Priority::High));
        assert_ne!(mine, other.join().unwrap(), "one place could be made, for one of two");
        post.settle();
    });
}

#[test]
fn shedding_beside_a_purge_and_a_take_ends_each_letter_once() {
    explore_bounded(|| {
        let post = Post::new(shedding(2), 3);
        assert_eq!(post.offer(Letter::low(0).about(1)), Told::In);
        assert_eq!(post.offer(Letter::low(1)), Told::In);
        let purger = beside(&post, |post| post.purge(1));
        let taker = beside(&post, |post| post.take());
        assert_eq!(post.offer(Letter::new(2, Priority::Critical)), Told::In);
        purger.join().unwrap();
        taker.join().unwrap();
        post.settle();
    });
}
