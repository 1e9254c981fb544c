//! Names, pools and threads: what a spawn leaves behind, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::{Probe, virtual_time};
use statim::{AgentState, Restart, SpawnError, Supervision};

use crate::support::{Counter, Desk, Do, Tick, eventually, the_machine};

#[test]
fn a_pool_by_key_that_has_stopped_is_forgotten_like_any_agent() {
    virtual_time(async |runtime| {
        let agent = Desk::new().spawn(runtime, "pool", AgentOptions::default().pool(Pool::ByKey(3)));
        assert_eq!(agent.name(), "pool", "the name it is found by");
        assert!(runtime.find::<Do>(agent.name()).is_ok());
        assert_eq!(runtime.snapshot().agents.len(), 3);
        runtime.stop_and_wait("pool").await;
        assert!(runtime.snapshot().agents.is_empty(), "{:?}", runtime.snapshot().agents);
    });
}

#[test]
fn a_pool_with_an_ended_member_can_be_inspected_and_paused() {
    virtual_time(async |runtime| {
        let never = Supervision { restart: Restart::Never, ..Supervision::default() };
        let options = AgentOptions::default().pool(Pool::Shared(3)).supervision(never);
        let agent = Desk::new().spawn(runtime, "pool", options);
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        runtime.settle().await;
        let found = agent.inspect().await.expect("two members go on");
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|member| member.state == AgentState::Running));
        agent.pause().unwrap();
        runtime.settle().await;
        assert!(agent.inspect().await.unwrap().iter().all(|member| member.state == AgentState::Paused));
        agent.stop().unwrap();
    });
}

#[test]
fn a_generic_agents_type_is_named_by_itself_and_not_by_its_parameter() {
    virtual_time(async |runtime| {
        let (_probe, _log) = Probe::<Do>::spawn(runtime, "probe", AgentOptions::default()).unwrap();
        assert_eq!(runtime.snapshot().agent("probe").unwrap().agent_type, "Probe");
        runtime.stop_and_wait("probe").await;
    });
}

/// Runs the calling test once more in a process of its own, where it can count threads. True there.
fn alone(test: &str) -> bool {
    const ALONE: &str = "STATIM_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let _machine = the_machine();
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "no test is called {test}");
    false
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn counter() -> impl Fn() -> Counter + Send + Sync + 'static {
    || Counter(Arc::<AtomicU64>::default())
}

#[test]
#[cfg(target_os = "linux")]
fn agents_on_arbiters_of_their_own_give_their_threads_back() {
    if !alone("names::agents_on_arbiters_of_their_own_give_their_threads_back") {
        return;
    }
    let before_all = threads();
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let before = threads();
    let own = || AgentOptions::default().placement(Placement::Own);
    for n in 0..50 {
        runtime.spawn(&format!("agent {n}"), own(), counter()).unwrap();
    }
    assert_eq!(threads(), before + 50);
    // A taken name costs no thread.
    for _ in 0..20 {
        let refused = runtime.spawn("agent 0", own().pool(Pool::Shared(4)), counter());
        assert!(matches!(refused, Err(SpawnError::NameTaken { .. })));
    }
    assert_eq!(threads(), before + 50, "those that were refused");
    runtime.block_on(async {
        for n in 0..50 {
            runtime.stop_and_wait(&format!("agent {n}")).await;
        }
    });
    eventually("fifty threads end", || threads() == before);
    runtime.spawn("one more", own(), counter()).unwrap();
    let handle = runtime.handle().clone();
    runtime.shutdown_blocking();
    assert_eq!(threads(), before_all, "after the shutdown");
    assert!(handle.spawn("late", own(), counter()).is_err());
    assert_eq!(threads(), before_all, "after a spawn that came too late");
}

#[test]
#[cfg(target_os = "linux")]
fn a_spawn_after_the_runtime_was_dropped_is_refused_and_leaves_no_thread() {
    if !alone("names::a_spawn_after_the_runtime_was_dropped_is_refused_and_leaves_no_thread") {
        return;
    }
    let before = threads();
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    for placement in [Placement::Shared, Placement::Own, Placement::group("g")] {
        let late = handle.spawn("late", AgentOptions::default().placement(placement), counter());
        assert!(matches!(late, Err(SpawnError::ShuttingDown { .. })), "{late:?}");
    }
    eventually("every thread ends", || threads() == before);
}

