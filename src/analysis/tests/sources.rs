use std::collections::BTreeMap;

use super::made::*;
use crate::analysis::evidence::Evidence;
use crate::analysis::{BottleneckKind, analyse, statistics};
use crate::load::{
    GeneratorResult, LagMs, LoadResult, Observed, Results, Scenario, SeriesPoint, Spectrum, ThresholdResult,
};
use crate::message::Priority;
use crate::store::{Dialect, PoolStats, StoreStats};
use crate::telemetry::system::Machine;
use crate::telemetry::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};

fn quantiles(mean: f64) -> Quantiles {
    let nanos = mean as u64;
    Quantiles { p50: nanos, p90: nanos, p99: nanos, p999: nanos, max: nanos, mean }
}

/// An agent whose messages waited and were served for so many milliseconds, since its start.
fn agent(handled: u64, wait: f64, service: f64) -> AgentSnapshot {
    let [wait, service] = [wait, service].map(|ms| ms * 1e6);
    let latency = LatencySummary {
        count: handled,
        wait: quantiles(wait),
        service: quantiles(service),
        end_to_end: quantiles(wait + service),
    };
    AgentSnapshot {
        name: "worker".to_owned(),
        agent_type: "Worker".to_owned(),
        instances: 1,
        state: AgentState::Running,
        arbiters: vec![3],
        capacity: 100,
        depth: BTreeMap::new(),
        handled,
        failed: 0,
        panicked: 0,
        restarts: 0,
        dropped: BTreeMap::new(),
        admission: None,
        busy_seconds: handled as f64 * service / 1e9,
        utilization: 0.0,
        cpu_seconds: None,
        allocated_bytes: None,
        latency: [(Priority::High, latency)].into(),
    }
}

fn snapshot(uptime_seconds: f64, agent: AgentSnapshot) -> Snapshot {
    Snapshot { uptime_seconds, agents: vec![agent], links: Vec::new(), dead_letters: 0 }
}

fn stats(acquired: u64, wait_ms: f64) -> StoreStats {
    StoreStats {
        dialect: Dialect::Sqlite,
        pool: PoolStats {
            limit: 1,
            in_use: 1,
            idle: 0,
            waiting: 3,
            acquired,
            waits: Some(quantiles(wait_ms * 1e6)),
            timeouts: 0,
            opened: 1,
            closed: 0,
            recycled: 0,
            found_dead: 0,
            interrupted: 0,
        },
        turns: None,
        turns_taken: 0,
        statements: BTreeMap::new(),
        retried: 0,
        given_up: 0,
        slow: Vec::new(),
    }
}

fn series() -> Vec<SeriesPoint> {
    // Seven loads of ten seconds each, on X = 1000 N / (1 + 0.05 (N − 1)).
    let point = |second: usize| {
        let in_flight = 2_u64.pow(second as u32 / 10);
        let completed = 1000.0 * in_flight as f64 / (1.0 + 0.05 * (in_flight as f64 - 1.0));
        SeriesPoint {
            second: second as f64,
            span_seconds: 1.0,
            stage: format!("step {}", second / 10),
            offered: completed as u64,
            completed: completed as u64,
            in_flight,
            p50: Some(in_flight as f64 / completed * 1e3),
            cpu_percent: Some(80.0),
            rss_bytes: Some(1_000_000 * second as u64),
            ..SeriesPoint::default()
        }
    };
    (0..70).map(point).collect()
}

fn run(before: Option<Observed>, after: Option<Observed>) -> LoadResult {
    let threshold = |expression: &str| ThresholdResult {
        expression: expression.to_owned(),
        passed: true,
        observed: "1 ms".to_owned(),
    };
    LoadResult {
        test_name: "light".to_owned(),
        title: "Light".to_owned(),
        passed: true,
        interrupted: false,
        started_at: "2026-11-21T00:00:00Z".to_owned(),
        seconds: 70.0,
        seed: 1,
        statim_version: "0.1.0".to_owned(),
        results: Results::default(),
        generator: GeneratorResult {
            lag_ms: LagMs { p50: 0.1, p99: 1.5, max: 2.0 },
            bound_ms: 10.0,
            passed: true,
            ..GeneratorResult::default()
        },
        thresholds: vec![
            threshold("p99{priority=critical} < 50ms"),
            threshold("p99 <= 2 s"),
            threshold("p90 < 1ms"),
        ],
        targets: Vec::new(),
        series: series(),
        spectrum: Spectrum::default(),
        breaking: None,
        machine: Machine::default(),
        baseline: None,
        scenario: Scenario::new("light", 10.0, std::time::Duration::from_secs(70)),
        snapshot_before: before,
        snapshot_after: after,
    }
}

fn observed(runtime: Snapshot, store: Option<StoreStats>) -> Observed {
    Observed {
        runtime: Some(runtime),
        store: store.map(|store| statistics([("records", store)], None)),
        ..Observed::default()
    }
}

