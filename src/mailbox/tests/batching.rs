//! Batches: what they hold, when they are handed over, and what is left of them.

use proptest::prelude::*;

use super::driver::{Driver, Event, Mix, batching};
use super::{Mailbox, MailboxOptions, TestMessage, batches, cases, ids, plain, put, take, take_ids};
use crate::clock::Nanos;
use crate::mailbox::{Offer, Overflow, Taken};
use crate::message::Priority;

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_batch_is_of_one_lane_and_one_key_and_never_too_large(
        options in batching(0..20),
        ops in Mix::ALL.ops(80),
    ) {
        let driver = Driver::played(options, &ops, |_| {});
        let most = options.batch.map_or(1, |batch| batch.max_messages);
        for event in &driver.log {
            let Event::Taken { ids, batch } = event else { continue };
            prop_assert!(*batch || ids.len() == 1);
            prop_assert!((1..=most).contains(&ids.len()), "{} of {}", ids.len(), most);
            let first = driver.sent[ids[0]];
            for id in ids {
                let message = driver.sent[*id];
                prop_assert_eq!((message.lane(), message.batch), (first.lane(), first.batch));
                prop_assert!(!batch || message.batch.is_some());
            }
        }
    }

    #[test]
    fn a_batch_is_handed_over_when_full_or_ripe_and_not_before_nor_after(
        options in batching(1..20),
        ops in Mix { batches: true, ..Mix::PLAIN }.ops(120),
    ) {
        // Nothing is shed here, so a batch that was full is still full when it is taken.
        let options = MailboxOptions { overflow: Overflow::Reject, ..options };
        let batch = options.batch.expect("gathers");
        let linger = batch.linger.as_nanos() as u64;
        let (mut seen, mut came_at, mut queued) = (0, Vec::new(), Vec::new());
        Driver::played(options, &ops, |driver| {
            came_at.resize(driver.sent.len(), driver.now);
            for event in &driver.log[std::mem::replace(&mut seen, driver.log.len())..] {
                match event {
                    Event::Accepted { message, .. } => queued.push(message.id),
                    Event::Taken { ids, batch: gathered } => {
                        queued.retain(|id| !ids.contains(id));
                        let ripe = came_at[ids[0]] + linger <= driver.now;
                        let full = ids.len() == batch.max_messages;
                        assert!(!gathered || full || ripe, "{} of a batch, too early", ids.len());
                    }
                    Event::Nothing { ripe_at } => {
                        let first = queued.iter().map(|id| came_at[*id] + linger).min();
                        assert_eq!(*ripe_at, first);
                        assert!(first.is_none_or(|ripe| ripe > driver.now), "ripe and not handed over");
                    }
                    _ => {}
                }
            }
        });
    }
}

fn keyed(id: usize, priority: Priority, batch: u8) -> TestMessage {
    TestMessage::new(id, priority).batched(batch)
}

#[test]
fn messages_of_a_key_wait_for_company_until_the_linger_is_over() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(10, 50), ..plain(100) });
    put(&mailbox, keyed(0, Priority::Normal, 1), 100);
    put(&mailbox, TestMessage::new(1, Priority::Low), 100);
    assert_eq!(take_ids(&mailbox, 100), [1]);
    put(&mailbox, keyed(2, Priority::Normal, 1), 120);
    assert!(matches!(mailbox.take(Nanos(149)), Taken::Nothing { ripe_at: Some(Nanos(150)) }));
    assert_eq!(take_ids(&mailbox, 150), [0, 2]);
    assert!(matches!(mailbox.take(Nanos(151)), Taken::Nothing { ripe_at: None }));
}

#[test]
fn a_full_batch_does_not_linger_and_the_next_one_starts_over() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(2, 50), ..plain(100) });
    for id in 0..3 {
        put(&mailbox, keyed(id, Priority::Low, 1), 0);
    }
    assert_eq!(take_ids(&mailbox, 0), [0, 1]);
    assert!(take_ids(&mailbox, 0).is_empty());
    assert_eq!(take_ids(&mailbox, 50), [2]);
}

#[test]
fn without_batches_a_batch_key_means_nothing() {
    let mailbox = Mailbox::new(plain(100));
    put(&mailbox, keyed(0, Priority::Low, 1), 0);
    put(&mailbox, keyed(1, Priority::Low, 1), 0);
    assert!(matches!(mailbox.take(Nanos(0)), Taken::One(_)));
    assert!(matches!(mailbox.take(Nanos(0)), Taken::One(_)));
}

#[test]
fn what_is_more_urgent_comes_before_the_rest_of_a_batch_already_taken() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(4, 0), ..plain(100) });
    for id in 0..4 {
        put(&mailbox, keyed(id, Priority::Low, 1), 0);
    }
    put(&mailbox, keyed(4, Priority::Low, 1), 0);
    let mut batch = take(&mailbox, 0);
    assert_eq!(ids(&batch), [0, 1, 2, 3]);
    assert!(!mailbox.holds_more_urgent_than(Priority::Low));
    put(&mailbox, TestMessage::new(5, Priority::Critical), 0);
    assert!(mailbox.holds_more_urgent_than(Priority::Low));
    assert!(!mailbox.holds_more_urgent_than(Priority::Critical));
    mailbox.give_back(batch.split_off(1));
    let order: Vec<_> = std::iter::repeat_with(|| take_ids(&mailbox, 0)).take(6).flatten().collect();
    assert_eq!(order, [5, 1, 2, 3, 4]);
}

