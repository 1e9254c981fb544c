//! Who waits for whom, so that an ask that would never be answered fails at once.
//!
//! An agent handles one message at a time. If A's handler waits for B, and B's for A, neither will ever
//! take the message the other waits for. So each instance keeps the asks its handler waits in, and a new
//! ask first looks whether everybody who could answer it is waiting, directly or not, for the asker.
//! (The textbook wait-for graph: Coffman, Elphick and Shoshani, "System Deadlocks", 1971.)
//!
//! Two agents that ask each other at the same moment on two threads both enter their edge before they
//! look, in one total order, so at least one of them sees the cycle.

use super::instance::Instance;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// Chains longer than this are not followed: they are long, not circular.
const MAX_DEPTH: usize = 64;

/// Something that can be waited for: an agent or a pool.
pub(crate) trait WaitTarget: Send + Sync {
    fn name(&self) -> &Arc<str>;
    /// Whether `all` holds for each instance that could answer; false if there is none.
    fn every_instance(&self, all: &mut dyn FnMut(&Arc<Instance>) -> bool) -> bool;
}

/// The asks that one instance's handler waits in.
#[derive(Default)]
pub(crate) struct Waits {
    count: AtomicU64,
    targets: Mutex<Vec<(u64, Arc<dyn WaitTarget>)>>,
}

/// An edge of the graph, for as long as the ask waits.
pub(super) struct Edge {
    asker: Arc<Instance>,
    number: u64,
}

impl Edge {
    /// `asker` begins to wait for `target`, or the cycle that this would close.
    pub(super) fn enter(asker: Arc<Instance>, target: Arc<dyn WaitTarget>) -> Result<Self, Vec<Arc<str>>> {
        let waits = &asker.waits;
        let number = {
            let mut targets = lock(&waits.targets);
            let number = targets.last().map_or(0, |(number, _)| number + 1);
            targets.push((number, Arc::clone(&target)));
            number
        };
        waits.count.fetch_add(1, Ordering::SeqCst);
        let edge = Self { asker, number };
        let mut path = vec![Arc::clone(&edge.asker.label)];
        if waits_for(&*target, &edge.asker, &mut path) {
            return Err(path);
        }
        Ok(edge)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let waits = &self.asker.waits;
        let mut targets = lock(&waits.targets);
        if let Some(place) = targets.iter().position(|(number, _)| *number == self.number) {
            targets.remove(place);
            waits.count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Whether every instance that could answer for `target` waits for `asker`. `path` then tells how.
fn waits_for(target: &dyn WaitTarget, asker: &Arc<Instance>, path: &mut Vec<Arc<str>>) -> bool {
    if path.len() > MAX_DEPTH {
        return false;
    }
    let depth = path.len();
    let blocked = target.every_instance(&mut |instance| {
        path.truncate(depth);
        path.push(Arc::clone(target.name()));
        if Arc::ptr_eq(instance, asker) {
            return true;
        }
        if instance.waits.count.load(Ordering::SeqCst) == 0 {
            return false;
        }
        // Copied out: following the chain takes other instances' locks.
        let next: Vec<_> =
            lock(&instance.waits.targets).iter().map(|(_, target)| Arc::clone(target)).collect();
        next.iter().any(|target| waits_for(&**target, asker, path))
    });
    if !blocked {
        path.truncate(depth);
    }
    blocked
}
