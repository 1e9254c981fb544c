//! What is not stored yet.

use super::entry::Entry;
use super::lane::Told;
use super::queue::Queue;
use crate::alert::time::Moment;
use crate::sync::Arc;

/// Changes that are stored together, or not at all.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Changes up to this revision are in it.
    pub(super) revision: u64,
    pub(super) states: Vec<(&'static str, Moment, Arc<[u8]>)>,
    pub(super) rows: Vec<Entry>,
    pub(super) told: Vec<(String, String, Told)>,
    /// Requests of other processes that are seen to.
    pub(super) answered: Vec<i64>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty() && self.rows.is_empty() && self.told.is_empty() && self.answered.is_empty()
    }
}

impl Queue {
    /// Every change of entries and of what sinks know that is not stored.
    pub(super) fn unsaved(&mut self) -> Batch {
        let mut batch = Batch { revision: self.revise(), ..Batch::default() };
        for (sink, lane) in &self.lanes {
            batch.rows.extend(lane.entries.values().filter(|it| it.unsaved.is_some()).cloned());
            let told = lane.told.iter().filter(|(_, told)| told.unsaved.is_some());
            batch.told.extend(told.map(|(key, told)| (sink.clone(), key.clone(), told.clone())));
        }
        batch
    }

    /// The changes up to this revision are stored.
    pub(super) fn saved(&mut self, revision: u64) {
        let is_saved = |unsaved: Option<u64>| unsaved.is_none_or(|it| it <= revision);
        for lane in self.lanes.values_mut() {
            for entry in lane.entries.values_mut().filter(|it| is_saved(it.unsaved)) {
                entry.unsaved = None;
                entry.stored = true;
            }
            lane.entries.retain(|_, it| !(it.is_settled() && it.unsaved.is_none()));
            lane.told.values_mut().filter(|it| is_saved(it.unsaved)).for_each(|it| it.unsaved = None);
            lane.told.retain(|_, it| !(it.gone && it.unsaved.is_none()));
        }
        self.lanes.retain(|_, lane| !(lane.entries.is_empty() && lane.told.is_empty()));
    }
}
