//! As many agents as asked for, and a fixed number of messages on their way between them.

use std::time::Duration;

use statim::prelude::*;

use super::Point;
use super::cycle::step;
use super::turner::{Mill, Turn};
use crate::Fault;

/// Messages on their way: enough to keep the thread busy, few enough that what waits in front of an urgent one is the
/// same for any number of agents.
pub(super) const TRAVELLING: u64 = 256;

pub(super) fn measure(agents: u64, during: Duration) -> Result<Point, Fault> {
    let mill = Mill::start()?;
    let bytes = mill.furnish(agents, &AgentOptions::default())?;
    let turners = mill.turners();
    for seed in seeds() {
        let turner = &turners[(seed % agents) as usize];
        turner.try_tell(Turn::Bulk { seed, key: None }).map_err(Fault::gone)?;
    }
    mill.measure(agents, TRAVELLING, bytes, during)
}

/// Where each message's way begins.
pub(super) fn seeds() -> impl Iterator<Item = u64> {
    // The sequence of a small seed starts with small numbers, so it goes a few steps first.
    (1..=TRAVELLING).map(|number| (0..8).fold(number, |seed, _| step(seed)))
}
