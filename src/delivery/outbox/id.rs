//! The number of a stored message.

use std::fmt;

use crate::message::Priority;

/// The number of a durable message: unique in its store for ever, and the same at each delivery, so an effect outside
/// the store can be made once by it.
///
/// It sorts by agent, then priority, then order of sending: 15 bits, 2 bits and 46 bits of a non-negative `i64`, so that
/// the messages of an agent and a priority lie beside each other in the primary key and need no further index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredId(i64);

const SEQUENCE_BITS: u32 = 46;
const SEQUENCES: i64 = (1 << SEQUENCE_BITS) - 1;
/// Numbers of agents are below this.
pub(super) const AGENTS: i64 = 1 << 15;

impl StoredId {
    pub(super) const fn new(agent: u16, lane: usize, sequence: i64) -> Self {
        Self(
            ((agent as i64) << (SEQUENCE_BITS + 2))
                | ((lane as i64) << SEQUENCE_BITS)
                | (sequence & SEQUENCES),
        )
    }

    pub(super) const fn stored(number: i64) -> Self {
        Self(number)
    }

    /// The least and the greatest of an agent's in one lane.
    pub(super) const fn span(agent: u16, lane: usize) -> (Self, Self) {
        (Self::new(agent, lane, 0), Self::new(agent, lane, SEQUENCES))
    }

    /// The least and the greatest of an agent's.
    pub(super) const fn all_of(agent: u16) -> (Self, Self) {
        (Self::new(agent, 0, 0), Self::new(agent, Priority::COUNT - 1, SEQUENCES))
    }

    /// As stored, and as told to whoever makes an effect once by it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    pub(super) const fn agent(self) -> u16 {
        (self.0 >> (SEQUENCE_BITS + 2)) as u16
    }

    pub(super) fn priority(self) -> Priority {
        Priority::ALL[((self.0 >> SEQUENCE_BITS) & 3) as usize]
    }

    pub(super) const fn sequence(self) -> i64 {
        self.0 & SEQUENCES
    }
}

impl fmt::Debug for StoredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredId({self})")
    }
}

impl fmt::Display for StoredId {
    /// Agent, lane and sequence: `3-0-17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.agent(), self.priority().lane(), self.sequence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_sorts_by_agent_then_urgency_then_order_and_keeps_all_three() {
        let mut ids = Vec::new();
        for agent in [0, 1, 32_767] {
            for lane in 0..4 {
                for sequence in [0, 1, 1 << 45, SEQUENCES] {
                    let id = StoredId::new(agent, lane, sequence);
                    assert_eq!((id.agent(), id.priority().lane(), id.sequence()), (agent, lane, sequence));
                    assert!(id.get() >= 0);
                    ids.push(id);
                }
            }
        }
        assert!(ids.is_sorted());
        let (least, greatest) = StoredId::span(1, 2);
        assert!(ids.iter().filter(|id| **id >= least && **id <= greatest).count() == 4);
    }
}
