//! The mailbox with its asynchronous edges, under virtual time and through the public interface only: random scripts are
//! played to one agent and, in parallel, to a model written from the documentation. The two agree on what is handled, in
//! which order and how often, on what every sender and asker was told, on the dead letters with their reasons, on the
//! counts and, after every step, on the depth.
//!
//! - `script`: what may happen, and how scripts are made up and shrunk.
//! - `model`: what is to come of it, by the book's chapter on the mailbox.
//! - `stage`: what came of it, by the runtime.
//!
//! Every step makes sense whatever came before it (a sender that is to lose patience is picked from those who wait then),
//! so any part of a script is a script, and a failure shrinks to the few steps that matter.

mod model;
mod script;
mod stage;

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use statim::Reason;

use script::{House, Step};
use stage::Told;

/// How many scripts; `STATIM_SCRIPTS` takes its place.
const SCRIPTS: u32 = 100;

fn config() -> Config {
    let cases =
        std::env::var("STATIM_SCRIPTS").map_or(SCRIPTS, |count| count.parse().expect("a number of scripts"));
    Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() }
}

fn assert_agree(house: House, steps: &[Step]) -> Result<(), TestCaseError> {
    let (played, expected) = (stage::play(house, steps), model::predict(house, steps));
    prop_assert_eq!(
        played.handled,
        expected.handled,
        "what was handled, in order, attempts and batches told apart"
    );
    prop_assert_eq!(played.told, expected.told, "what senders and askers were told");
    prop_assert_eq!(played.dead, expected.dead, "the dead letters");
    prop_assert_eq!(played.figures, expected.figures, "the depth and the counts after each step");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_happens_is_what_the_book_says(house in script::house(), steps in script::steps(60)) {
        assert_agree(house, &steps)?;
    }

    /// Nothing but sending, waiting and losing patience at a mailbox that is nearly always full.
    #[test]
    fn what_happens_in_a_crowd_is_what_the_book_says(house in script::crowded_house(), steps in script::crowd(80)) {
        assert_agree(house, &steps)?;
    }
}

/// The scripts are only worth something if everything that can happen to a message does, in some of them.
#[test]
fn the_scripts_make_everything_happen_that_can() {
    let mut runner = TestRunner::deterministic();
    let scripts = (script::house(), script::steps(60));
    let (mut reasons, mut told, mut batches, mut retries) = (BTreeSet::new(), HashSet::new(), 0, 0);
    for _ in 0..SCRIPTS {
        let (house, steps) = scripts.new_tree(&mut runner).unwrap().current();
        let play = model::predict(house, &steps);
        reasons.extend(play.dead.iter().map(|(_, reason)| *reason));
        reasons.extend(
            play.figures.iter().flat_map(|(_, counts)| counts.iter().flatten().map(|(reason, _)| *reason)),
        );
        told.extend(play.told.into_values());
        batches += play.handled.iter().filter(|call| call.len() > 1).count();
        retries += play.handled.iter().flatten().filter(|(_, attempt)| *attempt > 1).count();
    }
    // Admission control has tests of its own: `tests/overload`.
    let every = Reason::ALL.into_iter().filter(|reason| *reason != Reason::Overloaded);
    assert_eq!(reasons, every.collect());
    let dropped = |reason| Told::Dropped(reason);
    let every = [
        Told::Accepted,
        Told::Full,
        Told::Closed,
        Told::Expired,
        Told::Answered,
        Told::Timeout,
        Told::Nothing,
    ];
    let reasons_told = [Reason::Shed, Reason::Purged, Reason::Poisoned, Reason::Undeliverable].map(dropped);
    for outcome in every.into_iter().chain(reasons_told) {
        assert!(told.contains(&outcome), "nobody was told {outcome:?}");
    }
    assert!(batches > 0 && retries > 0, "{batches} batches, {retries} retries");
}
