use std::collections::BTreeMap;

use crate::load::*;
use crate::message::Priority;
use crate::telemetry::system::Machine;

fn percentiles(p50: f64) -> Percentiles {
    Percentiles { p50, p90: p50 * 2.1, p95: p50 * 3.0, p99: p50 * 7.5, p999: p50 * 31.0, max: p50 * 88.0 }
}

fn figures(total: u64, failed: u64, p50: f64, seconds: f64) -> Figures {
    Figures {
        total_requests: total,
        successful_requests: total - failed,
        failed_requests: failed,
        measured: total - failed,
        avg_response_time: p50 * 1.4,
        percentiles: percentiles(p50),
        throughput: (total - failed) as f64 / seconds,
        error_rate: failed as f64 / total as f64 * 100.0,
    }
}

/// A result with something in every field: a stress run of 80 seconds that breaks at 9,600 messages a second.
pub(super) fn result() -> LoadResult {
    let scenario = scenario();
    let breaking = scenario.breaking.unwrap();
    let rates: Vec<f64> = (0..6).map(|n| breaking.start_rate * f64::powi(breaking.factor, n)).collect();
    let (mut series, mut steps) = (Vec::new(), Vec::new());
    for (n, &rate) in rates.iter().enumerate() {
        let capacity = 9_500.0;
        let load = rate / capacity;
        let p99 = if load < 1.0 { 2.0 / (1.0 - load).max(0.05) } else { 900.0 * load };
        let completed = rate.min(capacity) * 0.999;
        let error_rate = if load < 1.0 { 0.01 } else { (1.0 - completed / rate) * 100.0 };
        let broken = completed / rate < 0.95;
        steps.push(BreakingStep {
            offered: rate,
            completed,
            p99_ms: Some(p99),
            critical_p99_ms: Some(1.8 + load),
            error_rate,
            broken,
            why: if broken {
                format!("completed {completed:.0} of {rate:.0} messages a second")
            } else {
                String::new()
            },
        });
        for second in 0..10 {
            series.push(point(
                (n * 10 + second) as f64,
                &format!("step {}", n + 1),
                rate,
                completed,
                p99,
                error_rate,
            ));
        }
    }
    for second in 60..78 {
        let p99 = if second < 64 { 4_000.0 / f64::from(second - 58) } else { 2.4 };
        series.push(point(f64::from(second), "cool-down", rates[0], rates[0], p99, 0.0));
    }
    series.push(SeriesPoint {
        second: 78.0,
        span_seconds: 0.4,
        stage: "drain".into(),
        ..SeriesPoint::default()
    });
    let total: u64 = series.iter().map(|point| point.offered).sum();
    let failed: u64 = series.iter().map(|point| point.failed).sum();
    let spectrum = |scale: f64| {
        let step = |n: i32| {
            let percentile = 100.0 - 100.0 / f64::powi(1.3, n);
            [percentile, scale * f64::powf(1.0 / (1.0 - percentile / 100.0), 0.7)]
        };
        (0..60).map(step).collect::<Vec<_>>()
    };
    let priorities = |p50: [f64; 4]| -> BTreeMap<_, _> {
        let each = |lane: usize| figures(total / 4, failed / 4 * lane as u64 / 3, p50[lane], 78.0);
        Priority::ALL.into_iter().map(|priority| (priority, each(priority.lane()))).collect()
    };
    let kinds =
        [("patient_consent", 0.4), ("research_query", 1.1), ("ingestion_batch", 9.0), ("deduplication", 6.0)];
    let mut result = LoadResult {
        test_name: "stress".into(),
        title: "A made-up sample, measured by nobody: stress".into(),
        passed: false,
        interrupted: false,
        started_at: "2026-11-21T21:00:00Z".into(),
        seconds: 78.0,
        seed: scenario.seed,
        statim_version: env!("CARGO_PKG_VERSION").into(),
        results: Results {
            all: figures(total, failed, 1.3, 78.0),
            by_priority: priorities([0.3, 0.9, 3.0, 12.0]),
            by_kind: kinds
                .iter()
                .map(|(kind, p50)| ((*kind).to_owned(), figures(total / 4, failed / 8, *p50, 78.0)))
                .collect(),
            by_kind_and_priority: kinds
                .iter()
                .map(|(kind, p50)| {
                    (
                        (*kind).to_owned(),
                        [(Priority::Critical, figures(total / 4, failed / 8, *p50, 78.0))].into(),
                    )
                })
                .collect(),
            uncorrected: Uncorrected { avg_response_time: 1.2, percentiles: percentiles(0.9) },
            offered_rate: total as f64 / 78.0,
            dropped_sends: failed / 3,
            errors: [
                (ErrorClass::Overloaded, failed - failed / 3 - 41),
                (ErrorClass::Timeout, 41),
                (ErrorClass::Dropped, failed / 3),
            ]
            .into(),
        },
        generator: GeneratorResult {
            lag_ms: LagMs { p50: 0.012, p99: 0.4, max: 3.1 },
            sends: total - failed / 3,
            bound_ms: 10.0,
            passed: true,
            users: 200,
            workers: 2,
        },
        thresholds: Vec::new(),
        targets: vec![
            line("over 100 messages a second", "> 100/s", "7,412/s", Some(true)),
            line("under 1 GB of memory", "< 1 GB", "1.2 GB", Some(false)),
            line("1,000 concurrent users", ">= 1,000", "200", None),
        ],
        series,
        spectrum: Spectrum { corrected: spectrum(1.0), uncorrected: spectrum(0.6) },
        breaking: Some(BreakingResult {
            breaking_rate: steps.iter().find(|step| step.broken).map(|step| step.offered),
            knee_rate: Some(steps[2].offered),
            why: steps.iter().find(|step| step.broken).map(|step| step.why.clone()).unwrap(),
            steps,
            recovery_seconds: Some(4.0),
            normal_p99_ms: Some(3.1),
            critical_bound_ms: Some(50.0),
            critical_held: Some(true),
            usl: Some(UslFit {
                lambda: 2_100.0,
                alpha: 0.04,
                beta: 0.000_9,
                peak_rate: 10_240.0,
                interval: [9_400.0, 11_300.0],
            }),
        }),
        machine: Machine { cpu: "Made-up processor".into(), ..Machine::look() },
        baseline: Some(Comparison {
            file: "results/2026-11-20/result.json".into(),
            differences: vec![
                difference("p99", 8.1, 9.75, 0.15, Verdict::Worse),
                difference("throughput", 7_400.0, 7_412.0, 0.05, Verdict::Same),
                difference("p99{priority=critical}", 3.1, 2.25, 0.2, Verdict::Better),
            ],
        }),
        scenario,
        snapshot_before: Some(observed(0)),
        snapshot_after: Some(observed(400_000)),
    };
    result.thresholds =
        result.scenario.thresholds.iter().map(|threshold| threshold.evaluate(&result)).collect();
    result
}

