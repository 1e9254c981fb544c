//! The links of a runtime, for its snapshot.

use std::fmt;

use super::snapshot::LinkSnapshot;
use super::state::State;
use crate::sync::{Arc, Mutex, lock};

/// Links that nobody holds any more are kept until there are this many, for their counters.
const KEPT: usize = 256;

/// Every link made, by name; those that nobody holds any more as long as there is room.
#[derive(Default)]
pub(crate) struct Links {
    states: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    states: Vec<Arc<State>>,
    sweep_at: usize,
}

impl Links {
    /// Takes a link in, unless somebody holds one of its name.
    pub(super) fn register(&self, state: &Arc<State>) -> bool {
        let mut kept = lock(&self.states);
        if let Some(place) = kept.states.iter().position(|other| other.name() == state.name()) {
            if is_held(&kept.states[place]) {
                return false;
            }
            kept.states.swap_remove(place);
        }
        if kept.states.len() >= kept.sweep_at.max(KEPT) {
            kept.states.retain(is_held);
            kept.sweep_at = kept.states.len() * 2;
        }
        kept.states.push(Arc::clone(state));
        true
    }

    /// The state of each, by name.
    pub(crate) fn snapshot(&self) -> Vec<LinkSnapshot> {
        let states = lock(&self.states).states.clone();
        let mut links: Vec<_> = states.iter().map(|state| state.snapshot()).collect();
        links.sort_by(|a, b| a.name.cmp(&b.name));
        links
    }
}

/// Whether there is a handle, or a message on its way.
fn is_held(state: &Arc<State>) -> bool {
    Arc::strong_count(state) > 1
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}
