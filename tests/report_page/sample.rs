//! Results to write pages of, made up.

use serde_json::{Value, json};
use statim::load::LoadResult;

const PRIORITIES: [(&str, f64); 4] = [("critical", 1.0), ("high", 2.0), ("normal", 5.0), ("low", 40.0)];

/// A stress run with something in every part.
pub(crate) fn whole() -> LoadResult {
    parse(json(120))
}

/// The same of so many points.
pub(crate) fn of_points(points: usize) -> LoadResult {
    parse(json(points))
}

/// A result with nothing in it but what must be there.
pub(crate) fn empty() -> LoadResult {
    let mut result = parse(json(0));
    result.title.clear();
    result.results = Default::default();
    result.generator = Default::default();
    result.thresholds.clear();
    result.targets.clear();
    result.spectrum = Default::default();
    result.breaking = None;
    result.baseline = None;
    result.machine = Default::default();
    result.snapshot_before = None;
    result.snapshot_after = None;
    result
}

fn parse(value: Value) -> LoadResult {
    serde_json::from_value(value).expect("the sample is a result")
}

fn json(points: usize) -> Value {
    let mut results = figures(9.75);
    results["by_priority"] =
        PRIORITIES.map(|(name, weight)| (name.to_owned(), figures(weight))).into_iter().collect();
    results["by_kind"] = json!({ "patient_consent": figures(3.0), "deduplication": figures(45.0) });
    results["by_kind_and_priority"] = json!({
        "patient_consent": { "critical": figures(2.0), "high": figures(4.0) },
        "deduplication": { "low": figures(45.0) },
    });
    results["uncorrected"] = json!({ "avg_response_time": 1.2, "percentiles": percentiles(6.75) });
    results["offered_rate"] = json!(7203.8);
    results["dropped_sends"] = json!(50_323);
    results["errors"] = json!({ "overloaded": 100_606, "dropped": 50_323, "timeout": 41 });
    json!({
        "test_name": "stress",
        "title": "Stress: upward until it breaks",
        "passed": false,
        "interrupted": false,
        "started_at": "2026-11-21T14:03:12.5Z",
        "seconds": 120.0,
        "seed": 42,
        "statim_version": "0.1.0",
        "results": results,
        "generator": {
            "lag_ms": { "p50": 0.012, "p99": 0.4, "max": 3.1 }, "bound_ms": 10.0, "passed": true,
            "sends": 511_577, "users": 200, "workers": 2,
        },
        "thresholds": [
            { "expression": "p99{priority=critical} < 50ms", "passed": true, "observed": "2.25 ms" },
            { "expression": "error_rate < 10%", "passed": false, "observed": "26.9 %" },
        ],
        "targets": [
            { "name": "over 100 messages a second", "wanted": "> 100/s", "observed": "5,268/s", "met": true },
            { "name": "under 1 GB of memory", "wanted": "< 1 GB", "observed": "1.14 GB", "met": false },
            { "name": "1,000 concurrent users", "wanted": "1,000", "observed": "200", "met": null },
        ],
        "series": (0..points).map(point).collect::<Vec<Value>>(),
        "spectrum": { "corrected": spectrum(1.0), "uncorrected": spectrum(0.6) },
        "breaking": breaking(),
        "machine": {
            "cpu": "Made-up processor", "cores": 2, "memory_bytes": 25_276_502_016_u64, "kernel": "6.18.44",
            "rustc": "rustc 1.95.0", "target": "x86_64-linux", "cgroup_cpu_limit": null,
            "cgroup_memory_limit_bytes": null, "load_average": 0.47, "debug_assertions": false,
        },
        "baseline": { "file": "results/2026-11-20/result.json", "differences": [
            { "figure": "p99", "baseline": 8.1, "now": 9.75, "change": 1.2037, "band": 0.15, "verdict": "worse" },
            { "figure": "throughput", "baseline": 5100.0, "now": 5268.3, "change": 1.033, "band": 0.1, "verdict": "same" },
            { "figure": "error_rate", "baseline": 0.0, "now": 26.9, "change": null, "band": 0.1, "verdict": "worse" },
        ] },
        "scenario": {
            "name": "stress", "title": "Stress", "seed": 42, "warm_up_seconds": 5.0, "drain_seconds": 10.0, "stages": [],
            "arrivals": { "model": "poisson" }, "mix": [], "thresholds": [], "generator_lag_seconds": 0.01,
            "in_flight": 10_000, "timeout_seconds": 10.0, "breaking": null,
        },
        "snapshot_before": snapshot(0),
        "snapshot_after": snapshot(133_333),
    })
}

