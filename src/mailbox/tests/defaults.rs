//! What a mailbox is unless somebody chooses otherwise, and what becomes of a choice out of range.

use super::{Mailbox, MailboxOptions, Offer, TestMessage, an_outsider, plain};
use crate::mailbox::{BatchOptions, Overflow};
use crate::message::Priority;

/// How many of so many messages of this priority get in.
fn accepted(mailbox: &Mailbox<TestMessage>, priority: Priority, offered: usize) -> usize {
    let offer = |id| mailbox.offer(TestMessage::new(id, priority).at(0), an_outsider);
    (0..offered).filter(|id| matches!(offer(*id), Offer::Accepted(None))).count()
}

#[test]
fn by_default_ten_thousand_fit_and_bulk_has_nine_thousand_of_them() {
    let mailbox = Mailbox::new(MailboxOptions::default());
    assert_eq!(accepted(&mailbox, Priority::Low, 20_000), 9_000);
    assert_eq!(accepted(&mailbox, Priority::Normal, 1), 0);
    assert_eq!(accepted(&mailbox, Priority::High, 20_000), 1_000);
    assert_eq!(accepted(&mailbox, Priority::Critical, 1), 0);
    assert_eq!(mailbox.options().overflow, Overflow::Wait);
}

#[test]
fn a_tenth_is_reserved_and_at_most_a_thousand() {
    let reserve = |capacity| MailboxOptions::with_capacity(capacity).reserve;
    assert_eq!([1, 9, 10, 99, 1_000, 10_000, 1_000_000].map(reserve), [0, 0, 1, 9, 100, 1_000, 1_000]);
}

#[test]
fn whatever_is_chosen_one_place_is_open_to_bulk() {
    for (capacity, reserve) in [(0, 0), (0, 9), (1, 1), (3, 3), (3, usize::MAX)] {
        let mailbox = Mailbox::new(MailboxOptions { reserve, ..plain(capacity) });
        assert_eq!(accepted(&mailbox, Priority::Low, 10), 1, "capacity {capacity}, reserve {reserve}");
        assert_eq!(accepted(&mailbox, Priority::High, 10), capacity.max(1) - 1);
    }
}

#[test]
fn a_batch_of_none_is_a_batch_of_one_and_no_turn_is_at_least_two() {
    let batch = Some(BatchOptions { max_messages: 0, ..BatchOptions::up_to(1) });
    let options = MailboxOptions { batch, bypass: Some(0), ..plain(3) }.clamped();
    assert_eq!(options.batch, Some(BatchOptions::up_to(1)));
    assert_eq!(options.bypass, Some(2));
}