#[test]
fn of_many_that_spawn_one_name_at_once_exactly_one_wins() {
    let _machine = the_machine();
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    for round in 0..50 {
        let name = format!("agent {round}");
        let won: usize = std::thread::scope(|scope| {
            let spawn = || usize::from(runtime.spawn(&name, AgentOptions::default(), counter()).is_ok());
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(spawn)).collect();
            tries.into_iter().map(|tried| tried.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
        runtime.find::<Tick>(&name).unwrap().try_tell(Tick).unwrap();
    }
    assert!(runtime.shutdown_blocking().drained);
}

#[test]
fn agents_spawned_while_the_runtime_ends_end_with_it_or_are_refused() {
    let _machine = the_machine();
    for round in 0..20 {
        let runtime = Runtime::builder().arbiters(2).start().unwrap();
        let handle = runtime.handle().clone();
        let spawner = std::thread::spawn(move || {
            let mut agents = Vec::new();
            for n in 0.. {
                let own = n % 8 == 7;
                let placement = if own { Placement::Own } else { Placement::Shared };
                let options = AgentOptions::default().placement(placement);
                match handle.spawn(&format!("agent {n}"), options, counter()) {
                    Ok(agent) => agents.push(agent),
                    Err(_) => break,
                }
            }
            agents
        });
        std::thread::sleep(Duration::from_micros(500 * round));
        if round % 2 == 0 {
            let report = runtime.shutdown_blocking();
            assert!(report.drained, "{report:?}");
        } else {
            drop(runtime);
        }
        for agent in spawner.join().unwrap() {
            eventually("an agent takes no more messages", || agent.is_closed());
        }
    }
}

#[test]
fn a_stop_right_after_the_spawn_is_obeyed() {
    let _machine = the_machine();
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let finder = runtime.handle().clone();
    let found = Arc::new(AtomicU64::new(0));
    let kept = found.clone();
    let watcher = std::thread::spawn(move || {
        for n in 0..300 {
            let name = format!("agent {n}");
            // As soon as it can be found, it can be told to stop.
            let agent = loop {
                match finder.find::<Tick>(&name) {
                    Ok(agent) => break agent,
                    Err(_) => std::hint::spin_loop(),
                }
            };
            assert!(agent.stop().is_ok(), "{name} was found and could not be stopped");
            kept.fetch_add(1, Ordering::Relaxed);
        }
    });
    for n in 0..300 {
        let agent = runtime.spawn(&format!("agent {n}"), AgentOptions::default(), counter()).unwrap();
        eventually("the agent is found", || watcher.is_finished() || found.load(Ordering::Relaxed) > n);
        eventually("the agent ends", || watcher.is_finished() || agent.is_closed());
    }
    watcher.join().unwrap();
    runtime.shutdown_blocking();
}

#[test]
#[cfg(target_os = "linux")]
fn thousands_of_agents_leave_nothing_behind() {
    if !alone("names::thousands_of_agents_leave_nothing_behind") {
        return;
    }
    fn resident_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let round = || {
        let agents: Vec<_> = (0..5_000)
            .map(|n| runtime.spawn(&format!("agent {n}"), AgentOptions::default(), counter()).unwrap())
            .collect();
        for agent in &agents {
            agent.try_tell(Tick).unwrap();
            agent.stop().unwrap();
        }
        eventually("all end", || agents.iter().all(AgentRef::is_closed));
        eventually("all are forgotten", || runtime.snapshot().agents.is_empty());
    };
    // How many are alive at once depends on the machine's load, and the allocator keeps what the fullest round
    // took. A kibibyte left behind by each of the 40,000 that follow would still stand out.
    for _ in 0..2 {
        round();
    }
    let before = resident_kib();
    for _ in 0..8 {
        round();
    }
    let after = resident_kib();
    assert!(after < before + 24_576, "{before} KiB after 10,000 agents, {after} KiB after 50,000");
    runtime.shutdown_blocking();
}
