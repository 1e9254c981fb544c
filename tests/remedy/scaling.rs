//! `scale_up`, and back.

use std::time::Duration;

use statim::alert::Action;
use statim::monitor::{Monitor, MonitorOptions};
use statim::prelude::*;
use statim::remedy::{Deed, Remedies, RemedyOptions, RemedyOutcome, Skip};

use crate::support::{Done, alert, at, doers, eventually, load};

fn remedies(runtime: &Runtime) -> Remedies {
    let monitor = Monitor::new(runtime, MonitorOptions::default());
    Remedies::new(runtime, &monitor, RemedyOptions::default())
}

fn up(step: u32, maximum: u32) -> Action {
    Action::ScaleUp { agent: None, step, maximum, cooldown: Duration::from_mins(5) }
}

fn instances(runtime: &Runtime, agent: &str) -> usize {
    runtime.snapshot().agent(agent).unwrap().instances
}

#[test]
fn a_rule_that_fires_adds_a_member_and_its_resolve_takes_it_away_with_every_message_handled_once() {
    const JOBS: usize = 40_000;
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let done = Done::of(JOBS);
    let pool = AgentOptions::default().capacity(128).pool(Pool::Shared(2));
    let agent = doers(&runtime, "pool", pool, &done);
    let remedies = remedies(&runtime);
    let action = up(1, 4);
    let alert = alert("ResponseTimeHigh", "pool", &action);
    let sender = load(&agent, 0..JOBS);
    runtime.block_on(async {
        for (round, seconds) in (0..8_u64).map(|round| (round, round * 1_000)) {
            let outcome = remedies.fired(&alert, &action, at(seconds)).await;
            assert!(
                matches!(&outcome, RemedyOutcome::Done { what: Deed::ScaledUp { from: 2, to: 3, .. } }),
                "{round}: {outcome:?}"
            );
            let early = remedies.fired(&alert, &action, at(seconds + 299)).await;
            assert!(matches!(early, RemedyOutcome::Skipped { why: Skip::Cooldown { .. } }), "{early:?}");
            std::thread::sleep(Duration::from_millis(5));
            let outcome = remedies.resolved(&alert, &action, at(seconds + 400)).await;
            let back = vec![("pool".to_owned(), 3, 2)];
            assert!(
                matches!(&outcome, RemedyOutcome::Done { what: Deed::ScaledDown { agents } } if *agents == back),
                "{outcome:?}"
            );
        }
    });
    sender.join().unwrap();
    eventually("every job", || done.total() == JOBS);
    assert!(done.is_each_once());
    eventually("the way back", || instances(&runtime, "pool") == 2);
    assert!(runtime.dead_letters().is_empty());
    assert_eq!(runtime.snapshot().agent("pool").unwrap().handled, JOBS as u64);
    assert!(runtime.shutdown_blocking().drained);
}

#[test]
fn steps_stop_at_the_maximum_and_each_incident_takes_away_what_it_added() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    doers(&runtime, "pool", AgentOptions::default().pool(Pool::Shared(2)), &Done::of(0));
    let remedies = remedies(&runtime);
    let action = up(3, 6);
    let (one, mut other) = (alert("One", "pool", &action), alert("Other", "pool", &action));
    runtime.block_on(async {
        assert!(remedies.fired(&one, &action, at(0)).await.is_done());
        let second = remedies.fired(&other, &action, at(0)).await;
        assert!(matches!(second, RemedyOutcome::Done { what: Deed::ScaledUp { from: 5, to: 6, .. } }));
        let full = remedies.fired(&one, &action, at(600)).await;
        assert!(matches!(full, RemedyOutcome::Skipped { why: Skip::AtMaximum { instances: 6, .. } }));
        assert!(remedies.resolved(&one, &action, at(700)).await.is_done());
        eventually("three leave", || instances(&runtime, "pool") == 3);
        let again = remedies.resolved(&one, &action, at(701)).await;
        assert!(matches!(again, RemedyOutcome::Skipped { why: Skip::NothingToUndo }));
        // A rule that has lost its action.
        other.actions.clear();
        assert!(remedies.undo(&other.dedup_key).is_done());
        eventually("one leaves", || instances(&runtime, "pool") == 2);
    });
}

