//! The instances that serve one mailbox: who they are, who comes and who goes.

use super::instance::{Command, Instance};
use crate::mailbox::ConsumerId;
use crate::sync::Arc;
use crate::telemetry::{LaneLatencies, Latencies, Work};

/// The instances of a cell, and what former ones did.
#[derive(Debug, Default)]
pub(super) struct Members {
    list: Vec<Arc<Instance>>,
    /// Somebody was told to stop: nobody comes any more.
    ending: bool,
    /// Told to pause, and not to resume since.
    paused: bool,
    /// Made when the first member leaves a pool: most never do.
    former: Option<Box<Former>>,
}

/// What members did that have left.
#[derive(Debug, Default)]
struct Former {
    work: Work,
    latencies: Latencies,
}

/// Why nobody may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

impl Members {
    pub(super) fn list(&self) -> &[Arc<Instance>] {
        &self.list
    }

    /// One of those it begins with.
    pub(super) fn push(&mut self, instance: Arc<Instance>) {
        self.list.push(instance);
    }

    pub(super) fn have_all_ended(&self) -> bool {
        self.list.iter().all(|instance| instance.state().is_final())
    }

    /// Those who serve, or will again, and are to stay.
    pub(super) fn staying(&self) -> impl DoubleEndedIterator<Item = &Arc<Instance>> {
        self.list.iter().filter(|instance| !instance.state().is_final() && !instance.is_leaving())
    }

    /// Takes note of what is commanded to all.
    pub(super) fn note(&mut self, command: &Command) {
        match command {
            Command::Stop { .. } => self.ending = true,
            Command::Pause => self.paused = true,
            Command::Resume => self.paused = false,
            _ => {}
        }
    }

    /// So many more, each made with its number. Those that were given up make room for them.
    pub(super) fn join(
        &mut self,
        count: usize,
        make: &mut dyn FnMut(ConsumerId) -> Arc<Instance>,
    ) -> Result<Vec<Arc<Instance>>, Ended> {
        if self.ending || self.staying().next().is_none() {
            return Err(Ended);
        }
        let (gone, list) = std::mem::take(&mut self.list).into_iter().partition(|it| it.state().is_final());
        self.list = list;
        Vec::into_iter(gone).for_each(|instance| self.remember(&instance));
        let came: Vec<_> = (0..count)
            .map(|_| {
                let instance = make(self.free_number());
                if self.paused {
                    // Nobody serves it yet, so it cannot have ended.
                    let _ = instance.command(Command::Pause);
                }
                self.list.push(Arc::clone(&instance));
                instance
            })
            .collect();
        Ok(came)
    }

    /// The lowest number that nobody has.
    fn free_number(&self) -> ConsumerId {
        let is_free = |number: &ConsumerId| self.list.iter().all(|instance| instance.consumer != *number);
        (0..ConsumerId::MAX).find(is_free).unwrap_or(ConsumerId::MAX)
    }

    /// Those who came last are to leave, all but so many; they have yet to be told.
    pub(super) fn dismiss_all_but(&mut self, stay: usize) -> Vec<Arc<Instance>> {
        let surplus = self.staying().count().saturating_sub(stay.max(1));
        let leaving: Vec<_> = self.staying().rev().take(surplus).cloned().collect();
        leaving.iter().for_each(|instance| instance.set_leaving(true));
        leaving
    }

    /// Whether it may leave as it was told: somebody else stays. If not it stays itself.
    pub(super) fn may_leave(&mut self, instance: &Arc<Instance>) -> bool {
        let others_stay = self.staying().any(|other| !Arc::ptr_eq(other, instance));
        if !others_stay {
            instance.set_leaving(false);
        }
        others_stay
    }

    /// It has left.
    pub(super) fn remove(&mut self, instance: &Arc<Instance>) {
        // Whoever came in its place may have made room before.
        if let Some(place) = self.list.iter().position(|other| Arc::ptr_eq(other, instance)) {
            self.list.remove(place);
            self.remember(instance);
        }
    }

    fn remember(&mut self, instance: &Instance) {
        let former = self.former.get_or_insert_default();
        former.work.add(&instance.figures.work());
        instance.figures.add_latencies_to(&mut former.latencies);
    }

    /// What former members did.
    pub(super) fn former_work(&self) -> Work {
        self.former.as_ref().map(|former| former.work).unwrap_or_default()
    }

    pub(super) fn former_lanes(&self) -> LaneLatencies {
        self.former.as_ref().map(|former| LaneLatencies::of(&former.latencies)).unwrap_or_default()
    }

    pub(super) fn add_former_latencies_to(&self, all: &mut Latencies) {
        if let Some(former) = &self.former {
            all.add(&former.latencies);
        }
    }
}
