//! The loop of `growth_agents` over bare Tokio tasks and their channels: what of the growth is the machine's, whose caches
//! hold a thousand of anything and a million of nothing.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Point;
use super::agents::{TRAVELLING, seeds};
use super::cycle::{Cycle, each};
use crate::stage::single_threaded;
use crate::{Ask, CAPACITY, Fault, Target, Work, memory};

/// What a task receives.
enum Turn {
    Bulk(u64),
    Urgent(u64),
}

#[derive(Default)]
struct Shared {
    cycle: Cycle,
    doors: OnceLock<Vec<mpsc::Sender<Turn>>>,
}

pub(super) fn measure(tasks: u64, during: Duration) -> Result<Point, Fault> {
    let shared = Arc::new(Shared::default());
    let runtime = single_threaded()?;
    let before = memory::heap_bytes();
    let mut doors = Vec::with_capacity(tasks as usize);
    for _ in 0..tasks {
        let (door, turns) = mpsc::channel(CAPACITY);
        runtime.spawn(work(Arc::clone(&shared), turns));
        doors.push(door);
    }
    let bytes = each(before, memory::heap_bytes(), tasks);
    for seed in seeds() {
        doors[(seed % tasks) as usize].try_send(Turn::Bulk(seed)).map_err(Fault::gone)?;
    }
    let target = Doors(doors.clone());
    let _ = shared.doors.set(doors);
    let (finished, release) = tokio::sync::oneshot::channel::<()>();
    let thread = thread::spawn(move || runtime.block_on(release));
    let point = shared.cycle.measure(&target, tasks, TRAVELLING, bytes, during);
    drop(finished);
    // Gone either way: the other end was dropped.
    let _ = thread.join();
    point
}

async fn work(shared: Arc<Shared>, mut turns: mpsc::Receiver<Turn>) {
    while let Some(turn) = turns.recv().await {
        match turn {
            Turn::Urgent(number) => shared.cycle.urgent(number),
            Turn::Bulk(seed) => {
                let Some(seed) = shared.cycle.turn(seed) else { continue };
                let Some(doors) = shared.doors.get() else { continue };
                // What does not fit is missing at the end, and the run fails.
                let _ = doors[(seed % doors.len() as u64) as usize].try_send(Turn::Bulk(seed));
            }
        }
    }
}

/// Urgent messages go to any of the tasks.
struct Doors(Vec<mpsc::Sender<Turn>>);

impl Target for Doors {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        let door = super::cycle::step(work.value + 1) % self.0.len() as u64;
        self.0[door as usize].send(Turn::Urgent(work.value)).await.map_err(Fault::gone)
    }

    async fn ask(&self, ask: Ask) -> Result<u64, Fault> {
        Err(Fault::Answer { asked: ask.0, answered: 0 })
    }
}
