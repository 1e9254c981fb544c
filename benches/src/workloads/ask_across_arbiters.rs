//! A question and its answer across threads. On two single-threaded runtimes each way wakes a sleeping thread, and that
//! wake is most of the figure.

use std::time::Duration;

use super::{Workload, ask};
use crate::{Fault, Placement, System, Verb};

/// The workload `ask_across_arbiters`.
#[derive(Debug)]
pub struct AskAcrossArbiters;

impl Workload for AskAcrossArbiters {
    const NAME: &'static str = "ask_across_arbiters";
    const ABOUT: &'static str = "one question at a time, asker and actor on two threads";
    const VERB: Verb = Verb::Ask;
    const PLACEMENT: Placement = Placement::AcrossThreads;
    const OPERATIONS: u64 = 10_000;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        ask::one_after_another::<S>(Self::PLACEMENT, operations)
    }
}