fn scenario() -> Scenario {
    let mut scenario = Scenario::new("stress", 0.0, std::time::Duration::ZERO);
    scenario.title = "A made-up sample: stress".into();
    scenario.stages.clear();
    scenario.mix = vec![
        Share { priority: Some(Priority::Critical), batch_keys: 1_000, ..Share::new("patient_consent", 4) },
        Share::new("research_query", 3),
        Share { batch_keys: 50, ..Share::new("ingestion_batch", 2) },
        Share::new("deduplication", 1),
    ];
    scenario.thresholds = [
        "p99{priority=critical} < 50ms",
        "error_rate < 10%",
        "throughput > 100/s",
        "max_rss < 1GB",
        "p99{kind=nobody} < 1s",
    ]
    .iter()
    .map(|it| it.parse().unwrap())
    .collect();
    scenario.breaking =
        Some(Breaking { start_rate: 2_000.0, factor: 1.6, users: 200, ..Breaking::default() });
    scenario
}

fn point(second: f64, stage: &str, rate: f64, completed: f64, p99: f64, error_rate: f64) -> SeriesPoint {
    let wobble = 1.0 + 0.08 * (second * 1.7).sin();
    let overload = error_rate > 1.0;
    let by = |values: [f64; 4]| Priority::ALL.into_iter().zip(values).collect::<BTreeMap<_, _>>();
    let failed = (rate * error_rate / 100.0) as u64;
    SeriesPoint {
        second,
        span_seconds: 1.0,
        stage: stage.into(),
        warm_up: second < 3.0,
        offered: rate as u64,
        sent: rate as u64 - failed / 3,
        completed: (completed * wobble.min(1.0)) as u64,
        failed,
        p50: Some(p99 * wobble / 9.0),
        p90: Some(p99 * wobble / 3.0),
        p99: Some(p99 * wobble),
        p999: Some(p99 * wobble * 1.8),
        max: Some(p99 * wobble * 2.5),
        p99_by_priority: by([1.8 * wobble, p99 * 0.2, p99 * 0.9, p99 * 1.3]),
        in_flight: if overload { 9_800 } else { (rate * 0.002) as u64 },
        depth: [0, 4, 120, if overload { 9_200 } else { 60 }]
            .into_iter()
            .zip(Priority::ALL)
            .map(|(n, priority)| (priority, n))
            .collect(),
        wait_p99_ms: by([0.2, 1.0, p99 * 0.7, p99 * 1.2]),
        shed: if overload { failed / 2 } else { 0 },
        refused: if overload { failed / 6 } else { 0 },
        restarts: u64::from(overload && second as u64 % 10 == 4),
        breakers_open: if overload { vec!["ingestion -> deduplication".into()] } else { Vec::new() },
        cpu_percent: Some((rate / 60.0).min(197.0) * wobble),
        rss_bytes: Some(140_000_000 + (second * 13e6) as u64),
        lag_ms: Some(0.1 * wobble),
    }
}

