//! An urgent agent among busy neighbours: agents that send themselves bulk without end, on every shared arbiter. Statim
//! alone, since where an agent lives is what this is about.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use statim::prelude::*;

use super::sender::send_urgent;
use super::{Load, Observed, Ward, observe};
use crate::systems::statim::{Once, Subject};
use crate::{Counter, Fault, Level, Work};

/// Messages each neighbour has in its queue, at every moment.
const FLOOD: u64 = 1_000;

/// Where the urgent agent lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arbiter {
    /// On an arbiter of its own.
    Own,
    /// On a shared one, with its part of the neighbours.
    Shared,
}

/// Runs the load beside so many neighbours for each shared arbiter. The urgent agent itself has no backlog.
///
/// # Errors
/// The system failed, or an urgent message came that was never sent.
pub fn beside_neighbours(load: Load, arbiter: Arbiter, neighbours: usize) -> Result<Observed, Fault> {
    let ward = Arc::new(Ward::new(load.service));
    let runtime = Runtime::builder().start().map_err(Fault::start)?;
    let arbiters = std::thread::available_parallelism().map_or(1, usize::from);
    for number in 0..neighbours * arbiters {
        let flooding = Arc::clone(&ward);
        let name = format!("neighbour-{number}");
        let neighbour = runtime
            .spawn(&name, AgentOptions::default(), move || Neighbour(Arc::clone(&flooding)))
            .map_err(Fault::start)?;
        for _ in 0..FLOOD {
            ward.queue();
            neighbour.try_tell(Bulk).map_err(Fault::gone)?;
        }
    }
    let placement = match arbiter {
        Arbiter::Own => Placement::Own,
        Arbiter::Shared => Placement::Shared,
    };
    let counter = Once::new(Counter::at_ward(Arc::clone(&ward)));
    let options = AgentOptions::default().placement(placement);
    let urgent = runtime.spawn("urgent", options, move || Subject(counter.take())).map_err(Fault::start)?;
    // Until everyone is at work.
    std::thread::sleep(Duration::from_millis(20));
    let lags = send_urgent(&urgent, &ward, load);
    ward.close();
    runtime.shutdown_blocking();
    observe(&ward, &lags?, load.every, ward.queued())
}

struct Bulk;

impl Message for Bulk {
    fn priority(&self) -> Priority {
        Priority::Low
    }
}

struct Neighbour(Arc<Ward>);

impl Agent for Neighbour {
    type Message = Bulk;
    type Error = Infallible;

    async fn handle(&mut self, bulk: Bulk, context: &mut Context<Self>) -> Result<(), Infallible> {
        if !self.0.is_closed() {
            self.0.queue();
            self.0.attend(Work { level: Level::Low, value: 0 });
            // There is room: this one has just left.
            let _ = context.me().try_tell(bulk);
        }
        Ok(())
    }
}
