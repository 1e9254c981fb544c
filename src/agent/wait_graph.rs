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

/// So many instances that wait for each other are not a cycle but a crowd: they are not searched through.
const MAX_INSTANCES: usize = 256;

/// Something that can be waited for: an agent or a pool.
pub(crate) trait WaitTarget: Send + Sync {
    fn name(&self) -> &Arc<str>;
    /// Every living instance that could answer.
    fn answerers(&self) -> Vec<Arc<Instance>>;
    /// Whether one of them `could`. The usual question, so it copies nothing.
    fn has_answerer(&self, could: &mut dyn FnMut(&Arc<Instance>) -> bool) -> bool;
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
            // One total order with the looks below: see above.
            waits.count.swap(targets.len() as u64, Ordering::SeqCst);
            number
        };
        let edge = Self { asker, number };
        match Graph::around(target, &edge.asker).and_then(|graph| graph.cycle()) {
            Some(cycle) => Err(cycle),
            None => Ok(edge),
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let waits = &self.asker.waits;
        let mut targets = lock(&waits.targets);
        if let Some(place) = targets.iter().position(|(number, _)| *number == self.number) {
            targets.remove(place);
            // Written under the lock only. Whoever sees it late takes us for waiting, and looks again under the lock.
            waits.count.store(targets.len() as u64, Ordering::Release);
        }
    }
}

/// Everybody whom an ask would wait for, directly or not, with the asker as a dead end.
///
/// Collected first and judged then, in time polynomial in its size: following each path by itself would
/// take for ever where several asks of one handler meet again, as in a pool that asks itself.
struct Graph {
    asker: Arc<Instance>,
    /// The first is the ask's own.
    targets: Vec<(Arc<dyn WaitTarget>, Vec<usize>)>,
    instances: Vec<(Arc<Instance>, Vec<usize>)>,
}

impl Graph {
    /// `None` if somebody is free to answer at once, which is the usual case, or if it is too large.
    fn around(target: Arc<dyn WaitTarget>, asker: &Arc<Instance>) -> Option<Self> {
        let mut is_free = |instance: &Arc<Instance>| {
            !Arc::ptr_eq(instance, asker) && instance.waits.count.load(Ordering::SeqCst) == 0
        };
        if target.has_answerer(&mut is_free) {
            return None;
        }
        let mut graph =
            Self { asker: Arc::clone(asker), targets: vec![(target, Vec::new())], instances: Vec::new() };
        let mut next = 0;
        while next < graph.targets.len() {
            let answerers = graph.targets[next].0.answerers();
            graph.targets[next].1 = answerers.into_iter().map(|instance| graph.instance(instance)).collect();
            if graph.instances.len() > MAX_INSTANCES {
                return None;
            }
            next += 1;
        }
        Some(graph)
    }

    fn instance(&mut self, instance: Arc<Instance>) -> usize {
        if let Some(known) = self.instances.iter().position(|(known, _)| Arc::ptr_eq(known, &instance)) {
            return known;
        }
        // Copied out: nobody's lock is held while another's is taken.
        let waits: Vec<_> = if Arc::ptr_eq(&instance, &self.asker) {
            Vec::new()
        } else {
            lock(&instance.waits.targets).iter().map(|(_, target)| Arc::clone(target)).collect()
        };
        let targets = waits.into_iter().map(|target| self.target(target)).collect();
        self.instances.push((instance, targets));
        self.instances.len() - 1
    }

    fn target(&mut self, target: Arc<dyn WaitTarget>) -> usize {
        let address = |target: &Arc<dyn WaitTarget>| Arc::as_ptr(target).cast::<()>();
        let known = self.targets.iter().position(|(known, _)| address(known) == address(&target));
        known.unwrap_or_else(|| {
            self.targets.push((target, Vec::new()));
            self.targets.len() - 1
        })
    }

    /// The cycle through the asker, if the ask could never be answered.
    fn cycle(&self) -> Option<Vec<Arc<str>>> {
        let stuck = self.stuck();
        if !stuck[0] {
            return None;
        }
        // Breadth first, so the shortest way is told. `from` is the target that led to each.
        let mut from = vec![None; self.targets.len()];
        let mut order = vec![0];
        let mut next = 0;
        while let Some(&target) = order.get(next) {
            next += 1;
            for &instance in &self.targets[target].1 {
                let (instance, waits) = &self.instances[instance];
                if Arc::ptr_eq(instance, &self.asker) {
                    return Some(self.path(target, &from));
                }
                for &further in waits {
                    if stuck[further] && !order.contains(&further) {
                        from[further] = Some(target);
                        order.push(further);
                    }
                }
            }
        }
        // Others may be in a cycle of their own for the moment in which they find out.
        None
    }

    /// Which targets nobody will ever answer for, given that the asker waits. Everybody is stuck, but
    /// who waits for nobody; who waits for none that is stuck; and so on.
    fn stuck(&self) -> Vec<bool> {
        let mut stuck = vec![true; self.targets.len()];
        loop {
            let goes_on = |instance: usize| {
                let (instance, waits) = &self.instances[instance];
                !Arc::ptr_eq(instance, &self.asker) && waits.iter().all(|&target| !stuck[target])
            };
            let freed: Vec<usize> = (0..self.targets.len())
                .filter(|&target| stuck[target])
                .filter(|&target| {
                    let answerers = &self.targets[target].1;
                    answerers.is_empty() || answerers.iter().any(|&instance| goes_on(instance))
                })
                .collect();
            if freed.is_empty() {
                return stuck;
            }
            freed.into_iter().for_each(|target| stuck[target] = false);
        }
    }

    /// From the asker over `last`, whose answer only the asker could give, back to the asker.
    fn path(&self, last: usize, from: &[Option<usize>]) -> Vec<Arc<str>> {
        let back = std::iter::successors(Some(last), |&target| from[target]);
        let mut path: Vec<_> = back.map(|target| Arc::clone(self.targets[target].0.name())).collect();
        path.push(Arc::clone(&self.asker.label));
        path.reverse();
        path
    }
}
