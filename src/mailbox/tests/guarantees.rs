//! One property for each promise, measured on what went in and what came out.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::driver::{Driver, Event, Mix, any_policy, batching, small};
use super::{Mailbox, MailboxOptions, TestMessage, cases, ids, plain, put, take, take_ids};
use crate::clock::Nanos;
use crate::mailbox::{Gate, Offer, Overflow, Reason};
use crate::message::{Asker, Envelope, Key, Message, Priority, Terms, Until};
use crate::sync::Arc;

/// How often each message met its end: handed back, shed, removed, or taken for good.
fn ends(log: &[Event]) -> HashMap<usize, usize> {
    let mut ends = HashMap::new();
    let mut end = |id: usize| *ends.entry(id).or_insert(0) += 1;
    let mut held: Vec<usize> = Vec::new();
    for event in log {
        match event {
            Event::Accepted { shed: Some(id), .. } | Event::TurnedAway(id) | Event::LeftTheLine(id) => {
                end(*id)
            }
            Event::Full { message, .. } | Event::Closed { message, .. } => end(message.id),
            Event::Purged { ids, .. } | Event::Drained(ids) => ids.iter().for_each(|id| end(*id)),
            Event::Taken { ids, .. } => {
                held.drain(..).for_each(&mut end);
                held.clone_from(ids);
            }
            Event::GaveBack(back) => held.retain(|id| !back.contains(id)),
            _ => {}
        }
    }
    held.into_iter().for_each(end);
    ends
}

/// The order in which messages were accepted, and that in which they were taken for good.
fn in_and_out(log: &[Event]) -> (Vec<usize>, Vec<usize>) {
    let (mut accepted, mut taken) = (Vec::new(), Vec::new());
    for event in log {
        match event {
            Event::Accepted { message, .. } => accepted.push(message.id),
            Event::Admitted(id) => accepted.push(*id),
            Event::Taken { ids, .. } => taken.extend(ids),
            Event::GaveBack(back) => taken.retain(|id| !back.contains(id)),
            _ => {}
        }
    }
    (accepted, taken)
}

fn assert_same_order(sent: &[TestMessage], log: &[Event], same: impl Fn(&TestMessage) -> bool) {
    let (mut accepted, mut taken) = in_and_out(log);
    let out: HashSet<_> = taken.iter().copied().collect();
    accepted.retain(|id| out.contains(id) && same(&sent[*id]));
    taken.retain(|id| same(&sent[*id]));
    assert_eq!(taken, accepted);
}

/// Replays a log and asks `check` of every turn: what was queued in each lane, and which lane was served.
/// For mailboxes without linger and without messages given back: what is queued is ready.
fn each_turn(sent: &[TestMessage], log: &[Event], mut check: impl FnMut([usize; 4], usize)) {
    let mut queued = [0; Priority::COUNT];
    for event in log {
        match event {
            Event::Accepted { message, shed } => {
                queued[message.lane()] += 1;
                shed.iter().for_each(|id| queued[sent[*id].lane()] -= 1);
            }
            Event::Admitted(id) => queued[sent[*id].lane()] += 1,
            Event::Purged { ids, .. } | Event::Drained(ids) => {
                ids.iter().for_each(|id| queued[sent[*id].lane()] -= 1);
            }
            Event::Taken { ids, .. } => {
                let lane = sent[ids[0]].lane();
                check(queued, lane);
                queued[lane] -= ids.len();
            }
            _ => {}
        }
    }
}

