//! The main figure: one sender and one actor on two threads, a mailbox of 10,000, four priorities mixed where the system
//! knows priorities and plain messages where it does not.

use std::time::Duration;

use super::{Workload, tell};
use crate::{Fault, Level, Placement, System, Verb, Work};

/// The workload `tell_prioritised_bounded`.
#[derive(Debug)]
pub struct TellPrioritisedBounded;

impl Workload for TellPrioritisedBounded {
    const NAME: &'static str = "tell_prioritised_bounded";
    const ABOUT: &'static str =
        "1 to 1 across two threads, mailbox of 10,000, four priorities mixed where the system knows any";
    const VERB: Verb = Verb::Tell;
    const PLACEMENT: Placement = Placement::AcrossThreads;
    const OPERATIONS: u64 = 500_000;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        tell::until_handled::<S>(Self::PLACEMENT, operations, |value| Work {
            level: Level::in_turn(value),
            value,
        })
    }
}
