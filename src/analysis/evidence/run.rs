//! Evidence of a load test.

use std::collections::BTreeMap;

use super::store::Statistics;
use super::{Evidence, GeneratorEvidence, LoadEvidence, SystemEvidence, TargetEvidence, agents, sound};
use crate::load::usl;
use crate::load::{LoadResult, Observed, SeriesPoint, Threshold};
use crate::message::Priority;

impl Evidence {
    /// Of a load test.
    #[must_use]
    pub fn of_run(result: &LoadResult) -> Self {
        let (before, after) = (result.snapshot_before.as_ref(), result.snapshot_after.as_ref());
        let mut evidence = Self {
            subject: format!("load test {} of {}", result.test_name, result.started_at),
            seconds: sound(result.seconds),
            load: Some(load(result)),
            curve: usl::curve(&result.series),
            ..Self::default()
        };
        let runtime = |observed: Option<&'_ Observed>| observed.and_then(|it| it.runtime.clone());
        match runtime(after) {
            Some(now) => {
                let before = runtime(before);
                (evidence.agents, evidence.links) = agents::since(&now, before.as_ref());
                // The counts cover warm-up and drain too, so their window is longer than the measured part.
                evidence.seconds = window(result, &now, before.as_ref()).unwrap_or(evidence.seconds);
            }
            None => evidence.gaps.push(
                "The target says nothing of its agents; run the test against a target that observes (in process, or over HTTP beside a monitor)."
                    .to_owned(),
            ),
        }
        if let Some(value) = after.and_then(|it| it.store.as_ref()) {
            let statistics = Statistics::of(value);
            let before = before.and_then(|it| it.store.as_ref()).map(Statistics::of);
            (evidence.stores, evidence.cache) = statistics.since(before.as_ref());
            evidence.gaps.extend(statistics.gaps());
        }
        evidence.system = system(result, before, after, evidence.seconds);
        if result.interrupted {
            evidence
                .gaps
                .push("The test was interrupted; what it had measured by then is judged.".to_owned());
        }
        evidence
    }
}

/// Seconds between the two snapshots. The load stands still before and after it, so of the second only what it lasted.
fn window(
    result: &LoadResult,
    now: &crate::telemetry::Snapshot,
    before: Option<&crate::telemetry::Snapshot>,
) -> Option<f64> {
    let between = now.uptime_seconds - before?.uptime_seconds;
    let loaded: f64 = result.series.iter().filter(|it| is_loaded(it)).map(|it| sound(it.span_seconds)).sum();
    let window = if loaded > 0.0 { loaded.min(between) } else { between };
    (window.is_finite() && window > 0.0).then_some(window)
}

fn is_loaded(point: &SeriesPoint) -> bool {
    point.offered > 0 || point.completed > 0
}

fn load(result: &LoadResult) -> LoadEvidence {
    let all = &result.results.all;
    let ms = |ms: f64| sound(ms) / 1e3;
    let thresholds = result.thresholds.iter().map(|it| TargetEvidence {
        wanted: it.expression.clone(),
        observed: it.observed.clone(),
        met: Some(it.passed),
    });
    let targets = result.targets.iter().map(|it| TargetEvidence {
        wanted: format!("{}: {}", it.name, it.wanted),
        observed: it.observed.clone(),
        met: it.met,
    });
    let mut breaker_open_seconds = BTreeMap::new();
    for point in &result.series {
        for link in &point.breakers_open {
            *breaker_open_seconds.entry(link.clone()).or_insert(0.0) += sound(point.span_seconds);
        }
    }
    let breaking = result.breaking.as_ref();
    LoadEvidence {
        passed: result.passed,
        offered: sound(result.results.offered_rate),
        throughput: sound(all.throughput),
        total: all.total_requests,
        failed: all.failed_requests,
        dropped_sends: result.results.dropped_sends,
        errors: result.results.errors.iter().map(|(class, count)| (class.to_string(), *count)).collect(),
        p99: ms(all.percentiles.p99),
        p99_by_priority: result
            .results
            .by_priority
            .iter()
            .map(|(priority, it)| (*priority, ms(it.percentiles.p99)))
            .collect(),
        generator: GeneratorEvidence {
            lag_p99: ms(result.generator.lag_ms.p99),
            bound: ms(result.generator.bound_ms),
            passed: result.generator.passed,
        },
        targets: thresholds.chain(targets).collect(),
        wanted_p99: wanted(result),
        breaker_open_seconds,
        breaking_rate: breaking.and_then(|it| it.breaking_rate),
        knee_rate: breaking.and_then(|it| it.knee_rate),
        recovery_seconds: breaking.and_then(|it| it.recovery_seconds),
    }
}

