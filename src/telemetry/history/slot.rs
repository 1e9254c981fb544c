//! A stretch of time as it is remembered: histograms packed.

use std::mem::size_of;
use std::time::Duration;

use super::observation::{AgentObservation, LaneObservation, Observation};
use crate::message::Priority;
use crate::sync::Arc;
use crate::telemetry::sparse::Sparse;

/// A closed slot.
#[derive(Debug)]
pub(super) struct Slot {
    /// When it ended, since the history began.
    pub(super) end: Duration,
    /// Everything but histograms and agents.
    plain: Observation,
    /// Wait and end to end, by lane.
    lanes: [[Box<[u8]>; 2]; Priority::COUNT],
    agents: Box<[Agent]>,
}

#[derive(Debug)]
struct Agent {
    name: Arc<str>,
    handled: u64,
    failed: u64,
    dropped: u64,
    busy: Duration,
    queued: u64,
    end_to_end: Box<[u8]>,
}

/// What an allocation costs besides its bytes.
const ALLOCATION: usize = 16;

impl Slot {
    pub(super) fn of(mut observation: Observation, end: Duration) -> Self {
        let lanes =
            std::mem::take(&mut observation.lanes).map(|lane| [lane.wait.packed(), lane.end_to_end.packed()]);
        let pack = |agent: AgentObservation| Agent {
            name: agent.name,
            handled: agent.handled,
            failed: agent.failed,
            dropped: agent.dropped,
            busy: agent.busy,
            queued: agent.queued,
            end_to_end: agent.end_to_end.packed(),
        };
        let agents = std::mem::take(&mut observation.agents).into_iter().map(pack).collect();
        Self { end, plain: observation, lanes, agents }
    }

    pub(super) fn unpack(&self) -> Observation {
        let lanes = self.lanes.each_ref().map(|[wait, end_to_end]| LaneObservation {
            wait: Sparse::unpacked(wait),
            end_to_end: Sparse::unpacked(end_to_end),
        });
        let unpack = |agent: &Agent| AgentObservation {
            name: Arc::clone(&agent.name),
            handled: agent.handled,
            failed: agent.failed,
            dropped: agent.dropped,
            busy: agent.busy,
            queued: agent.queued,
            end_to_end: Sparse::unpacked(&agent.end_to_end),
        };
        Observation { lanes, agents: self.agents.iter().map(unpack).collect(), ..self.plain.clone() }
    }

    /// Memory that it takes. Names are shared with the agents while these live, so they are not counted.
    pub(super) fn bytes(&self) -> usize {
        let boxed = |bytes: &[u8]| if bytes.is_empty() { 0 } else { bytes.len() + ALLOCATION };
        let lanes: usize = self.lanes.iter().flatten().map(|bytes| boxed(bytes)).sum();
        let agents: usize =
            self.agents.iter().map(|agent| size_of::<Agent>() + boxed(&agent.end_to_end)).sum();
        size_of::<Self>() + lanes + agents + ALLOCATION
    }
}