#[test]
fn who_cannot_be_scaled_is_skipped_with_the_reason() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    doers(&runtime, "single", AgentOptions::default(), &Done::of(0));
    let remedies = remedies(&runtime);
    let action = up(1, 8);
    runtime.block_on(async {
        let outcome = remedies.fired(&alert("r", "single", &action), &action, at(0)).await;
        assert!(matches!(&outcome, RemedyOutcome::Skipped { why: Skip::Unfit { .. } }), "{outcome:?}");
        assert!(outcome.to_string().contains("Pool::Shared"), "{outcome}");
        let outcome = remedies.fired(&alert("r", "nobody", &action), &action, at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NoSuchAgent { .. } }), "{outcome:?}");
        let outcome = remedies.fired(&alert("r", "", &action), &action, at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NoAgent }), "{outcome:?}");
        let outcome = remedies.fired(&alert("r", "single", &action), &Action::notify(), at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NotARemedy }), "{outcome:?}");
    });
}

#[test]
fn restored_in_the_same_process_it_takes_away_what_was_added_and_in_another_nothing() {
    let action = up(2, 8);
    let told = alert("r", "pool", &action);
    let start = || {
        let runtime = Runtime::builder().arbiters(1).start().unwrap();
        doers(&runtime, "pool", AgentOptions::default().pool(Pool::Shared(3)), &Done::of(0));
        runtime
    };
    let (here, elsewhere) = (start(), start());
    let stored = here.block_on(async {
        let before = remedies(&here);
        assert!(before.fired(&told, &action, at(0)).await.is_done());
        serde_json::to_string(&before.snapshot()).unwrap()
    });
    for (runtime, left) in [(&elsewhere, 3), (&here, 3)] {
        let restored = remedies(runtime);
        restored.restore(serde_json::from_str(&stored).unwrap());
        runtime.block_on(async {
            let early = restored.fired(&told, &action, at(299)).await;
            assert!(matches!(early, RemedyOutcome::Skipped { why: Skip::Cooldown { .. } }), "{early:?}");
            restored.resolved(&told, &action, at(300)).await;
        });
        eventually("the configured size", || instances(runtime, "pool") == left);
    }
}

#[test]
fn a_pool_that_was_stopped_and_spawned_again_keeps_its_members() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let spawn = || doers(&runtime, "pool", AgentOptions::default().pool(Pool::Shared(1)), &Done::of(0));
    let remedies = remedies(&runtime);
    let action = up(2, 8);
    let told = alert("r", "pool", &action);
    spawn();
    runtime.block_on(async {
        assert!(remedies.fired(&told, &action, at(0)).await.is_done());
        runtime.stop_and_wait("pool").await;
        spawn();
        runtime.scale("pool", 4).await.unwrap();
        let outcome = remedies.resolved(&told, &action, at(1)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NothingToUndo }), "{outcome:?}");
    });
    assert_eq!(instances(&runtime, "pool"), 4);
}

#[test]
fn never_are_fewer_left_than_the_pool_was_spawned_with() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    doers(&runtime, "pool", AgentOptions::default().pool(Pool::Shared(3)), &Done::of(0));
    let remedies = remedies(&runtime);
    let action = up(2, 8);
    let told = alert("r", "pool", &action);
    runtime.block_on(async {
        assert!(remedies.fired(&told, &action, at(0)).await.is_done());
        // An operator has taken one of the two away.
        runtime.scale("pool", 4).await.unwrap();
        let outcome = remedies.resolved(&told, &action, at(1)).await;
        let back = vec![("pool".to_owned(), 4, 3)];
        assert!(
            matches!(&outcome, RemedyOutcome::Done { what: Deed::ScaledDown { agents } } if *agents == back),
            "{outcome:?}"
        );
    });
}