fn system(
    result: &LoadResult,
    before: Option<&Observed>,
    after: Option<&Observed>,
    seconds: f64,
) -> Option<SystemEvidence> {
    let samples = |of: &dyn Fn(&SeriesPoint) -> Option<f64>| -> Vec<f64> {
        let points = result.series.iter().filter(|it| is_loaded(it) && !it.warm_up);
        points.filter_map(of).filter(|it| it.is_finite() && *it >= 0.0).collect()
    };
    let cpu = samples(&|it| it.cpu_percent);
    let memory = samples(&|it| Some(it.rss_bytes? as f64));
    let now = after.and_then(|it| it.system.as_ref());
    let mut system = match now {
        Some(now) => {
            // One and the same sample twice is one: of no time nothing can be told.
            let before = before.and_then(|it| it.system.as_ref()).filter(|before| *before != now);
            SystemEvidence::since(now, before, seconds)
        }
        None if cpu.is_empty() && memory.is_empty() => return None,
        None => SystemEvidence::default(),
    };
    // What each second showed says more than two ends: the drain is not in it.
    if !cpu.is_empty()
        && let Some(cores) = system.cpu_cores
    {
        let mean = cpu.iter().sum::<f64>() / cpu.len() as f64;
        system.cpu = super::ratio(mean / 100.0, cores).map(|it| it.min(1.0));
    }
    let most = memory.iter().fold(0.0_f64, |most, it| most.max(*it)) as u64;
    system.memory_bytes = system.memory_bytes.max((most > 0).then_some(most));
    Some(system)
}

/// What the 99th percentile of each priority may be at most, as thresholds say it: `p99{priority=critical} < 50ms`, or for all
/// priorities that have none of their own, `p99 < 50ms`.
fn wanted(result: &LoadResult) -> BTreeMap<Priority, f64> {
    let mut wanted = BTreeMap::new();
    let thresholds = result.thresholds.iter().filter_map(|it| Threshold::parse(&it.expression).ok());
    let about = thresholds
        .filter(|it| it.kind().is_none())
        .filter_map(|it| Some((it.priority(), bound(it.expression())?)));
    let (of_one, of_all): (Vec<_>, Vec<_>) = about.partition(|(priority, _)| priority.is_some());
    for (_, seconds) in of_all {
        wanted.extend(Priority::ALL.map(|priority| (priority, seconds)));
    }
    wanted.extend(of_one.into_iter().filter_map(|(priority, seconds)| Some((priority?, seconds))));
    wanted
}

/// The seconds of a threshold above the 99th percentile.
fn bound(expression: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 6] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("min", 60.0), ("s", 1.0)];
    let rest = expression.trim().strip_prefix("p99")?.trim_start();
    let rest = if rest.starts_with('{') { rest.split_once('}')?.1 } else { rest };
    let bound = rest.trim_start().strip_prefix('<')?.trim_start_matches('=').trim();
    let (unit, seconds) = UNITS.iter().find(|(unit, _)| bound.ends_with(unit))?;
    let number: f64 = bound.strip_suffix(unit)?.trim().parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number * seconds)
}
