//! Agents by name and by message type.

use std::any::{Any, TypeId};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as MapEntry;

use super::error::FindError;
use crate::agent::{AgentRef, AnyCell};
use crate::message::Message;
use crate::sync::Arc;

pub(crate) struct Entry {
    message: TypeId,
    /// An `AgentRef` of that message type.
    reference: Box<dyn Any + Send + Sync>,
    pub(crate) cells: Vec<Arc<dyn AnyCell>>,
}

impl Entry {
    pub(crate) fn new<M: Message>(reference: &AgentRef<M>) -> Self {
        Self {
            message: TypeId::of::<M>(),
            reference: Box::new(reference.clone()),
            cells: reference.any_cells(),
        }
    }

    fn has_ended(&self) -> bool {
        self.cells.iter().all(|cell| cell.has_ended())
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    entries: DashMap<Arc<str>, Entry>,
}

impl Registry {
    /// Registers unless a living agent has the name; one that has ended gives it up.
    pub(crate) fn register(&self, name: Arc<str>, entry: Entry) -> bool {
        match self.entries.entry(name) {
            MapEntry::Occupied(taken) if !taken.get().has_ended() => false,
            MapEntry::Occupied(mut ended) => {
                ended.insert(entry);
                true
            }
            MapEntry::Vacant(free) => {
                free.insert(entry);
                true
            }
        }
    }

    pub(crate) fn find<M: Message>(&self, name: &str) -> Result<AgentRef<M>, FindError> {
        let not_found = || FindError::NotFound { name: name.to_owned() };
        let entry = self.entries.get(name).ok_or_else(not_found)?;
        if entry.has_ended() {
            return Err(not_found());
        }
        let wanted = std::any::type_name::<M>();
        let reference = entry.reference.downcast_ref::<AgentRef<M>>();
        reference.cloned().ok_or_else(|| FindError::OtherType { name: name.to_owned(), wanted })
    }

    pub(crate) fn find_all<M: Message>(&self) -> Vec<(Arc<str>, AgentRef<M>)> {
        let living = |entry: &Entry| entry.message == TypeId::of::<M>() && !entry.has_ended();
        let mut found: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| living(entry.value()))
            .filter_map(|entry| {
                let reference = entry.value().reference.downcast_ref::<AgentRef<M>>()?;
                Some((Arc::clone(entry.key()), reference.clone()))
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// The cells of one name.
    pub(crate) fn cells(&self, name: &str) -> Vec<Arc<dyn AnyCell>> {
        self.entries.get(name).map(|entry| entry.cells.clone()).unwrap_or_default()
    }

    /// Every cell, by name.
    pub(crate) fn all_cells(&self) -> Vec<Arc<dyn AnyCell>> {
        let mut cells: Vec<_> = self.entries.iter().flat_map(|entry| entry.value().cells.clone()).collect();
        cells.sort_by(|a, b| a.name().cmp(b.name()));
        cells
    }

    /// Forgets an agent that ended as asked. One that failed stays to be seen until its name is taken.
    pub(crate) fn forget_stopped(&self, name: &str) {
        self.entries.remove_if(name, |_, entry| {
            entry.cells.iter().all(|cell| {
                cell.instances()
                    .iter()
                    .all(|instance| instance.state() == crate::telemetry::AgentState::Stopped)
            })
        });
    }
}