// A fault that was: the linger begins when the agent first looks, not when the message came.
#[test]
fn the_linger_counts_from_when_the_message_came_also_at_a_busy_agent() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(10, 50), ..plain(100) });
    put(&mailbox, keyed(0, Priority::Normal, 1), 0);
    // The agent was in a handler until now; this is its next take after the batch is ripe.
    assert_eq!(take_ids(&mailbox, 80), [0]);
}

// A fault that was: a newcomer's time of sending, which may be long ago, passes for the present.
#[test]
fn a_newcomer_sent_long_ago_does_not_cut_the_linger_of_others_short() {
    let mailbox = Mailbox::new(MailboxOptions {
        overflow: Overflow::ShedLeastUrgent,
        batch: batches(10, 50),
        ..plain(2)
    });
    put(&mailbox, keyed(0, Priority::Low, 1), 1_000);
    put(&mailbox, TestMessage::new(1, Priority::Low), 1_000);
    let late = TestMessage::new(2, Priority::Critical).at(0);
    let Offer::Accepted(Some(shed)) = mailbox.offer(late, super::an_outsider) else {
        panic!("the newest Low should have made room")
    };
    assert_eq!(shed.message.id, 1);
    assert_eq!(take_ids(&mailbox, 1_000), [2]);
    assert!(take_ids(&mailbox, 1_000).is_empty(), "handed over 50 ns before it is ripe");
    assert_eq!(take_ids(&mailbox, 1_050), [0]);
}

// A fault that was: what is given back is served after batches that became ready earlier than it came.
#[test]
fn the_rest_of_a_batch_comes_before_younger_batches_and_single_messages_keep_their_turn() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(4, 0), ..plain(100) });
    put(&mailbox, keyed(0, Priority::Low, 1), 0);
    put(&mailbox, TestMessage::new(1, Priority::Low), 0);
    put(&mailbox, keyed(2, Priority::Low, 2), 0);
    put(&mailbox, keyed(3, Priority::Low, 1), 0);
    let mut batch = take(&mailbox, 0);
    assert_eq!(ids(&batch), [0, 3]);
    mailbox.give_back(batch.split_off(1));
    let order: Vec<_> = std::iter::repeat_with(|| take_ids(&mailbox, 0)).take(4).flatten().collect();
    assert_eq!(order, [3, 1, 2]);
}

// A fault that was: a lingering batch counts as waiting, though no take would hand it over.
#[test]
fn only_what_a_take_would_hand_over_counts_as_more_urgent() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(10, 50), ..plain(100) });
    put(&mailbox, keyed(0, Priority::High, 1), 0);
    put(&mailbox, TestMessage::new(1, Priority::Low), 0);
    let taken = take(&mailbox, 0);
    assert_eq!(ids(&taken), [1]);
    let interrupted = mailbox.holds_more_urgent_than(Priority::Low);
    mailbox.give_back(taken);
    let next = take_ids(&mailbox, 0);
    assert!(!interrupted || next == [0], "told to make way, but for nothing: {next:?} came next");
}

/// What a mailbox keeps, as it shows it: grows with every entry of every list inside.
fn size_of_the_books(mailbox: &Mailbox<TestMessage>) -> usize {
    format!("{mailbox:?}").len()
}

// A fault that was: an evicted batch leaves its entry in the list of ready batches.
#[test]
fn batches_that_were_shed_leave_nothing_behind() {
    let mailbox = Mailbox::new(MailboxOptions {
        overflow: Overflow::ShedLeastUrgent,
        batch: batches(4, 0),
        ..plain(2)
    });
    put(&mailbox, keyed(0, Priority::Low, 0), 0);
    let mut most = 0;
    for round in 0..1_000 {
        put(&mailbox, keyed(1, Priority::Low, 1), 0);
        let urgent = TestMessage::new(2, Priority::Critical).at(0);
        assert!(matches!(mailbox.offer(urgent, super::an_outsider), Offer::Accepted(Some(_))));
        assert_eq!(take_ids(&mailbox, 0), [2]);
        if round == 10 {
            most = 2 * size_of_the_books(&mailbox);
        }
    }
    assert!(size_of_the_books(&mailbox) <= most, "{} of {most}", size_of_the_books(&mailbox));
}

// A fault that was: a batch that was full before it was ripe stays in the list of lingering ones.
#[test]
fn batches_that_were_full_before_they_were_ripe_leave_nothing_behind() {
    let mailbox = Mailbox::new(MailboxOptions { batch: batches(2, 1_000), ..plain(4) });
    put(&mailbox, keyed(0, Priority::Low, 0), 0);
    assert!(take_ids(&mailbox, 0).is_empty());
    let mut most = 0;
    for round in 0..1_000 {
        put(&mailbox, keyed(1, Priority::Low, 1), 0);
        put(&mailbox, keyed(2, Priority::Low, 1), 0);
        assert_eq!(take_ids(&mailbox, 0), [1, 2]);
        if round == 10 {
            most = 2 * size_of_the_books(&mailbox);
        }
    }
    assert!(size_of_the_books(&mailbox) <= most, "{} of {most}", size_of_the_books(&mailbox));
}
