//! Senders that wait for room: nobody is left behind, whoever takes, gives up or closes meanwhile.

use super::{beside, explore, explore_bounded};
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;
use crate::message::Priority;

#[test]
fn a_sender_that_begins_to_wait_as_the_place_comes_free_gets_it() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(1)));
        assert_eq!(post.take(), [0]);
        assert_eq!(sender.join().unwrap(), Told::In);
        post.settle();
    });
}

#[test]
fn two_who_wait_both_get_in_when_two_are_taken() {
    explore_bounded(|| {
        let post = Post::new(plain(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let senders = [1, 2].map(|id| beside(&post, move |post| post.tell(Letter::low(id))));
        assert_eq!(post.next_all(0, 3).len(), 3);
        for sender in senders {
            assert_eq!(sender.join().unwrap(), Told::In);
        }
        post.settle();
    });
}

#[test]
fn a_sender_that_waits_and_sends_again_keeps_its_order() {
    explore_bounded(|| {
        let post = Post::new(plain(1), 3);
        let sender =
            beside(&post, |post| (0..3).for_each(|id| assert_eq!(post.tell(Letter::low(id)), Told::In)));
        assert_eq!(post.next_all(0, 3), [0, 1, 2]);
        sender.join().unwrap();
        post.settle();
    });
}

#[test]
fn a_newcomer_does_not_get_in_before_one_who_waits_and_is_as_urgent() {
    explore(|| {
        let post = Post::new(plain(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1)) else { panic!("there was no room") };
        let taker = beside(&post, |post| post.take());
        let newcomer = post.offer(Letter::low(2));
        assert_eq!(taker.join().unwrap(), [0]);
        assert_eq!(newcomer, Told::Back, "the place was another's");
        assert_eq!(post.look(place).ok(), Some(Told::In));
        post.settle();
    });
}

#[test]
fn whoever_gives_up_as_it_is_let_in_knows_which_it_was() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1)) else { panic!("there was no room") };
        let sender = beside(&post, move |post| post.give_up(&place));
        assert_eq!(post.take(), [0]);
        let told = sender.join().unwrap();
        assert_eq!(post.take(), if told == Told::In { vec![1] } else { vec![] });
        post.settle();
    });
}

#[test]
fn a_sender_that_gives_up_leaves_its_place_to_the_next_in_line() {
    explore_bounded(|| {
        let post = Post::new(plain(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(leaver) = post.join(Letter::low(1)) else { panic!("there was no room") };
        let Err(stayer) = post.join(Letter::low(2)) else { panic!("there was no room") };
        let giving_up = beside(&post, move |post| post.give_up(&leaver));
        let taking = beside(&post, |post| {
            assert_eq!(post.take(), [0]);
            post.take()
        });
        let gave_up = giving_up.join().unwrap() == Told::Back;
        let second = taking.join().unwrap();
        assert_eq!(second.first(), Some(if gave_up && second != [1] { &2 } else { &1 }));
        assert_eq!(post.wait(stayer), Told::In, "the place of one who left is another's");
        post.settle();
    });
}

/// A sender that leaves while others take and join: the line is swept under it.
#[test]
fn giving_up_beside_joining_and_taking_leaves_nobody_behind() {
    explore_bounded(|| {
        let post = Post::new(plain(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let fickle = beside(&post, |post| match post.join(Letter::low(1)) {
            Ok(told) => told,
            Err(place) => post.give_up(&place),
        });
        let steady = beside(&post, |post| post.tell(Letter::low(2)));
        assert_eq!(post.take(), [0]);
        if fickle.join().unwrap() == Told::In {
            let _one_of_the_two = post.take();
        }
        assert_eq!(steady.join().unwrap(), Told::In);
        post.settle();
    });
}

#[test]
fn closing_reaches_a_sender_that_begins_to_wait() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(1)));
        post.close();
        assert_eq!(sender.join().unwrap(), Told::Back);
        post.settle();
    });
}

#[test]
fn closing_beside_a_take_lets_the_sender_in_or_hands_its_letter_back() {
    explore_bounded(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let sender = beside(&post, |post| post.tell(Letter::low(1)));
        let closer = beside(&post, |post| post.close());
        assert_eq!(post.take(), [0]);
        let _either = sender.join().unwrap();
        closer.join().unwrap();
        post.settle();
    });
}

#[test]
fn giving_up_beside_the_closing_hands_the_letter_back_once() {
    explore(|| {
        let post = Post::new(plain(1), 2);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(place) = post.join(Letter::low(1)) else { panic!("there was no room") };
        let sender = beside(&post, move |post| post.give_up(&place));
        post.close();
        assert_eq!(sender.join().unwrap(), Told::Back);
        post.settle();
    });
}

#[test]
fn the_more_urgent_of_two_who_wait_gets_in_first() {
    explore(|| {
        let post = Post::new(plain(1), 3);
        assert_eq!(post.offer(Letter::low(0)), Told::In);
        let Err(low) = post.join(Letter::low(1)) else { panic!("there was no room") };
        let Err(high) = post.join(Letter::new(2, Priority::High)) else { panic!("there was no room") };
        let taker = beside(&post, |post| (post.take(), post.take()));
        let told = post.wait(high);
        assert_eq!(told, Told::In);
        assert_eq!(taker.join().unwrap(), (vec![0], vec![2]));
        assert_eq!(post.wait(low), Told::In);
        post.settle();
    });
}
