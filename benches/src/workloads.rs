//! The things done with every system, one file each. A new one is named twice here: as a module, and in [`cases`].

use std::fmt;
use std::time::Duration;

use crate::systems::{self, Visitor};
use crate::{Fault, Placement, System, Verb};

mod ask;
mod ask_across_arbiters;
mod ask_same_arbiter;
mod tell;
mod tell_one_thread;
mod tell_prioritised_bounded;

pub use ask_across_arbiters::AskAcrossArbiters;
pub use ask_same_arbiter::AskSameArbiter;
pub use tell_one_thread::TellOneThread;
pub use tell_prioritised_bounded::TellPrioritisedBounded;

/// One thing to do with a system, and how much of it.
pub trait Workload {
    /// The name in the tables and in the JSON.
    const NAME: &'static str;
    /// What is done, in one line.
    const ABOUT: &'static str;
    /// What it needs of a system.
    const VERB: Verb;
    /// Where the driver runs, seen from the actor under test.
    const PLACEMENT: Placement;
    /// Operations in a full round; a quick round does a tenth.
    const OPERATIONS: u64;

    /// Does the work and gives the time from the first operation to the last confirmation.
    ///
    /// # Errors
    /// A message was lost, an answer was wrong, or the system failed.
    fn run<S: System>(operations: u64) -> Result<Duration, Fault>;
}

/// One workload on one system.
#[derive(Clone)]
pub struct Case {
    /// The workload's name.
    pub workload: &'static str,
    /// What the workload does, in one line.
    pub about: &'static str,
    /// The system's name.
    pub system: String,
    /// The crate the system comes from.
    pub package: &'static str,
    /// Operations in a full round.
    pub operations: u64,
    /// Runs so many operations.
    pub run: fn(u64) -> Result<Duration, Fault>,
}

/// Every workload on every system that offers what it needs, workload by workload.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    add::<TellPrioritisedBounded>(&mut cases);
    add::<TellOneThread>(&mut cases);
    add::<AskSameArbiter>(&mut cases);
    add::<AskAcrossArbiters>(&mut cases);
    cases
}

fn add<W: Workload>(cases: &mut Vec<Case>) {
    systems::each(&mut Pairing::<'_, W>(cases, std::marker::PhantomData));
}

struct Pairing<'a, W>(&'a mut Vec<Case>, std::marker::PhantomData<W>);

impl<W: Workload> Visitor for Pairing<'_, W> {
    fn visit<S: System>(&mut self) {
        if S::offers(W::VERB, W::PLACEMENT) {
            self.0.push(Case {
                workload: W::NAME,
                about: W::ABOUT,
                system: S::name(),
                package: S::package(),
                operations: W::OPERATIONS,
                run: W::run::<S>,
            });
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.workload, self.system)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::sync::mpsc;

    use super::*;
    use crate::{Ask, Counter, Peer, Pinned, Target, Work};

    #[test]
    fn every_system_confirms_every_message_of_every_workload() {
        for case in cases() {
            if let Err(fault) = (case.run)(300) {
                panic!("{case:?}: {fault}");
            }
        }
    }

    #[test]
    fn no_system_appears_twice_in_one_workload() {
        let mut seen = BTreeSet::new();
        for case in cases() {
            assert!(seen.insert((case.workload, case.system.clone())), "{case:?} appears twice");
        }
    }

    /// A system that loses its first message and doubles its second, so that only the sum tells.
    struct Careless;

    struct CarelessTarget(mpsc::UnboundedSender<Work>);

    impl Peer for Careless {
        const NAME: &'static str = "careless";
        const PACKAGE: &'static str = "careless";
        type Target = CarelessTarget;

        async fn start(mut counter: Counter) -> Result<CarelessTarget, Fault> {
            let (sender, mut receiver) = mpsc::unbounded_channel::<Work>();
            tokio::spawn(async move {
                while let Some(work) = receiver.recv().await {
                    match work.value {
                        0 => {}
                        1 => (0..2).for_each(|_| counter.work(work)),
                        _ => counter.work(work),
                    }
                }
            });
            Ok(CarelessTarget(sender))
        }
    }

    impl Target for CarelessTarget {
        async fn tell(&self, work: Work) -> Result<(), Fault> {
            self.0.send(work).map_err(Fault::gone)
        }

        async fn ask(&self, Ask(asked): Ask) -> Result<u64, Fault> {
            Ok(asked)
        }
    }

    #[test]
    fn a_system_that_loses_a_message_and_doubles_another_has_no_figure() {
        let outcome = TellOneThread::run::<Pinned<Careless>>(100);
        assert!(matches!(outcome, Err(Fault::Sum { .. })), "{outcome:?}");
    }

    #[test]
    fn a_wrong_answer_has_no_figure() {
        let outcome = AskAcrossArbiters::run::<Pinned<Careless>>(100);
        assert!(matches!(outcome, Err(Fault::Answer { asked: 0, answered: 0 })), "{outcome:?}");
    }
}