fn line(name: &str, wanted: &str, observed: &str, met: Option<bool>) -> TargetLine {
    TargetLine { name: name.into(), wanted: wanted.into(), observed: observed.into(), met }
}

fn difference(figure: &str, baseline: f64, now: f64, band: f64, verdict: Verdict) -> Difference {
    Difference { figure: figure.into(), baseline, now, change: Some(now / baseline), band, verdict }
}

fn observed(handled: u64) -> Observed {
    let quantiles = |p50: f64| {
        serde_json::json!({"p50": p50 as u64, "p90": (p50 * 2.0) as u64, "p99": (p50 * 8.0) as u64,
        "p999": (p50 * 30.0) as u64, "max": (p50 * 90.0) as u64, "mean": p50 * 1.3})
    };
    let latency = |scale: f64| {
        serde_json::json!({"count": handled / 4, "wait": quantiles(40_000.0 * scale),
        "service": quantiles(90_000.0), "end_to_end": quantiles(130_000.0 * scale)})
    };
    let agent = |name: &str, agent_type: &str, utilization: f64| {
        serde_json::json!({
        "name": name, "agent_type": agent_type, "instances": 1, "state": "running", "capacity": 10_000,
        "depth": {"critical": 0, "high": 2, "normal": 80, "low": 9_000}, "handled": handled / 3, "failed": handled / 9_000,
        "panicked": 0, "restarts": 0, "dropped": if handled > 0 { serde_json::json!({"shed": handled / 90}) } else { serde_json::json!({}) },
        "busy_seconds": 78.0 * utilization, "utilization": utilization,
        "latency": {"critical": latency(1.0), "high": latency(2.0), "normal": latency(30.0), "low": latency(200.0)}})
    };
    serde_json::from_value(serde_json::json!({
        "uptime_seconds": 81.0, "links": [], "dead_letters": handled / 90,
        "agents": [agent("consent", "Consent", 0.41), agent("ingestion", "Ingestion", 0.97), agent("deduplication", "Deduplication", 0.62)],
        "system": crate::telemetry::SystemProbe::new().sample(),
        "store": {"pool": {"size": 8, "in_use": 5, "waited_seconds": 1.25}},
    }))
    .unwrap()
}

#[test]
fn a_result_is_read_back_as_it_was_written() {
    let written = serde_json::to_value(result()).unwrap();
    let read: LoadResult = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
    assert!(written["snapshot_after"]["agents"][0]["latency"]["critical"]["wait"]["p99"].is_u64());
    assert_eq!(written["thresholds"][4]["observed"], "no data");
    assert_eq!(written["results"]["total_requests"], written["results"]["total_requests"].as_u64().unwrap());
    // For whoever writes something that reads results: a file of a made-up one.
    if let Some(path) = std::env::var_os("STATIM_SAMPLE_RESULT") {
        std::fs::write(path, serde_json::to_string_pretty(&written).unwrap()).unwrap();
    }
}
