//! Several consumers at one mailbox: as many are woken as there are letters, and a wake-up is passed on.

use super::{beside, explore_bounded};
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;

#[test]
fn two_consumers_get_a_letter_each() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(2), 2);
        let consumers = [0, 1].map(|consumer| beside(&post, move |post| post.next(consumer)));
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        assert_eq!(post.offer(Letter::low(1)), Told::In);
        let mut taken = consumers.map(|consumer| consumer.join().unwrap()).concat();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        post.settle();
    });
}

#[test]
fn two_consumers_of_one_place_get_a_letter_each() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(1), 2);
        let consumers = [0, 1].map(|consumer| beside(&post, move |post| post.next(consumer)));
        assert_eq!(post.tell(Letter::low(0)), Told::In);
        assert_eq!(post.tell(Letter::low(1)), Told::In);
        let mut taken = consumers.map(|consumer| consumer.join().unwrap()).concat();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        post.settle();
    });
}

#[test]
fn a_consumer_that_leaves_passes_on_the_wake_up_that_came_to_it() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(2), 2);
        let leaver = beside(&post, |post| {
            let taken = post.take_or_doze(0);
            post.leave(0);
            taken
        });
        let stayer = beside(&post, |post| post.next(1));
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        // Brings the letter, if it is still there, over to the consumers' side.
        assert!(post.purge(9).is_empty());
        if !leaver.join().unwrap().is_empty() {
            assert_eq!(post.offer(Letter::low(1)), Told::In);
        }
        assert_eq!(stayer.join().unwrap().len(), 1);
        post.settle();
    });
}

#[test]
fn what_one_consumer_gives_back_another_gets() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(2), 1);
        let giver = beside(&post, |post| {
            post.take_and_give_back();
        });
        let other = beside(&post, |post| post.next(1));
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        giver.join().unwrap();
        assert_eq!(other.join().unwrap(), [0]);
        post.settle();
    });
}

#[test]
fn two_who_take_at_once_get_different_letters() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(2), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        assert_eq!(post.offer(Letter::low(1)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(2)));
        let other = beside(&post, |post| post.take());
        let mine = post.take();
        let theirs = other.join().unwrap();
        assert_eq!((mine.len(), theirs.len()), (1, 1));
        assert_ne!(mine, theirs);
        assert_eq!(sender.join().unwrap(), Told::In);
        post.settle();
    });
}

/// Busy with something else, it would not look at the mailbox for a long time: the ring is for the one that sleeps.
#[test]
fn a_member_that_is_awake_takes_no_ring_from_one_that_sleeps() {
    explore_bounded(|| {
        let post = Post::served_by(2, plain(2), 2);
        let busy = beside(&post, |post| {
            let mut taken = post.take_or_doze(0);
            post.get_up(0);
            // What it was woken for before it got up is its own to find.
            taken.extend(post.take());
            taken
        });
        let sleeper = beside(&post, |post| post.next(1));
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        if !busy.join().unwrap().is_empty() {
            assert_eq!(post.offer(Letter::low(1)), Told::In);
        }
        assert_eq!(sleeper.join().unwrap().len(), 1);
        post.settle();
    });
}
