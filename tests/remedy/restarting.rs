//! `restart_agents`.

use std::time::Duration;

use statim::alert::Action;
use statim::monitor::{Monitor, MonitorOptions};
use statim::prelude::*;
use statim::remedy::{Deed, Remedies, RemedyOptions, RemedyOutcome, Skip};

use crate::support::{Done, alert, at, doers, eventually, load};

fn restart(at_most: u32) -> Action {
    Action::RestartAgents { agent: None, at_most, within: Duration::from_hours(1) }
}

#[test]
fn a_restart_under_load_loses_nothing() {
    const JOBS: usize = 30_000;
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let done = Done::of(3 * JOBS);
    let single = doers(&runtime, "single", AgentOptions::default().capacity(64), &done);
    let pool = doers(&runtime, "pool", AgentOptions::default().capacity(64).pool(Pool::Shared(3)), &done);
    let batches = AgentOptions::default().capacity(64).batch(BatchOptions::up_to(16));
    let batched = doers(&runtime, "batched", batches, &done);
    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let remedies = Remedies::new(&runtime, &monitor, RemedyOptions::default());
    let senders = [load(&single, 0..JOBS), load(&pool, JOBS..2 * JOBS), load(&batched, 2 * JOBS..3 * JOBS)];
    let action = restart(100);
    let mut restarts = 0;
    runtime.block_on(async {
        for round in 0..10 {
            for agent in ["single", "pool", "batched"] {
                let told = alert("r", agent, &action);
                let outcome = remedies.fired(&told, &action, at(round * 60)).await;
                assert!(
                    matches!(outcome, RemedyOutcome::Done { what: Deed::Restarted { serves: true, .. } }),
                    "{outcome:?}"
                );
                restarts += 1;
            }
        }
    });
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    eventually("every job", || done.total() == 3 * JOBS);
    assert!(done.is_each_once() && runtime.dead_letters().is_empty());
    let snapshot = runtime.snapshot();
    let counted: u64 = snapshot.agents.iter().map(|agent| agent.restarts).sum();
    assert_eq!((restarts, counted), (30, 10 + 10 + 3 * 10));
    assert!(runtime.shutdown_blocking().drained);
}

#[test]
fn a_rule_restarts_no_oftener_than_it_may() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    for name in ["a", "b", "c"] {
        doers(&runtime, name, AgentOptions::default(), &Done::of(0));
    }
    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let remedies = Remedies::new(&runtime, &monitor, RemedyOptions::default());
    let action = restart(2);
    runtime.block_on(async {
        let fired =
            async |agent, seconds| remedies.fired(&alert("r", agent, &action), &action, at(seconds)).await;
        assert!(fired("a", 0).await.is_done());
        assert!(matches!(fired("a", 1).await, RemedyOutcome::Skipped { why: Skip::Cooldown { .. } }));
        assert!(fired("b", 1).await.is_done());
        assert!(matches!(fired("c", 2).await, RemedyOutcome::Skipped { why: Skip::RateLimited { .. } }));
        assert!(matches!(fired("nobody", 2).await, RemedyOutcome::Skipped { why: Skip::NoSuchAgent { .. } }));
        assert!(fired("c", 3_600).await.is_done());
    });
}

#[test]
fn one_agent_at_a_time_is_restarted_and_whoever_waits_does_not_wait_for_ever() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let options = AgentOptions::default().placement(Placement::Own);
    let (busy, idle) = (Done::of(1), Done::of(0));
    let agent = runtime
        .spawn("busy", options, {
            let busy = busy.clone();
            move || Slow(busy.clone())
        })
        .unwrap();
    doers(&runtime, "idle", AgentOptions::default(), &idle);
    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let options = RemedyOptions { patience: Duration::from_millis(20), ..RemedyOptions::default() };
    let remedies = Remedies::new(&runtime, &monitor, options);
    let action = restart(3);
    runtime.block_on(async {
        agent.tell(Long(Duration::from_millis(300))).await.unwrap();
        // It is at the message.
        eventually("the message is taken", || agent.depth() == 0);
        let outcome = remedies.fired(&alert("r", "busy", &action), &action, at(0)).await;
        assert!(
            matches!(outcome, RemedyOutcome::Done { what: Deed::Restarted { serves: false, .. } }),
            "{outcome:?}"
        );
        let outcome = remedies.fired(&alert("r", "idle", &action), &action, at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::Busy { .. } }), "{outcome:?}");
    });
    eventually("the restart after the message", || runtime.snapshot().agent("busy").unwrap().restarts == 1);
    assert_eq!(busy.total(), 0, "nobody counts");
    eventually("the next turn", || {
        runtime.block_on(remedies.fired(&alert("r", "idle", &action), &action, at(1))).is_done()
    });
}

struct Long(Duration);
impl Message for Long {}
struct Slow(#[allow(dead_code)] Done);
impl Agent for Slow {
    type Message = Long;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, long: Long, _: &mut Context<Self>) -> Result<(), Self::Error> {
        tokio::time::sleep(long.0).await;
        Ok(())
    }
}

#[test]
fn without_a_name_the_worst_offender_is_restarted_but_nobody_who_is_spared() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let worst = runtime.spawn("worst", AgentOptions::default(), || Slow(Done::of(0))).unwrap();
    let spared = runtime.spawn("spared", AgentOptions::default(), || Slow(Done::of(0))).unwrap();
    doers(&runtime, "idle", AgentOptions::default(), &Done::of(0));
    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let options = RemedyOptions { spared: vec!["spared".to_owned()], ..RemedyOptions::default() };
    let remedies = Remedies::new(&runtime, &monitor, options);
    let action = restart(3);
    let nobody = alert("MemoryHigh", "", &action);
    runtime.block_on(async {
        let outcome = remedies.fired(&nobody, &action, at(0)).await;
        assert!(matches!(outcome, RemedyOutcome::Skipped { why: Skip::NobodyStandsOut }), "{outcome:?}");
        // They have started.
        worst.inspect().await.unwrap();
        spared.inspect().await.unwrap();
        for _ in 0..20 {
            worst.tell(Long(Duration::from_millis(5))).await.unwrap();
            spared.tell(Long(Duration::from_millis(50))).await.unwrap();
        }
        monitor.look();
        let outcome = remedies.fired(&nobody, &action, at(0)).await;
        assert!(
            matches!(&outcome, RemedyOutcome::Done { what: Deed::Restarted { agent, .. } } if agent == "worst"),
            "{outcome:?}"
        );
    });
}
