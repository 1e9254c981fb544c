//! Two who want the same message at the same moment: one of them gets it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use super::crew::{Crew, Sleeper, assert_in_order, in_time, mixed};
use super::{TestMessage, an_outsider, plain, subject_key};
use crate::clock::Nanos;
use crate::mailbox::{BatchOptions, MailboxOptions, Offer, Overflow, Taken};
use crate::message::Priority;

fn spin(turns: usize) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

#[test]
fn giving_up_while_being_let_in_leaves_the_message_in_one_place() {
    in_time(|| {
        const EACH: usize = 3_000;
        let crew = &Crew::new(plain(2), 4 * EACH);
        let gave_up = &AtomicUsize::new(0);
        let served = thread::scope(|scope| {
            let serving = scope.spawn(|| crew.serve(0, |taken| taken));
            scope.spawn(|| crew.watch());
            for sender in 0..4 {
                scope.spawn(move || {
                    let (_, waker) = Sleeper::of_this_thread();
                    for message in mixed(sender, EACH) {
                        let Err(ticket) = crew.try_tell(message) else { continue };
                        let _unless_it_is_in = ticket.poll(&waker);
                        spin(message.id % 300);
                        if let Some(back) = crew.mailbox.give_up(message.lane(), &ticket) {
                            assert_eq!(back.message, message);
                            crew.end(message.id);
                            gave_up.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            serving.join().expect("a consumer")
        });
        crew.assert_all_accounted_for();
        assert!(gave_up.load(Ordering::Relaxed) > 0 && !served.is_empty(), "there was no race");
        assert_in_order(&[served], EACH);
    });
}

/// One thread sends, waiting once more than `ahead` of its messages wait for room; another takes. Both run
/// without sleeping, so that a look for a place and a departure meet as often as they can. What was taken.
fn send_ahead(capacity: usize, ahead: usize) -> Vec<usize> {
    const MESSAGES: usize = 40_000;
    let crew = &Crew::new(plain(capacity), MESSAGES);
    let began = Instant::now();
    let go_on = move |looks: &mut u32| {
        *looks += 1;
        if looks.is_multiple_of(1_000) {
            assert!(began.elapsed() < Duration::from_secs(8), "a sender waits at an empty mailbox");
            thread::yield_now();
        }
    };
    let taken = thread::scope(|scope| {
        let taking = scope.spawn(move || {
            let (mut looks, mut taken) = (0, Vec::new());
            while !crew.is_over() {
                match crew.mailbox.take(Nanos(0)) {
                    Taken::One(envelope) => {
                        taken.push(envelope.message.id);
                        crew.end(envelope.message.id);
                    }
                    _ => go_on(&mut looks),
                }
            }
            taken
        });
        let (mut looks, mut waiting) = (0, VecDeque::new());
        for id in 0..MESSAGES {
            waiting.extend(crew.try_tell(TestMessage::new(id, Priority::Low)).err());
            while waiting.len() > ahead {
                while waiting.front().is_some_and(|ticket| ticket.poll(Waker::noop()).is_pending()) {
                    go_on(&mut looks);
                }
                waiting.pop_front();
            }
        }
        taking.join().expect("a consumer")
    });
    crew.assert_all_accounted_for();
    taken
}

#[test]
fn a_place_that_comes_free_just_as_a_sender_begins_to_wait_is_not_missed() {
    in_time(|| assert_eq!(send_ahead(1, 0).len(), 40_000));
}

#[test]
fn a_newcomer_does_not_take_the_place_that_just_came_free_for_one_who_waits() {
    in_time(|| {
        let taken = send_ahead(2, 3);
        let overtaken = taken.windows(2).find(|pair| pair[0] > pair[1]);
        assert_eq!(overtaken, None);
    });
}

#[test]
fn some_giving_up_does_not_keep_the_others_from_coming_in() {
    in_time(|| {
        const EACH: usize = 600;
        let crew = &Crew::new(plain(1), 6 * EACH);
        thread::scope(|scope| {
            scope.spawn(|| crew.serve(0, |taken| taken));
            scope.spawn(|| crew.serve(1, |taken| taken));
            for sender in 0..6 {
                scope.spawn(move || {
                    for message in mixed(sender, EACH) {
                        if sender % 2 == 0 {
                            assert!(crew.tell(message));
                        } else if let Err(ticket) = crew.try_tell(message) {
                            spin(message.id % 100);
                            if crew.mailbox.give_up(message.lane(), &ticket).is_some() {
                                crew.end(message.id);
                            }
                        }
                    }
                });
            }
        });
        crew.assert_all_accounted_for();
    });
}

/// Again and again until the purger, which may get no turn on a busy machine, met something to purge.
fn purge_while_others_take(options: MailboxOptions, senders: usize, consumers: u32, each: usize) {
    let raced = |_| purged_while_others_took(options, senders, consumers, each) > 0;
    assert!((0..200).any(raced), "there was no race");
}

fn purged_while_others_took(options: MailboxOptions, senders: usize, consumers: u32, each: usize) -> usize {
    let crew = &Crew::new(options, senders * each);
    let purged = &AtomicUsize::new(0);
    thread::scope(|scope| {
        for consumer in 0..consumers {
            scope.spawn(move || crew.serve(consumer, |taken| taken));
        }
        for sender in 0..senders {
            scope.spawn(move || mixed(sender, each).for_each(|message| _ = crew.tell(message)));
        }
        scope.spawn(|| {
            while !crew.is_over() {
                for envelope in crew.mailbox.purge(subject_key(1)) {
                    assert_eq!(envelope.message.subject, Some(1));
                    purged.fetch_add(1, Ordering::Relaxed);
                    crew.end(envelope.message.id);
                }
                thread::yield_now();
            }
        });
    });
    crew.assert_all_accounted_for();
    purged.load(Ordering::Relaxed)
}

#[test]
fn a_message_is_either_purged_or_taken() {
    let waiting = MailboxOptions { reserve: 2, ..plain(8) };
    let batch = Some(BatchOptions::up_to(3));
    in_time(move || purge_while_others_take(waiting, 4, 1, 1_000));
    in_time(move || purge_while_others_take(MailboxOptions { batch, ..waiting }, 4, 2, 1_000));
}

#[test]
fn a_message_is_shed_or_purged_or_taken() {
    let shedding = MailboxOptions { overflow: Overflow::ShedLeastUrgent, ..plain(8) };
    in_time(move || purge_while_others_take(shedding, 4, 2, 2_000));
}

#[test]
fn what_is_given_back_is_served_in_the_end_and_once() {
    let options = |overflow, batch| MailboxOptions { overflow, batch, bypass: Some(4), ..plain(8) };
    let run = |options: MailboxOptions| {
        const EACH: usize = 1_000;
        let crew = &Crew::new(options, 4 * EACH);
        thread::scope(|scope| {
            for consumer in 0..3 {
                let mut turn = consumer as usize;
                // Every third turn is given back, every fifth in part.
                let keeps = move |taken: usize| {
                    turn += 1;
                    if turn.is_multiple_of(3) {
                        0
                    } else if turn.is_multiple_of(5) {
                        1
                    } else {
                        taken
                    }
                };
                scope.spawn(move || crew.serve(consumer, keeps));
            }
            scope.spawn(|| crew.watch());
            for sender in 0..4 {
                scope.spawn(move || mixed(sender, EACH).for_each(|message| _ = crew.tell(message)));
            }
        });
        crew.assert_all_accounted_for();
    };
    in_time(move || run(options(Overflow::Wait, None)));
    in_time(move || run(options(Overflow::ShedLeastUrgent, Some(BatchOptions::up_to(4)))));
}

#[test]
fn a_critical_message_is_the_next_to_be_taken_from_the_moment_it_is_accepted() {
    in_time(|| {
        const EACH: usize = 4_000;
        let crew = &Crew::new(MailboxOptions { bypass: Some(2), ..plain(64) }, 3 * EACH);
        let over = &AtomicBool::new(false);
        thread::scope(|scope| {
            for sender in 1..3 {
                scope.spawn(move || {
                    for message in mixed(sender, EACH) {
                        // Nothing as urgent as what the consumer sends itself.
                        let priority = message.priority.at_most(Priority::High);
                        assert!(crew.tell(TestMessage { priority, ..message }));
                    }
                });
            }
            scope.spawn(|| {
                let mut sent = 0;
                while !crew.is_over() {
                    let critical = TestMessage::new(sent, Priority::Critical).at(0);
                    if sent < EACH
                        && matches!(crew.mailbox.offer(critical, an_outsider), Offer::Accepted(None))
                    {
                        let Taken::One(next) = crew.mailbox.take(crew.now()) else { panic!("nothing") };
                        assert_eq!(next.message.id, sent, "before what is critical");
                        crew.end(sent);
                        sent += 1;
                    }
                    if let Taken::One(envelope) = crew.mailbox.take(crew.now()) {
                        crew.end(envelope.message.id);
                    }
                }
                over.store(true, Ordering::SeqCst);
            });
        });
        assert!(over.load(Ordering::SeqCst));
        crew.assert_all_accounted_for();
    });
}