fn with_or_without_batches() -> impl Strategy<Value = MailboxOptions> {
    prop_oneof![any_policy(), batching(0..20)]
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn every_message_meets_exactly_one_end(
        options in with_or_without_batches(),
        ops in Mix::ALL.ops(80),
    ) {
        let mut driver = Driver::played(options, &ops, |_| {});
        driver.finish();
        let ends = ends(&driver.log);
        for message in &driver.sent {
            prop_assert_eq!(ends.get(&message.id), Some(&1), "{:?}", message);
        }
        prop_assert_eq!(ends.len(), driver.sent.len());
        prop_assert_eq!(driver.mailbox.depth(), [0; 4]);
    }

    #[test]
    fn inside_a_lane_messages_are_taken_in_the_order_they_were_accepted(
        options in any_policy(),
        ops in Mix { batches: false, ..Mix::ALL }.ops(80),
    ) {
        let driver = Driver::played(options, &ops, |_| {});
        for lane in 0..Priority::COUNT {
            assert_same_order(&driver.sent, &driver.log, |message| message.lane() == lane);
        }
    }

    #[test]
    fn inside_a_batch_key_messages_are_taken_in_the_order_they_were_accepted(
        options in batching(0..20),
        ops in Mix::ALL.ops(80),
    ) {
        let driver = Driver::played(options, &ops, |_| {});
        for lane in 0..Priority::COUNT {
            for key in [None, Some(0), Some(1), Some(2)] {
                let same = |message: &TestMessage| message.lane() == lane && message.batch == key;
                assert_same_order(&driver.sent, &driver.log, same);
            }
        }
    }

    #[test]
    fn no_policy_ever_queues_more_than_the_capacity_nor_bulk_in_the_reserve(
        options in with_or_without_batches(),
        ops in Mix::ALL.ops(80),
    ) {
        Driver::played(options, &ops, |driver| {
            let depth = driver.mailbox.depth();
            let bulk = depth[Priority::Normal.lane()] + depth[Priority::Low.lane()];
            assert!(depth.iter().sum::<u64>() <= options.capacity as u64, "{depth:?}");
            assert!(bulk <= (options.capacity - options.reserve) as u64, "{depth:?}");
        });
    }

    #[test]
    fn critical_is_always_taken_first(
        options in prop_oneof![any_policy(), batching(0..1)],
        ops in Mix { give_back: false, ..Mix::ALL }.ops(80),
    ) {
        let driver = Driver::played(options, &ops, |_| {});
        each_turn(&driver.sent, &driver.log, |queued, lane| {
            assert!(lane == 0 || queued[0] == 0, "lane {lane} with {queued:?}");
        });
    }

    #[test]
    fn normal_and_low_are_passed_over_for_at_most_so_many_turns(
        options in prop_oneof![any_policy(), batching(0..1)],
        capacity in 20..60_usize,
        ops in Mix { batches: true, ..Mix::PLAIN }.ops(200),
    ) {
        let options = MailboxOptions { capacity, ..options };
        let driver = Driver::played(options, &ops, |_| {});
        let mut passed_over = [0; Priority::COUNT];
        each_turn(&driver.sent, &driver.log, |queued, lane| {
            let Some(bypass) = options.bypass else {
                let most_urgent = queued.iter().position(|count| *count > 0);
                assert_eq!(Some(lane), most_urgent, "strictly by priority: {queued:?}");
                return;
            };
            passed_over[lane] = 0;
            for other in [Priority::Normal.lane(), Priority::Low.lane()] {
                if lane != 0 && other != lane {
                    passed_over[other] = if queued[other] > 0 { passed_over[other] + 1 } else { 0 };
                    assert!(passed_over[other] <= bypass, "lane {other}: {passed_over:?}");
                }
            }
        });
    }

    #[test]
    fn what_is_shed_is_the_newest_of_the_least_urgent_and_never_more_urgent_than_the_newcomer(
        options in small(Overflow::ShedLeastUrgent),
        ops in Mix { batches: true, give_back: true, removal: true, ..Mix::PLAIN }.ops(120),
        batch in prop::option::of(1..4_usize),
    ) {
        let batch = batch.and_then(|most| super::batches(most, 0));
        let driver = Driver::played(MailboxOptions { batch, ..options }, &ops, |_| {});
        // What could be shed, in the order in which it came; what was given back is spared.
        let mut queued: Vec<TestMessage> = Vec::new();
        for event in &driver.log {
            let less_urgent = |newcomer: &TestMessage| {
                let least = queued.iter().map(TestMessage::lane).max();
                least.filter(|lane| *lane > newcomer.lane())
            };
            match event {
                Event::Accepted { message, shed } => {
                    if let Some(id) = shed {
                        let lane = less_urgent(message).expect("nothing less urgent was queued");
                        let newest = queued.iter().rfind(|other| other.lane() == lane);
                        prop_assert_eq!(Some(*id), newest.map(|other| other.id));
                        queued.retain(|other| other.id != *id);
                    }
                    queued.push(*message);
                }
                Event::Full { message, .. } => prop_assert_eq!(less_urgent(message), None),
                Event::Taken { ids, .. } | Event::Purged { ids, .. } | Event::Drained(ids) => {
                    queued.retain(|other| !ids.contains(&other.id));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn bulk_never_fills_the_share_of_the_urgent() {
    let mailbox: Mailbox<_> =
        Mailbox::new(MailboxOptions { reserve: 2, overflow: Overflow::Reject, ..plain(5) });
    let offer = |priority, id| mailbox.offer(TestMessage::new(id, priority).at(0), super::an_outsider);
    for id in 0..3 {
        assert!(matches!(offer(Priority::Low, id), Offer::Accepted(None)));
    }
    assert!(matches!(offer(Priority::Low, 3), Offer::Full(_)));
    assert!(matches!(offer(Priority::Normal, 4), Offer::Full(_)));
    assert!(matches!(offer(Priority::High, 5), Offer::Accepted(None)));
    assert!(matches!(offer(Priority::Critical, 6), Offer::Accepted(None)));
    assert!(matches!(offer(Priority::Critical, 7), Offer::Full(_)));
}

#[test]
fn messages_given_back_are_first_in_their_lane_and_use_no_place() {
    let mailbox = Mailbox::new(plain(2));
    put(&mailbox, TestMessage::new(0, Priority::Normal), 0);
    put(&mailbox, TestMessage::new(1, Priority::Normal), 0);
    let taken = [take(&mailbox, 0), take(&mailbox, 0)].into_iter().flatten().collect();
    put(&mailbox, TestMessage::new(2, Priority::Normal), 0);
    put(&mailbox, TestMessage::new(3, Priority::High), 0);
    mailbox.give_back(taken);
    assert_eq!(mailbox.depth(), [0, 1, 1, 0]);
    let order: Vec<_> = std::iter::repeat_with(|| take_ids(&mailbox, 0)).take(5).collect();
    assert_eq!(order, [vec![3], vec![0], vec![1], vec![2], vec![]]);
    assert_eq!(mailbox.depth(), [0; 4]);
}

#[test]
fn a_purge_takes_its_subject_from_every_lane_and_nothing_else() {
    let mailbox = Mailbox::new(MailboxOptions { batch: super::batches(3, 10), ..plain(100) });
    for id in 0..24 {
        let message = TestMessage::new(id, Priority::ALL[id % 4]).about((id % 3) as u8);
        let message = if id % 2 == 0 { message.batched((id % 5) as u8) } else { message };
        put(&mailbox, message, 0);
        if id == 12 {
            mailbox.give_back(take(&mailbox, 0));
        }
    }
    let mut purged = ids(&mailbox.purge(super::subject_key(1)));
    purged.sort_unstable();
    assert_eq!(purged, (0..24).filter(|id| id % 3 == 1).collect::<Vec<_>>());
    assert_eq!(mailbox.purge(super::subject_key(1)).len(), 0);
    assert_eq!(mailbox.drain().len(), 16);
}

#[test]
fn a_closed_gate_admits_nobody_and_stays_closed() {
    let mailbox: Mailbox<_> = Mailbox::new(plain(10));
    let offer = |who| mailbox.offer(TestMessage::new(0, Priority::Critical).at(0), who);
    mailbox.set_gate(Gate::AgentsOnly);
    assert!(matches!(offer(super::an_outsider), Offer::Closed(_)));
    assert!(matches!(offer(super::an_agent), Offer::Accepted(None)));
    mailbox.set_gate(Gate::Closed);
    assert!(matches!(offer(super::an_agent), Offer::Closed(_)));
    mailbox.set_gate(Gate::Open);
    assert!(mailbox.is_closed());
    assert!(matches!(offer(super::an_agent), Offer::Closed(_)));
    // What was accepted before is still served.
    assert_eq!(take_ids(&mailbox, 0), [0]);
}

struct TestTerms {
    is_gone: bool,
    deadline: Option<Nanos>,
}

impl Terms for TestTerms {
    fn deadline(&self) -> Option<Nanos> {
        self.deadline
    }
    fn asker(&self) -> Option<&dyn Asker> {
        Some(self)
    }
}

impl Asker for TestTerms {
    fn is_gone(&self) -> bool {
        self.is_gone
    }
    fn fail(&self, _: Reason) {}
}

#[test]
fn a_message_lapses_after_its_deadline_or_when_its_asker_is_gone() {
    let mut envelope = TestMessage::new(0, Priority::High).at(0);
    assert_eq!(envelope.lapse(Nanos(u64::MAX)), None);
    envelope.terms = Some(Arc::new(Until(Nanos(100))));
    assert_eq!(envelope.lapse(Nanos(100)), None);
    assert_eq!(envelope.lapse(Nanos(101)), Some(Reason::Expired));
    let terms = |is_gone, deadline| Some(Arc::new(TestTerms { is_gone, deadline }) as Arc<dyn Terms>);
    envelope.terms = terms(false, Some(Nanos(100)));
    assert_eq!(envelope.lapse(Nanos(100)), None);
    assert_eq!(envelope.lapse(Nanos(101)), Some(Reason::Expired));
    envelope.terms = terms(true, None);
    assert_eq!(envelope.lapse(Nanos(0)), Some(Reason::Cancelled));
}

/// Cannot say whom it is about, or says so only when asked for the first time.
struct Moody {
    asked: std::cell::Cell<bool>,
    panics: bool,
}

impl Message for Moody {
    fn key(&self) -> Option<Key> {
        assert!(!self.panics, "no key");
        (!self.asked.replace(true)).then(|| super::subject_key(1))
    }
}

/// How many of so many messages are either purged or still there.
fn accounted_for_by_a_purge(messages: usize, panics: bool) -> usize {
    let mailbox: Mailbox<_> = Mailbox::new(plain(10));
    for _ in 0..messages {
        let message = Moody { asked: std::cell::Cell::new(false), panics };
        let envelope = Envelope::new(message, Nanos(0));
        assert!(matches!(mailbox.offer(envelope, super::an_outsider), Offer::Accepted(None)));
    }
    let purged = mailbox.purge(super::subject_key(1)).len();
    purged + mailbox.drain().len()
}

#[test]
fn a_message_whose_key_panics_stays_where_it_is() {
    assert_eq!(accounted_for_by_a_purge(3, true), 3);
}

// It once panicked in debug builds, and the lane's messages were gone.
#[test]
fn a_key_that_answers_differently_when_asked_again_loses_no_message() {
    assert_eq!(accounted_for_by_a_purge(1, false), 1);
}
