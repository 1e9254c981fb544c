//! Senders of every temper around a mailbox that is always too small, and consumers that come and go.

use shuttle::rand::{Rng, thread_rng};

use super::explore;
use crate::adapter::{Post, Told, plain};
use crate::letter::Letter;
use crate::mailbox::{BatchOptions, MailboxOptions, Overflow};
use crate::message::Priority;
use crate::primitives::{Arc, thread};

/// Letters of each sender.
const EACH: usize = 8;
const SENDERS: usize = 3;
const LETTERS: usize = SENDERS * EACH;

fn letter(id: usize) -> Letter {
    let mut random = thread_rng();
    let letter = Letter::new(id, Priority::ALL[random.gen_range(0..4)]).about(random.gen_range(0..3));
    if random.gen_bool(0.3) { letter.batched(random.gen_range(0..2)) } else { letter }
}

/// Ends letters and, once all have ended, wakes whoever serves.
#[derive(Clone)]
struct Company {
    post: Arc<Post>,
    consumers: u32,
}

impl Company {
    fn new(options: MailboxOptions, consumers: u32) -> Self {
        // A restless one may come to the consumers.
        Self { post: Post::served_by(consumers + 1, options, LETTERS), consumers }
    }

    fn spawn(&self, run: impl FnOnce(&Self) + Send + 'static) -> thread::JoinHandle<()> {
        let company = self.clone();
        thread::spawn(move || run(&company))
    }

    fn is_over(&self) -> bool {
        self.post.ended() == LETTERS
    }

    /// A sender that waits, does not wait, or waits and loses patience, as it likes.
    fn send_all(&self, sender: usize) {
        for id in sender * EACH..(sender + 1) * EACH {
            match thread_rng().gen_range(0..4) {
                0 => _ = self.post.offer(letter(id)),
                1 => match self.post.join(letter(id)) {
                    Ok(_) => {}
                    Err(place) => {
                        thread::yield_now();
                        if let Err(place) = self.post.look(place) {
                            self.post.give_up(&place);
                        }
                    }
                },
                _ => _ = self.post.tell(letter(id)),
            }
            self.post.assert_within_bounds();
            self.rouse();
        }
    }

    /// A letter that came back, or was shed, may have been the last that the consumers waited for.
    fn rouse(&self) {
        if self.is_over() {
            self.post.rouse();
        }
    }

    fn serve(&self, consumer: u32) {
        self.post.serve(consumer, || self.is_over());
        self.rouse();
    }

    fn run(options: MailboxOptions, consumers: u32, meddle: impl FnOnce(&Self) + Send + 'static) {
        let company = Self::new(options, consumers);
        let mut threads: Vec<_> =
            (0..SENDERS).map(|sender| company.spawn(move |company| company.send_all(sender))).collect();
        threads.extend(
            (0..company.consumers).map(|consumer| company.spawn(move |company| company.serve(consumer))),
        );
        threads.push(company.spawn(meddle));
        for thread in threads {
            thread.join().unwrap();
        }
        company.post.settle();
    }
}

fn small(overflow: Overflow) -> MailboxOptions {
    MailboxOptions { overflow, reserve: 1, bypass: Some(2), ..plain(3) }
}

fn batching(overflow: Overflow) -> MailboxOptions {
    MailboxOptions { batch: Some(BatchOptions::up_to(2)), ..small(overflow) }
}

fn nobody(_: &Company) {}

fn purger(company: &Company) {
    while !company.is_over() {
        company.post.purge(1);
        company.rouse();
        thread::yield_now();
    }
}

/// Takes and gives back, sleeps and is woken for other reasons, leaves and comes again.
fn restless(company: &Company) {
    const ME: u32 = 9;
    for _ in 0..6 {
        match thread_rng().gen_range(0..4) {
            0 => _ = company.post.take_and_give_back(),
            1 => {
                company.post.take_or_doze(ME);
                company.post.get_up(ME);
            }
            2 => {
                company.post.take_or_doze(ME);
                company.post.leave(ME);
            }
            _ => _ = company.post.take(),
        }
        company.rouse();
    }
    company.post.leave(ME);
}

/// Closes in the midst of it, and empties what is left.
fn closer(company: &Company) {
    for _ in 0..thread_rng().gen_range(0..20) {
        thread::yield_now();
    }
    company.post.close();
    company.post.drain();
    company.rouse();
}

#[test]
fn a_crowd_that_waits_loses_nothing() {
    explore(|| Company::run(small(Overflow::Wait), 1, nobody));
}

#[test]
fn a_crowd_at_one_place_served_by_two_loses_nothing() {
    explore(|| Company::run(plain(1), 2, nobody));
}

#[test]
fn a_crowd_loses_nothing_beside_a_purger() {
    explore(|| Company::run(small(Overflow::Wait), 1, purger));
}

#[test]
fn a_crowd_loses_nothing_beside_a_restless_consumer() {
    explore(|| Company::run(small(Overflow::Wait), 2, restless));
}

#[test]
fn a_crowd_is_told_of_the_closing() {
    explore(|| Company::run(small(Overflow::Wait), 1, closer));
}

#[test]
fn batches_are_lost_by_nobody() {
    explore(|| Company::run(batching(Overflow::Wait), 2, purger));
}

#[test]
fn shedding_ends_each_letter_once() {
    explore(|| Company::run(small(Overflow::ShedLeastUrgent), 1, purger));
}

#[test]
fn shedding_beside_a_restless_consumer_ends_each_letter_once() {
    explore(|| Company::run(batching(Overflow::ShedLeastUrgent), 2, restless));
}

/// What one sender sends without waiting and one consumer takes keeps its order, whatever the others do.
#[test]
fn the_order_of_one_sender_holds_in_the_crowd() {
    explore(|| {
        let company = Company::new(plain(2), 1);
        let post = &company.post;
        let others: Vec<_> = (1..SENDERS)
            .map(|sender| {
                company.spawn(move |company| {
                    for id in sender * EACH..(sender + 1) * EACH {
                        assert_eq!(company.post.tell(Letter::new(id, Priority::ALL[id % 4])), Told::In);
                    }
                })
            })
            .collect();
        let mine = company.spawn(|company| {
            for id in 0..EACH {
                assert_eq!(company.post.tell(Letter::low(id)), Told::In);
            }
        });
        let taken = post.next_all(0, LETTERS);
        let mine_taken: Vec<_> = taken.into_iter().filter(|id| *id < EACH).collect();
        assert_eq!(mine_taken, (0..EACH).collect::<Vec<_>>());
        for thread in others.into_iter().chain([mine]) {
            thread.join().unwrap();
        }
        post.settle();
    });
}
