//! What a message costs as something else grows: the backlog in front of it, the agents around it, the keys that are
//! gathered into batches. Nothing of Statim's may grow faster than a logarithm.
//!
//! Every series runs the same closed loop: each bulk message that is handled sends the next one, so that as many stay
//! queued as were put there, and nothing but the size in question changes from point to point. Meanwhile an urgent
//! message is sent every millisecond to see how long it waits.

mod agents;
mod backlog;
mod bare;
mod cycle;
mod fit;
mod keys;
mod turner;

use std::time::Duration;

use serde::Serialize;

pub use fit::Fit;

use crate::Fault;
use crate::urgent::Quantiles;

/// How far to go, and how long to stay.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// The largest backlog.
    pub backlog: u64,
    /// The most agents.
    pub agents: u64,
    /// The most keys.
    pub keys: u64,
    /// How long each point is measured.
    pub each: Duration,
}

/// One size, and what it came to.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// How much there was of what grows.
    pub size: u64,
    /// Nanoseconds for a message handled and the next one sent.
    pub ns_per_message: f64,
    /// How long urgent messages waited, from the moment they were sent, in nanoseconds. The sender never waits for the
    /// system, only for the processor, so its lateness says nothing about what grows, and nothing is left out with it.
    pub urgent_wait: Quantiles,
    /// How late their sender was.
    pub lag: Quantiles,
    /// Live heap bytes for each of what the series stores: a queued message, or an agent with its address.
    pub bytes_each: f64,
}

/// One thing that grows.
#[derive(Debug)]
pub struct Series {
    /// The name in the tables and in the JSON.
    pub name: &'static str,
    /// The system in question.
    pub system: &'static str,
    /// What grows, in one line.
    pub about: &'static str,
    /// What the bytes are for.
    pub stored: &'static str,
    sizes: Vec<u64>,
    measure: fn(u64, Duration) -> Result<Point, Fault>,
}

/// The system of every series but one.
pub const STATIM: &str = "statim";

/// Every series, each in steps of ten.
pub fn series(extent: Extent) -> Vec<Series> {
    let steps = |first: u64, last: u64| {
        std::iter::successors(Some(first), move |size| Some(size * 10)).take_while(move |size| *size <= last)
    };
    vec![
        Series {
            name: "growth_backlog",
            system: STATIM,
            about: "messages queued at one agent",
            stored: "queued message",
            sizes: steps(100, extent.backlog).collect(),
            measure: backlog::measure,
        },
        Series {
            name: "growth_agents",
            system: STATIM,
            about: "agents that 256 messages travel between, from one to any other",
            stored: "agent",
            sizes: steps(1, extent.agents).collect(),
            measure: agents::measure,
        },
        Series {
            name: "growth_agents",
            system: "tokio mpsc",
            about: "the same with bare tasks, for the machine's share in it",
            stored: "task",
            sizes: steps(1, extent.agents).collect(),
            measure: bare::measure,
        },
        Series {
            name: "growth_keys",
            system: STATIM,
            about: "batch keys among four messages each, gathered into batches of four",
            stored: "queued message",
            sizes: steps(1, extent.keys).collect(),
            measure: keys::measure,
        },
    ]
}

impl Series {
    /// Measures every size, smallest first, telling `progress` which comes next.
    ///
    /// # Errors
    /// A message was lost or doubled, or the system failed.
    pub fn run(&self, each: Duration, mut progress: impl FnMut(u64)) -> Result<Vec<Point>, Fault> {
        let point = |size: &u64| {
            progress(*size);
            (self.measure)(*size, each)
        };
        self.sizes.iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_accounts_for_every_message() {
        let extent = Extent { backlog: 1_000, agents: 100, keys: 100, each: Duration::from_millis(10) };
        for series in series(extent) {
            let points =
                series.run(extent.each, |_| ()).unwrap_or_else(|fault| panic!("{}: {fault}", series.name));
            assert!(points.len() >= 2, "{}", series.name);
            assert!(points.iter().all(|point| point.ns_per_message > 0.0), "{points:?}");
        }
    }
}
