//! A question and its answer between two actors on one thread: what agents that talk should cost when they are placed
//! together.

use std::time::Duration;

use super::{Workload, ask};
use crate::{Fault, Placement, System, Verb};

/// The workload `ask_same_arbiter`.
#[derive(Debug)]
pub struct AskSameArbiter;

impl Workload for AskSameArbiter {
    const NAME: &'static str = "ask_same_arbiter";
    const ABOUT: &'static str = "one question at a time, asker and actor on one thread";
    const VERB: Verb = Verb::Ask;
    const PLACEMENT: Placement = Placement::SameThread;
    const OPERATIONS: u64 = 100_000;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        ask::one_after_another::<S>(Self::PLACEMENT, operations)
    }
}
