//! The things done with every system, one file each. A new one is named twice here: as a module, and in [`cases`].

use std::fmt;
use std::time::Duration;

use crate::crowd::Venue;
use crate::systems::statim::Statim;
use crate::systems::{self, Visitor};
use crate::{Fault, Placement, System, Verb, crowds};

mod ask;
mod ask_across_arbiters;
mod ask_same_arbiter;
mod fan_out;
mod ring;
mod skynet;
pub(crate) mod spawn;
mod telemetry_off;
mod tell;
mod tell_four_senders;
mod tell_one_thread;
mod tell_prioritised_bounded;

pub use ask_across_arbiters::AskAcrossArbiters;
pub use ask_same_arbiter::AskSameArbiter;
pub use fan_out::FanOut;
pub use ring::Ring;
pub use skynet::Skynet;
pub use spawn::Spawn;
pub use telemetry_off::TelemetryOff;
pub use tell_four_senders::TellFourSenders;
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

/// One thing to do with a crowd of small actors, and how much of it.
pub trait CrowdWorkload {
    /// The name in the tables and in the JSON.
    const NAME: &'static str;
    /// What is done, in one line.
    const ABOUT: &'static str;
    /// Operations in a full round; a quick round does a tenth.
    const OPERATIONS: u64;
    /// The most rounds it is worth: a few, where a round is long.
    const ROUNDS: usize = usize::MAX;

    /// The most operations up to this many that make a whole round.
    fn fitting(operations: u64) -> u64 {
        operations
    }

    /// Does the work and gives the time from the first operation to the last confirmation.
    ///
    /// # Errors
    /// A message was lost, an answer was wrong, or the system failed.
    fn run<V: Venue>(operations: u64) -> Result<Duration, Fault>;
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
    /// The most rounds it is worth.
    pub rounds: usize,
    /// The most operations up to a number that make a whole round.
    pub fitting: fn(u64) -> u64,
    /// Runs so many operations.
    pub run: fn(u64) -> Result<Duration, Fault>,
}

/// Every workload on every system that offers what it needs, workload by workload.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    add::<TellPrioritisedBounded>(&mut cases);
    add::<TellFourSenders>(&mut cases);
    add::<TellOneThread>(&mut cases);
    add::<AskSameArbiter>(&mut cases);
    add::<AskAcrossArbiters>(&mut cases);
    add_crowd::<Ring>(&mut cases);
    add_crowd::<FanOut>(&mut cases);
    add_crowd::<Spawn>(&mut cases);
    add_crowd::<Skynet>(&mut cases);
    let mut statim_alone = Pairing::<'_, TelemetryOff>(&mut cases, std::marker::PhantomData);
    statim_alone.visit::<Statim<true>>();
    statim_alone.visit::<Statim<false>>();
    cases
}

fn add<W: Workload>(cases: &mut Vec<Case>) {
    systems::each(&mut Pairing::<'_, W>(cases, std::marker::PhantomData));
}

fn add_crowd<W: CrowdWorkload>(cases: &mut Vec<Case>) {
    crowds::each(&mut CrowdPairing::<'_, W>(cases, std::marker::PhantomData));
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
                rounds: usize::MAX,
                fitting: |operations| operations,
                run: W::run::<S>,
            });
        }
    }
}

struct CrowdPairing<'a, W>(&'a mut Vec<Case>, std::marker::PhantomData<W>);

impl<W: CrowdWorkload> crowds::Visitor for CrowdPairing<'_, W> {
    fn visit<V: Venue>(&mut self) {
        self.0.push(Case {
            workload: W::NAME,
            about: W::ABOUT,
            system: V::name(),
            package: V::package(),
            operations: W::OPERATIONS,
            rounds: W::ROUNDS,
            fitting: W::fitting,
            run: W::run::<V>,
        });
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
    use crate::crowd::{Crowd, Member, Note, Parent};
    use crate::{Ask, Counter, Peer, Pinned, Target, Work};

    #[test]
    fn every_system_confirms_every_message_of_every_workload() {
        for case in cases() {
            if let Err(fault) = (case.run)((case.fitting)(300)) {
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

    #[derive(Clone)]
    struct CarelessTarget(mpsc::UnboundedSender<Work>);

    impl Peer for Careless {
        const NAME: &'static str = "careless";
        const PACKAGE: &'static str = "careless";
        type Target = CarelessTarget;

        async fn start(mut counter: Counter, _: usize) -> Result<CarelessTarget, Fault> {
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

    /// As a crowd it answers wrongly, skips a hop, and reports a tree without looking at it.
    impl Crowd for Careless {
        type Ref = ();
        type Here = ();

        async fn start((): &(), _: Member<Self>) -> Result<(), Fault> {
            Ok(())
        }

        async fn tell((): &(), note: Note<Self>) -> Result<(), Fault> {
            match note {
                Note::Token { left, finish, .. } => drop(finish.send(left - 1)),
                Note::Grow { parent: Parent::Driver(driver), .. } => drop(driver.send(Ok(0))),
                _ => {}
            }
            Ok(())
        }

        async fn ask((): &(), Ask(asked): Ask) -> Result<u64, Fault> {
            Ok(asked)
        }
    }

    #[test]
    fn a_crowd_that_skips_a_hop_or_a_leaf_or_answers_wrongly_has_no_figure() {
        let ring = Ring::run::<Pinned<Careless>>(100);
        assert!(matches!(ring, Err(Fault::Sum { expected: 100, found: 99 })), "{ring:?}");
        let skynet = Skynet::run::<Pinned<Careless>>(111);
        assert!(matches!(skynet, Err(Fault::Sum { expected: 4_950, found: 0 })), "{skynet:?}");
        let spawn = Spawn::run::<Pinned<Careless>>(10);
        assert!(matches!(spawn, Err(Fault::Answer { asked: 0, answered: 0 })), "{spawn:?}");
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
