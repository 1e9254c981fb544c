//! Real threads at one mailbox: nothing lost, nobody left asleep, everything in order, within bounds.

use std::thread;
use std::time::Duration;

use super::crew::{Crew, Served, assert_in_order, in_time, mixed};
use super::plain;
use crate::mailbox::{BatchOptions, Gate, MailboxOptions, Overflow};

fn bounded(overflow: Overflow) -> MailboxOptions {
    MailboxOptions { overflow, reserve: 3, bypass: Some(5), ..plain(16) }
}

/// Runs senders and consumers until every message has met its end; what each consumer got.
fn run(options: MailboxOptions, senders: usize, consumers: u32, each: usize) -> Vec<Vec<Served>> {
    let crew = Crew::new(options, senders * each);
    let crew = &crew;
    let served = thread::scope(|scope| {
        let serving: Vec<_> =
            (0..consumers).map(|consumer| scope.spawn(move || crew.serve(consumer, |taken| taken))).collect();
        scope.spawn(|| crew.watch());
        for sender in 0..senders {
            scope.spawn(move || mixed(sender, each).for_each(|message| _ = crew.tell(message)));
        }
        serving.into_iter().map(|serving| serving.join().expect("a consumer")).collect()
    });
    crew.assert_all_accounted_for();
    served
}

fn total(served: &[Vec<Served>]) -> usize {
    served.iter().map(Vec::len).sum()
}

#[test]
fn eight_waiting_senders_and_one_consumer_lose_nothing_and_all_complete() {
    in_time(|| {
        let served = run(bounded(Overflow::Wait), 8, 1, 800);
        assert_eq!(total(&served), 8 * 800);
        assert_in_order(&served, 800);
    });
}

#[test]
fn four_waiting_senders_and_three_consumers_lose_nothing_and_all_complete() {
    in_time(|| {
        let served = run(bounded(Overflow::Wait), 4, 3, 1_000);
        assert_eq!(total(&served), 4 * 1_000);
        assert_in_order(&served, 1_000);
    });
}

#[test]
fn a_mailbox_of_one_place_moves_every_message_of_every_sender() {
    in_time(|| {
        let served = run(plain(1), 4, 2, 400);
        assert_eq!(total(&served), 4 * 400);
        assert_in_order(&served, 400);
    });
}

#[test]
fn refused_messages_come_back_and_the_others_are_served_in_order() {
    in_time(|| assert_in_order(&run(bounded(Overflow::Reject), 8, 1, 2_000), 2_000));
    in_time(|| assert_in_order(&run(bounded(Overflow::Reject), 4, 3, 2_000), 2_000));
}

#[test]
fn shedding_beside_taking_accounts_for_every_message() {
    in_time(|| assert_in_order(&run(bounded(Overflow::ShedLeastUrgent), 8, 1, 2_000), 2_000));
    in_time(|| assert_in_order(&run(bounded(Overflow::ShedLeastUrgent), 4, 3, 2_000), 2_000));
}

#[test]
fn batches_keep_the_order_of_their_key_between_threads() {
    in_time(|| {
        let batch = Some(BatchOptions::up_to(4));
        let served = run(MailboxOptions { batch, ..bounded(Overflow::Wait) }, 8, 1, 500);
        assert_eq!(total(&served), 8 * 500);
        assert_in_order(&served, 500);
    });
}

#[test]
fn lingering_batches_reach_a_consumer_that_only_sleeps_until_they_are_ripe() {
    in_time(|| {
        let batch = Some(BatchOptions::up_to(4).linger(Duration::from_micros(200)));
        let served = run(MailboxOptions { batch, ..bounded(Overflow::Wait) }, 4, 1, 200);
        assert_eq!(total(&served), 4 * 200);
        assert_in_order(&served, 200);
    });
}

#[test]
fn lingering_batches_shed_and_served_by_several_are_accounted_for() {
    in_time(|| {
        let batch = Some(BatchOptions::up_to(4).linger(Duration::from_micros(200)));
        run(MailboxOptions { batch, ..bounded(Overflow::ShedLeastUrgent) }, 4, 3, 1_000);
    });
}

#[test]
fn closing_amid_the_crowd_leaves_no_sender_waiting_and_no_message_unaccounted() {
    in_time(|| {
        for round in 0..20_u64 {
            let crew = &Crew::new(plain(3), 6 * 50);
            thread::scope(|scope| {
                scope.spawn(|| crew.serve(0, |taken| taken));
                for sender in 0..6 {
                    scope.spawn(move || mixed(sender, 50).for_each(|message| _ = crew.tell(message)));
                }
                scope.spawn(move || {
                    thread::sleep(Duration::from_micros(100 * round));
                    crew.mailbox.set_gate(Gate::Closed);
                    for envelope in crew.mailbox.drain() {
                        crew.end(envelope.message.id);
                    }
                });
            });
            crew.assert_all_accounted_for();
        }
    });
}
