//! The skynet benchmark (github.com/atemerev/skynet): an actor starts ten, each of them ten more, down to the leaves;
//! each leaf reports its number, each inner node the sum of its children, and the root the sum of all. Actors end when
//! they have reported.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::CrowdWorkload;
use crate::Fault;
use crate::crowd::{BRANCHES, Crowd, Member, Note, Parent, Venue};

/// The workload `skynet`.
#[derive(Debug)]
pub struct Skynet;

impl CrowdWorkload for Skynet {
    const NAME: &'static str = "skynet";
    const ABOUT: &'static str = "a tree of actors, ten children each, down to a million leaves (100,000 in a quick run), an actor one operation";
    const OPERATIONS: u64 = 1_111_111;
    const ROUNDS: usize = 3;

    fn fitting(operations: u64) -> u64 {
        actors(leaves(operations))
    }

    fn run<V: Venue>(operations: u64) -> Result<Duration, Fault> {
        V::run(move |here| async move {
            let leaves = leaves(operations);
            let (report, sum) = oneshot::channel();
            let started = Instant::now();
            let root = V::Crowd::start(&here, Member::new()).await?;
            let (me, parent) = (root.clone(), Parent::Driver(report));
            V::Crowd::tell(&root, Note::Grow { me, parent, first: 0, leaves }).await?;
            drop(root);
            let found = sum.await.map_err(Fault::gone)??;
            let took = started.elapsed();
            let expected = leaves * (leaves - 1) / 2;
            if found == expected { Ok(took) } else { Err(Fault::Sum { expected, found }) }
        })
    }
}

/// The leaves of the largest whole tree of at most so many actors.
fn leaves(operations: u64) -> u64 {
    let mut leaves = 1;
    while actors(leaves * BRANCHES) <= operations {
        leaves *= BRANCHES;
    }
    leaves
}

/// All actors of a tree with so many leaves, a power of [`BRANCHES`].
fn actors(leaves: u64) -> u64 {
    std::iter::successors(Some(leaves), |level| (*level > 1).then(|| level / BRANCHES)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_the_largest_whole_one_that_fits() {
        assert_eq!(Skynet::fitting(1_111_111), 1_111_111);
        assert_eq!(Skynet::fitting(1_111_110), 111_111);
        assert_eq!(Skynet::fitting(111_111), 111_111);
        assert_eq!(Skynet::fitting(300), 111);
        assert_eq!(Skynet::fitting(1), 1);
    }
}
