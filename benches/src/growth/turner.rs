//! The agent that all series use: each bulk message it handles sends the next one.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use statim::prelude::*;

use super::Point;
use super::cycle::{Cycle, each, step};
use crate::{Fault, Target, Work, memory};

/// What a turner receives.
pub(super) enum Turn {
    /// Answered: it has started.
    Started(Reply<()>),
    /// Keeps it from working until the other end is dropped.
    Hold(mpsc::Receiver<()>),
    /// Sends the next.
    Bulk { seed: u64, key: Option<Key> },
    /// Noted.
    Urgent(u64),
}

impl Message for Turn {
    fn priority(&self) -> Priority {
        match self {
            Self::Started(_) | Self::Hold(_) | Self::Urgent(_) => Priority::Critical,
            Self::Bulk { .. } => Priority::Low,
        }
    }

    fn batch_key(&self) -> Option<Key> {
        match self {
            Self::Bulk { key, .. } => *key,
            Self::Started(_) | Self::Hold(_) | Self::Urgent(_) => None,
        }
    }
}

/// What all turners of a run share.
pub(super) struct Mill {
    pub(super) runtime: Runtime,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cycle: Cycle,
    turners: OnceLock<Vec<AgentRef<Turn>>>,
}

impl Mill {
    pub(super) fn start() -> Result<Self, Fault> {
        let runtime = Runtime::builder().arbiters(1).start().map_err(Fault::start)?;
        Ok(Self { runtime, shared: Arc::default() })
    }

    /// Starts so many turners on the one arbiter, and gives the heap bytes for each.
    pub(super) fn furnish(&self, turners: u64, options: &AgentOptions) -> Result<f64, Fault> {
        let before = memory::heap_bytes();
        let mut all = Vec::with_capacity(turners as usize);
        for number in 0..turners {
            let shared = Arc::clone(&self.shared);
            let turner = self.runtime.spawn(&format!("turner-{number}"), options.clone(), move || Turner {
                shared: Arc::clone(&shared),
            });
            all.push(turner.map_err(Fault::start)?);
        }
        // The arbiter starts its agents in order, so when the last one answers, all have started.
        if let Some(last) = all.last() {
            self.runtime.block_on(async { last.ask(Turn::Started).await }).map_err(Fault::gone)?;
        }
        let _ = self.shared.turners.set(all);
        Ok(each(before, memory::heap_bytes(), turners))
    }

    pub(super) fn turners(&self) -> &[AgentRef<Turn>] {
        self.shared.turners.get().map_or(&[], Vec::as_slice)
    }

    /// Puts so many messages in while nobody handles any, and gives the heap bytes for each.
    pub(super) fn fill(&self, messages: u64, bulk: impl Fn(u64) -> Turn) -> Result<f64, Fault> {
        let (release, hold) = mpsc::channel();
        let turner = &self.turners()[0];
        turner.try_tell(Turn::Hold(hold)).map_err(Fault::gone)?;
        let before = memory::heap_bytes();
        for number in 0..messages {
            turner.try_tell(bulk(number)).map_err(Fault::gone)?;
        }
        let bytes = each(before, memory::heap_bytes(), messages);
        drop(release);
        Ok(bytes)
    }

    /// Measures for so long, ends the loop, and accounts for the `messages` that were in it.
    pub(super) fn measure(
        self,
        size: u64,
        messages: u64,
        bytes: f64,
        during: Duration,
    ) -> Result<Point, Fault> {
        let doors = Doors(self.turners().to_vec());
        let point = self.shared.cycle.measure(&doors, size, messages, bytes, during);
        self.runtime.shutdown_blocking();
        point
    }
}

struct Turner {
    shared: Arc<Shared>,
}

impl Agent for Turner {
    type Message = Turn;
    type Error = Infallible;

    async fn handle(&mut self, turn: Turn, _: &mut Context<Self>) -> Result<(), Infallible> {
        let shared = &*self.shared;
        match turn {
            Turn::Started(reply) => reply.send(()),
            // Blocking the thread is the point: nothing is taken while the backlog builds up.
            Turn::Hold(until) => drop(until.recv()),
            Turn::Urgent(number) => shared.cycle.urgent(number),
            Turn::Bulk { seed, key } => {
                let Some(seed) = shared.cycle.turn(seed) else { return Ok(()) };
                let Some(turners) = shared.turners.get() else { return Ok(()) };
                let next = &turners[(seed % turners.len() as u64) as usize];
                // What does not fit is missing at the end, and the run fails.
                let _ = next.try_tell(Turn::Bulk { seed, key });
            }
        }
        Ok(())
    }
}

/// Urgent messages go to any of the turners.
struct Doors(Vec<AgentRef<Turn>>);

impl Target for Doors {
    async fn tell(&self, work: Work) -> Result<(), Fault> {
        let door = step(work.value + 1) % self.0.len() as u64;
        self.0[door as usize].tell(Turn::Urgent(work.value)).await.map_err(Fault::gone)
    }

    async fn ask(&self, ask: crate::Ask) -> Result<u64, Fault> {
        Err(Fault::Answer { asked: ask.0, answered: 0 })
    }
}
