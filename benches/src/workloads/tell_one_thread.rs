//! One sender and one actor on one thread, every message of the ordinary priority.

use std::time::Duration;

use super::{Workload, tell};
use crate::{Fault, Level, Placement, System, Verb, Work};

/// The workload `tell_one_thread`.
#[derive(Debug)]
pub struct TellOneThread;

impl Workload for TellOneThread {
    const NAME: &'static str = "tell_one_thread";
    const ABOUT: &'static str = "1 to 1 on one thread, mailbox of 10,000, one priority";
    const VERB: Verb = Verb::Tell;
    const PLACEMENT: Placement = Placement::SameThread;
    const OPERATIONS: u64 = 500_000;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        tell::until_handled::<S>(Self::PLACEMENT, operations, |value| Work { level: Level::Normal, value })
    }
}