fn figures(p99: f64) -> Value {
    json!({
        "total_requests": 561_900, "successful_requests": 410_930, "failed_requests": 150_970, "measured": 410_971,
        "avg_response_time": p99 / 5.0, "percentiles": percentiles(p99), "throughput": 5268.3, "error_rate": 26.9,
    })
}

fn percentiles(p99: f64) -> Value {
    json!({
        "p50": p99 / 8.0, "p90": p99 / 3.0, "p95": p99 / 2.0, "p99": p99, "p999": p99 * 4.0, "max": p99 * 12.0,
    })
}

fn point(second: usize) -> Value {
    let step = second % 120 / 20;
    let wave = 1.0 + 0.07 * ((second * 7_919 % 13) as f64);
    let broken = step >= 4;
    let p99 = if broken { 1_200.0 * wave } else { 2.5 * wave * (step + 1) as f64 };
    let by_priority = |base: f64| -> Value {
        PRIORITIES.map(|(name, weight)| (name.to_owned(), json!(base * weight * wave))).into_iter().collect()
    };
    let depth: Value = PRIORITIES
        .map(|(name, weight)| (name.to_owned(), json!((weight * 9.0) as u64)))
        .into_iter()
        .collect();
    json!({
        "second": second as f64, "span_seconds": 1.0, "stage": format!("step {}", second / 20 + 1),
        "warm_up": second < 5,
        "offered": 2_000 * (step + 1), "sent": 1_990 * (step + 1), "completed": 1_900 * step.min(4) + 1_900,
        "failed": if broken { 3_000 } else { 0 },
        "p50": p99 / 8.0, "p90": p99 / 3.0, "p99": p99, "p999": p99 * 2.0, "max": p99 * 3.0,
        "p99_by_priority": by_priority(1.3123), "in_flight": if broken { 9_800 } else { 12 },
        "depth": depth, "wait_p99_ms": by_priority(0.8123),
        "shed": if broken { 570 } else { 0 }, "refused": if broken { 191 } else { 0 },
        "restarts": u64::from(second == 90),
        "breakers_open": if broken { vec!["ingestion -> deduplication"] } else { vec![] },
        "cpu_percent": if second == 0 { Value::Null } else { json!(30.0 * wave * (step + 1) as f64) },
        "rss_bytes": 140_000_000 + second as u64 * 1_000_000, "lag_ms": 0.1 * wave,
    })
}

fn spectrum(factor: f64) -> Vec<[f64; 2]> {
    let mut pairs: Vec<[f64; 2]> = (0..60)
        .map(|it| f64::from(it) / 10.0)
        .map(|it| [100.0 - 100.0 / 10f64.powf(it), factor * 1.5f64.powf(it)])
        .collect();
    pairs.push([100.0, factor * 30.0]);
    pairs
}

fn breaking() -> Value {
    let step = |offered: f64, completed: f64, p99: f64, broken: bool| {
        json!({
            "offered": offered, "completed": completed, "p99_ms": p99, "critical_p99_ms": 2.0 + offered / 10_000.0,
            "error_rate": if broken { 27.6 } else { 0.01 }, "broken": broken,
            "why": if broken { "error rate 27.6 % above 5 %" } else { "" },
        })
    };
    json!({
        "steps": [
            step(2_000.0, 1_998.0, 2.5, false), step(4_000.0, 3_997.0, 3.4, false), step(6_000.0, 5_990.0, 9.0, false),
            step(8_000.0, 7_800.0, 60.0, false), step(10_000.0, 9_300.0, 1_200.0, true), step(12_000.0, 9_400.0, 1_900.0, true),
        ],
        "breaking_rate": 10_000.0, "knee_rate": 6_000.0, "why": "error rate 27.6 % above 5 %", "recovery_seconds": 4.0,
        "normal_p99_ms": 2.5, "critical_bound_ms": 50.0, "critical_held": true,
        "usl": { "lambda": 2_100.0, "alpha": 0.04, "beta": 0.0009, "peak_rate": 10_240.0, "interval": [9_400.0, 11_300.0] },
    })
}

fn snapshot(handled: u64) -> Value {
    json!({
        "uptime_seconds": if handled == 0 { 1.0 } else { 121.0 }, "dead_letters": 0, "links": [],
        "agents": [{
            "name": "consent", "agent_type": "Consent", "instances": 2, "state": "running", "capacity": 10_000,
            "depth": { "critical": 0, "low": 7 }, "handled": handled, "failed": 0, "panicked": 0, "restarts": 0,
            "dropped": {}, "busy_seconds": if handled == 0 { 0.0 } else { 60.0 }, "utilization": 0.25, "latency": {},
        }],
    })
}
