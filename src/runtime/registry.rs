//! Agents by name and by message type.

use std::any::{Any, TypeId};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as MapEntry;

use super::error::{FindError, ScaleError};
use super::pool::Resize;
use crate::agent::{AgentRef, AnyCell, Pool};
use crate::message::Message;
use crate::sync::Arc;

pub(crate) struct Entry {
    message: TypeId,
    /// An `AgentRef` of that message type.
    reference: Box<dyn Any + Send + Sync>,
    pub(crate) cells: Vec<Arc<dyn AnyCell>>,
    pool: Pool,
    /// Once a shared pool is seated, and until it has ended.
    resize: Option<Arc<dyn Resize>>,
}

impl Entry {
    pub(crate) fn new<M: Message>(reference: &AgentRef<M>, pool: Pool) -> Self {
        Self {
            message: TypeId::of::<M>(),
            reference: Box::new(reference.clone()),
            cells: reference.any_cells(),
            pool,
            resize: None,
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

    /// The same; or the one member of a pool by key that is called so.
    pub(crate) fn cells_named(&self, name: &str) -> Vec<Arc<dyn AnyCell>> {
        let cells = self.cells(name);
        if !cells.is_empty() {
            return cells;
        }
        let Some((family, _)) = name.rsplit_once('/') else { return Vec::new() };
        self.cells(family).into_iter().filter(|cell| **cell.name() == *name).collect()
    }

    /// The pool of this name.
    pub(crate) fn pool(&self, name: &str) -> Result<Arc<dyn Resize>, ScaleError> {
        let not_found = || ScaleError::NotFound { name: name.to_owned() };
        // A member of a pool by key has a name of its own.
        let of_member = || {
            let entry = self.entries.get(name.rsplit_once('/')?.0)?;
            matches!(entry.pool, Pool::ByKey(_)).then_some(entry)
        };
        let entry = self.entries.get(name).or_else(of_member).ok_or_else(not_found)?;
        match entry.pool {
            _ if entry.has_ended() => Err(not_found()),
            Pool::Single => Err(ScaleError::Single { name: name.to_owned() }),
            Pool::ByKey(_) => Err(ScaleError::ByKey { name: name.to_owned() }),
            Pool::Shared(_) => entry.resize.clone().ok_or_else(not_found),
        }
    }

    /// From now on the pool of this name may change its size, if it is the one of this cell and has not ended.
    pub(crate) fn let_resize(&self, name: &str, cell: &Arc<dyn AnyCell>, resize: Arc<dyn Resize>) {
        if let Some(mut entry) = self.entries.get_mut(name)
            && entry.cells.iter().any(|other| Arc::ptr_eq(other, cell))
            && !entry.has_ended()
        {
            entry.resize = Some(resize);
        }
    }

    /// Every cell, by name.
    pub(crate) fn all_cells(&self) -> Vec<Arc<dyn AnyCell>> {
        let mut cells: Vec<_> = self.entries.iter().flat_map(|entry| entry.value().cells.clone()).collect();
        cells.sort_by(|a, b| a.name().cmp(b.name()));
        cells
    }

    /// Forgets an agent that ended as asked. One that failed stays to be seen until its name is taken, without its factory.
    pub(crate) fn forget_ended(&self, name: &str) {
        let resize = self
            .entries
            .get_mut(name)
            .filter(|entry| entry.has_ended())
            .and_then(|mut entry| entry.resize.take());
        // Dropped outside the lock: it holds a user's code.
        drop(resize);
        self.entries.remove_if(name, |_, entry| {
            entry.cells.iter().all(|cell| {
                cell.instances()
                    .iter()
                    .all(|instance| instance.state() == crate::telemetry::AgentState::Stopped)
            })
        });
    }
}
