//! Those who keep the actor busy, each on an operating system's thread of its own.

use std::hint::spin_loop;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Load, Ward};
use crate::stage::single_threaded;
use crate::{Fault, Level, Target, Work};

/// A sleep ends so much late now and then, so the sender wakes early and spins for the rest.
const EARLY: Duration = Duration::from_micros(200);

/// Sends an urgent message whenever one is due, and gives how late each was sent, in nanoseconds.
pub(crate) fn send_urgent<T: Target>(target: &T, ward: &Ward, load: Load) -> Result<Vec<u64>, Fault> {
    let runtime = single_threaded()?;
    let count = load.duration.as_nanos() / load.every.as_nanos().max(1);
    let mut lags = Vec::with_capacity(count as usize);
    ward.open();
    for value in 0..count as u64 {
        let due = ward.due(value, load.every);
        wait_until(ward, due);
        lags.push(ward.now() - due);
        runtime.block_on(target.tell(Work { level: Level::Critical, value }))?;
    }
    wait_until(ward, ward.due(count as u64, load.every));
    ward.close();
    Ok(lags)
}

/// Keeps `depth` other messages queued until the ward closes, and gives the fewest that were ever left when it looked
/// again. `ready` hears when they are there for the first time.
pub(super) fn keep_deep<T: Target>(
    target: &Arc<T>,
    ward: &Ward,
    depth: u64,
    ready: impl FnOnce(),
) -> Result<u64, Fault> {
    let runtime = single_threaded()?;
    let fill = async || -> Result<(), Fault> {
        while ward.queued() < depth && !ward.is_closed() {
            ward.queue();
            target.tell(Work { level: Level::Low, value: 0 }).await?;
        }
        Ok(())
    };
    runtime.block_on(fill())?;
    ready();
    let mut shallowest = depth;
    while !ward.is_closed() {
        thread::sleep(Duration::from_millis(1));
        shallowest = shallowest.min(ward.queued());
        runtime.block_on(fill())?;
    }
    Ok(shallowest)
}

fn wait_until(ward: &Ward, due: u64) {
    let ahead = Duration::from_nanos(due.saturating_sub(ward.now()));
    if let Some(sleep) = ahead.checked_sub(EARLY) {
        thread::sleep(sleep);
    }
    while ward.now() < due {
        spin_loop();
    }
}