#[test]
fn a_run_is_judged_by_what_happened_in_it() {
    // Before: a thousand messages of 1 ms. In it: 6,500 of 10 ms in 70 s, which is busy 93 %.
    let before = observed(snapshot(1000.0, agent(1_000, 0.0, 1.0)), Some(stats(1_000, 0.0)));
    let mean = |in_run: f64, before: f64| (6_500.0 * in_run + 1_000.0 * before) / 7_500.0;
    let after = observed(
        snapshot(1090.0, agent(7_500, mean(20.0, 0.0), mean(10.0, 1.0))),
        Some(stats(7_500, mean(8.0, 0.0))),
    );
    let result = run(Some(before), Some(after));
    let evidence = Evidence::of_run(&result);
    let agent = evidence.agent("worker").unwrap();
    let lane = agent.lanes[&Priority::High];
    assert_eq!((agent.handled, lane.count), (6_500, 6_500));
    assert!((lane.service.mean - 0.010).abs() < 1e-6 && (lane.wait.mean - 0.020).abs() < 1e-6, "{lane:?}");
    assert!((agent.busy_seconds - 65.0).abs() < 1e-6);
    // The load lasted 70 s of the 90 s between the two.
    assert_eq!(evidence.seconds, 70.0);
    assert!((evidence.stores["records"].pool.mean() - 0.008).abs() < 1e-6);
    let analysis = analyse(&evidence);
    let first = &analysis.bottlenecks[0];
    assert_eq!((first.kind, first.resource.as_str()), (BottleneckKind::Pool, "records"));
    let wanted = &evidence.load.as_ref().unwrap().wanted_p99;
    assert_eq!((wanted[&Priority::Critical], wanted[&Priority::Low]), (0.05, 2.0));
    let law = analysis.forecast.law.as_ref().unwrap();
    assert!((law.alpha - 0.05).abs() < 0.001 && law.points == 7, "{law:?}");
    let system = evidence.system.unwrap();
    assert_eq!(system.memory_bytes, Some(69_000_000));
    // And as the file has it.
    let read = Evidence::read(&serde_json::to_vec(&result).unwrap()).unwrap();
    assert_eq!(read, evidence);
}

#[test]
fn a_run_against_a_target_that_says_nothing_says_so() {
    let evidence = Evidence::of_run(&run(None, None));
    assert!(evidence.agents.is_empty() && evidence.gaps[0].contains("nothing of its agents"));
    assert!(analyse(&evidence).unjudged.iter().any(|it| it.what == "Agents"));
}

#[test]
fn an_agent_that_began_anew_in_the_run_is_counted_from_its_start() {
    let before = observed(snapshot(0.0, agent(9_000, 0.0, 1.0)), None);
    let after = observed(snapshot(90.0, agent(6_500, 20.0, 10.0)), None);
    let evidence = Evidence::of_run(&run(Some(before), Some(after)));
    assert_eq!(evidence.agents[0].handled, 6_500);
}

#[test]
fn a_live_snapshot_is_of_the_last_minutes() {
    let runtime = snapshot(10_000.0, agent(10_000, 50.0, 10.0));
    let json = serde_json::json!({
        "at_seconds": 1.0,
        "runtime": runtime,
        "system": null,
        "summary": {
            "seconds": 300.0,
            "agents": [{"name": "worker", "handled": 28_000, "failed": 0, "busy_ratio": 0.95}],
            "cpu_percent": {"mean": 50.0, "max": 90.0},
        },
    });
    let evidence = Evidence::read(&serde_json::to_vec(&json).unwrap()).unwrap();
    assert_eq!((evidence.seconds, evidence.agents[0].handled), (300.0, 28_000));
    let analysis = analyse(&evidence);
    assert_eq!(analysis.bottlenecks[0].resource, "worker");
    assert!(analysis.unjudged.iter().any(|it| it.how.contains("since the start")));
    // Since the start it was busy 1 %.
    assert!(analyse(&Evidence::of_runtime(&runtime)).bottlenecks.is_empty());
}

#[test]
fn a_live_stores_figures_are_those_of_the_last_minutes_messages() {
    // 10,000 messages and as many connections handed out since the start; 1,000 of the messages in the last minutes.
    let json = serde_json::json!({
        "runtime": snapshot(10_000.0, agent(10_000, 5.0, 10.0)),
        "summary": {"seconds": 10.0, "agents": [{"name": "worker", "handled": 1_000, "failed": 0, "busy_ratio": 1.0}]},
        "stores": statistics([("records", stats(10_000, 8.0))], None),
    });
    let evidence = Evidence::read(&serde_json::to_vec(&json).unwrap()).unwrap();
    let pool = evidence.stores["records"].pool;
    assert_eq!(pool.count, 1_000);
    assert!((pool.seconds - 8.0).abs() < 1e-9 && (pool.mean() - 0.008).abs() < 1e-9, "{pool:?}");
    assert_eq!(analyse(&evidence).bottlenecks[0].kind, BottleneckKind::Pool);
}

#[test]
fn a_bare_store_and_named_ones_are_read() {
    let json = |store: serde_json::Value| {
        serde_json::to_vec(&serde_json::json!({"runtime": snapshot(1.0, agent(1, 0.0, 0.0)), "store": store}))
            .unwrap()
    };
    let bare = Evidence::read(&json(serde_json::to_value(stats(5, 1.0)).unwrap())).unwrap();
    assert_eq!(bare.stores.keys().collect::<Vec<_>>(), ["store"]);
    let named =
        Evidence::read(&json(statistics([("a", stats(5, 1.0)), ("b", stats(7, 1.0))], None))).unwrap();
    assert_eq!(named.stores.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(named.stores["b"].pool.count, 7);
    assert!(analyse(&of([])).unjudged.iter().any(|it| it.what.contains("store")));
}
