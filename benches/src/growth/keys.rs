//! As many batch keys as asked for, in front of one agent that takes its messages by the batch. Each key has enough
//! messages for full batches, so that the share of a batch in a message's cost is the same for any number of keys.

use std::time::Duration;

use statim::prelude::*;

use super::Point;
use super::turner::{Mill, Turn};
use crate::Fault;

/// Messages of one batch, and of each key.
const BATCH: u64 = 4;

pub(super) fn measure(keys: u64, during: Duration) -> Result<Point, Fault> {
    let mill = Mill::start()?;
    let messages = keys * BATCH;
    let options = AgentOptions::default()
        .capacity(messages as usize + 2_000)
        .reserve(1_000)
        .batch(BatchOptions::up_to(BATCH as usize));
    mill.furnish(1, &options)?;
    let bytes = mill.fill(messages, |number| {
        let key = Key::of((number % keys).to_le_bytes());
        Turn::Bulk { seed: number + 1, key: Some(key) }
    })?;
    mill.measure(keys, messages, bytes, during)
}
