//! Ending in order.

use std::time::Duration;

use serde::Serialize;

use super::core::Core;
use crate::agent::{AnyCell, Command};
use crate::mailbox::Gate;
use crate::sync::{Arc, Ordering};

/// After the deadline agents are told to end between two messages; a handler gets this much longer before
/// it is dropped at its next await.
const GRACE: Duration = Duration::from_secs(1);

/// How a runtime ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShutdownReport {
    /// Whether every agent handled all it had.
    pub drained: bool,
    /// Agents that did not finish in time, by name.
    pub cut_short: Vec<String>,
    /// Messages that went to the dead letters during the shutdown.
    pub undelivered: u64,
}

/// A shutdown up to the moment its threads were told to stop.
#[derive(Debug)]
pub(crate) struct Ending {
    cut_short: Vec<String>,
    dead_before: u64,
}

impl Core {
    /// Closes, drains by stop order, cuts short what is left, and stops the threads. Once: who comes later
    /// waits for the shutdown under way, or carries it on if its caller went away.
    pub(crate) async fn shut_down(&self) {
        self.ending.get_or_init(|| self.end()).await;
    }

    /// How it ended, once the threads have.
    pub(crate) fn report(&self) -> ShutdownReport {
        let dead = self.commons.dead_letters.total();
        let cut_short = self.ending.get().map(|ending| ending.cut_short.clone()).unwrap_or_default();
        ShutdownReport {
            drained: cut_short.is_empty(),
            cut_short,
            undelivered: dead - self.ending.get().map_or(dead, |ending| ending.dead_before),
        }
    }

    async fn end(&self) -> Ending {
        self.closing.store(true, Ordering::SeqCst);
        let dead_before = self.commons.dead_letters.total();
        let cells = self.registry.all_cells();
        // Outsiders first: what is inside may still flow from agent to agent until each one's turn.
        cells.iter().for_each(|cell| cell.set_gate(Gate::AgentsOnly));

        let until = self.commons.clock.now().after(self.shutdown_deadline());
        let mut cut_short = Vec::new();
        for group in by_stop_order(cells) {
            stop(&group, true);
            let left = Duration::from_nanos(until.since(self.commons.clock.now()));
            let all_ended = || group.iter().all(|cell| cell.has_ended());
            if self.wait_until(left, all_ended).await {
                continue;
            }
            cut_short
                .extend(group.iter().filter(|cell| !cell.has_ended()).map(|cell| cell.name().to_string()));
            stop(&group, false);
            self.wait_until(GRACE, all_ended).await;
            // Whoever is still in a handler keeps it until the threads stop; nothing more is queued.
            group.iter().for_each(|cell| cell.close());
        }
        self.stop();
        Ending { cut_short, dead_before }
    }
}

fn by_stop_order(mut cells: Vec<Arc<dyn AnyCell>>) -> Vec<Vec<Arc<dyn AnyCell>>> {
    cells.sort_by_key(|cell| cell.stop_order());
    let mut groups: Vec<Vec<Arc<dyn AnyCell>>> = Vec::new();
    for cell in cells {
        match groups.last_mut() {
            Some(group) if group[0].stop_order() == cell.stop_order() => group.push(cell),
            _ => groups.push(vec![cell]),
        }
    }
    groups
}

/// Tells each to stop: after what is queued has been handled, or at once.
pub(super) fn stop(cells: &[Arc<dyn AnyCell>], drain: bool) {
    for cell in cells {
        cell.command(&|| Command::Stop { drain });
    }
}
