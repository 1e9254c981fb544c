//! Random operations on a mailbox and on the model of it, step by step.

use proptest::prelude::*;

use super::cases;
use super::driver::{Driver, Mix, Op, any_policy, batching, small};
use super::model::Model;
use crate::mailbox::{MailboxOptions, Overflow};
use crate::message::Priority;

fn agree(options: MailboxOptions, ops: &[Op]) {
    let mut driver = Driver::new(options);
    let mut model = Model::new(*driver.mailbox.options());
    let lingers = options.batch.is_some_and(|batch| !batch.linger.is_zero());
    for op in ops {
        for event in driver.apply(*op) {
            model.follow(&event, driver.now);
        }
        model.check_at_rest();
        assert_eq!(driver.mailbox.depth(), model.depth(), "after {op:?}");
        assert_eq!(driver.mailbox.is_closed(), model.is_closed());
        if !lingers {
            for priority in Priority::ALL {
                let (ours, theirs) = (&driver.mailbox, &model);
                assert_eq!(ours.holds_more_urgent_than(priority), theirs.holds_more_urgent_than(priority));
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn a_mailbox_of_any_policy_behaves_like_the_model(
        options in any_policy(),
        ops in Mix { batches: false, ..Mix::ALL }.ops(80),
    ) {
        agree(options, &ops);
    }

    #[test]
    fn a_mailbox_with_waiting_senders_behaves_like_the_model(
        options in small(Overflow::Wait),
        ops in Mix { waiting: true, ..Mix::PLAIN }.ops(120),
    ) {
        agree(options, &ops);
    }

    #[test]
    fn a_shedding_mailbox_behaves_like_the_model(
        options in small(Overflow::ShedLeastUrgent),
        ops in Mix { give_back: true, removal: true, ..Mix::PLAIN }.ops(120),
    ) {
        agree(options, &ops);
    }

    #[test]
    fn a_batching_mailbox_behaves_like_the_model(
        options in batching(0..1),
        ops in Mix { give_back: false, ..Mix::ALL }.ops(80),
    ) {
        agree(options, &ops);
    }

    #[test]
    fn a_mailbox_with_lingering_batches_behaves_like_the_model(
        // Whether the wait for room is part of a linger is left open, so nobody waits here.
        options in batching(1..20),
        ops in Mix { give_back: false, waiting: false, ..Mix::ALL }.ops(80),
    ) {
        agree(options, &ops);
    }

    #[test]
    fn a_batching_mailbox_that_gets_messages_back_behaves_like_the_model(
        options in batching(0..20),
        ops in Mix { waiting: false, ..Mix::ALL }.ops(80),
    ) {
        agree(options, &ops);
    }
}
