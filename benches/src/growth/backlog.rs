//! As many messages as asked for in front of one agent.

use std::time::Duration;

use statim::prelude::*;

use super::Point;
use super::turner::{Mill, Turn};
use crate::Fault;

pub(super) fn measure(depth: u64, during: Duration) -> Result<Point, Fault> {
    let mill = Mill::start()?;
    let options = AgentOptions::default().capacity(depth as usize + 2_000).reserve(1_000);
    mill.furnish(1, &options)?;
    let bytes = mill.fill(depth, |number| Turn::Bulk { seed: number + 1, key: None })?;
    mill.measure(depth, depth, bytes, during)
}
