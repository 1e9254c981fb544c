//! A result, for people and for scripts.

use std::fmt::Write as _;

use serde_json::{Value, json};
use statim::load::{BreakingResult, Figures, LoadResult};

use super::folder::ReportFolder;

/// What a person wants to know.
pub(super) fn told(result: &LoadResult) -> String {
    let mut text = String::new();
    head(&mut text, result);
    figures(&mut text, result);
    if let Some(breaking) = &result.breaking {
        steps(&mut text, breaking);
    }
    let verdict = |passed| if passed { "ok" } else { "FAILED" };
    section(&mut text, "thresholds");
    for it in &result.thresholds {
        row(&mut text, verdict(it.passed), &it.expression, &it.observed);
    }
    let generator = &result.generator;
    let late = format!("generator lag p99 <= {:.0} ms", generator.bound_ms);
    row(&mut text, verdict(generator.passed), &late, &format!("{:.2} ms", generator.lag_ms.p99));
    section(&mut text, "targets of the performance guide");
    for it in &result.targets {
        let met = match it.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "-",
        };
        row(&mut text, met, &format!("{}: {}", it.name, it.wanted), &it.observed);
    }
    if let Some(baseline) = &result.baseline {
        section(&mut text, &format!("against {}", baseline.file));
        for it in &baseline.differences {
            let change = it.change.map_or_else(|| "-".to_owned(), |change| format!("x{change:.2}"));
            let observed = format!(
                "{change} ({:.3} was {:.3}; {:.0} % may be chance)",
                it.now,
                it.baseline,
                it.band * 100.0
            );
            row(&mut text, &it.verdict.to_string(), &it.figure, &observed);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn head(text: &mut String, result: &LoadResult) {
    let verdict = match (result.passed, result.interrupted) {
        (_, true) => "interrupted",
        (true, false) => "passed",
        (false, false) => "NOT passed",
    };
    let all = &result.results.all;
    let _ = writeln!(text, "{}: {verdict}", result.title);
    let _ = writeln!(
        text,
        "{} messages in {:.1} s: {:.1}/s to be sent, {:.1}/s done; {} failed ({:.2} %), {} of them never sent",
        all.total_requests,
        result.seconds,
        result.results.offered_rate,
        all.throughput,
        all.failed_requests,
        all.error_rate,
        result.results.dropped_sends,
    );
    if !result.results.errors.is_empty() {
        let errors: Vec<_> =
            result.results.errors.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let _ = writeln!(text, "failed: {}", errors.join(", "));
    }
}

fn figures(text: &mut String, result: &LoadResult) {
    let _ = writeln!(
        text,
        "\n{:<28} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}   (from the intended send, ms)",
        "", "messages", "failed", "mean", "p50", "p95", "p99", "max"
    );
    let mut line = |name: &str, it: &Figures| {
        let at = &it.percentiles;
        let _ = writeln!(
            text,
            "{name:<28} {:>9} {:>8} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            it.total_requests, it.failed_requests, it.avg_response_time, at.p50, at.p95, at.p99, at.max
        );
    };
    line("all", &result.results.all);
    for (priority, it) in &result.results.by_priority {
        line(&format!("  {}", priority.as_str()), it);
    }
    for (kind, it) in &result.results.by_kind {
        line(&format!("  {kind}"), it);
    }
}

fn steps(text: &mut String, breaking: &BreakingResult) {
    let _ = writeln!(
        text,
        "\n{:<12} {:>10} {:>10} {:>10} {:>14} {:>9}",
        "step", "to send/s", "done/s", "p99 ms", "critical p99", "failed %"
    );
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"));
    for (index, step) in breaking.steps.iter().enumerate() {
        let _ = writeln!(
            text,
            "{:<12} {:>10.0} {:>10.0} {:>10} {:>14} {:>9.2}   {}",
            index + 1,
            step.offered,
            step.completed,
            number(step.p99_ms),
            number(step.critical_p99_ms),
            step.error_rate,
            step.why,
        );
    }
    match breaking.breaking_rate {
        Some(rate) => {
            let _ = writeln!(text, "breaks at {rate:.0} messages a second: {}", breaking.why);
        }
        None => {
            let _ = writeln!(text, "did not break: {}", breaking.why);
        }
    }
    if let Some(rate) = breaking.knee_rate {
        let _ = writeln!(text, "the knee is at {rate:.0} messages a second");
    }
    if let Some(fit) = &breaking.usl {
        let [low, high] = fit.interval;
        let _ = writeln!(
            text,
            "the scalability law fits a peak of {:.0} messages a second ({low:.0} to {high:.0})",
            fit.peak_rate
        );
    }
    match (breaking.recovery_seconds, breaking.breaking_rate) {
        (Some(seconds), _) => {
            let _ = writeln!(text, "back to normal latency {seconds:.1} s after the load fell");
        }
        (None, Some(_)) => {
            let _ = writeln!(text, "not back to normal latency by the end");
        }
        (None, None) => {}
    }
    if let (Some(bound), Some(held)) = (breaking.critical_bound_ms, breaking.critical_held) {
        let held = if held { "stayed within" } else { "did NOT stay within" };
        let _ = writeln!(text, "beyond the breaking point critical messages {held} {bound:.0} ms (p99)");
    }
}

fn section(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}");
}

fn row(text: &mut String, verdict: &str, what: &str, observed: &str) {
    let _ = writeln!(text, "  {verdict:<7} {what:<52} {observed}");
}

/// What scripts want to know: everything but the series, the spectrum and the snapshots, which are in the report.
pub(super) fn object(result: &LoadResult, folder: Option<&ReportFolder>) -> Value {
    json!({
        "test_name": result.test_name,
        "title": result.title,
        "passed": result.passed,
        "interrupted": result.interrupted,
        "started_at": result.started_at,
        "seconds": result.seconds,
        "seed": result.seed,
        "statim_version": result.statim_version,
        "results": result.results,
        "generator": result.generator,
        "thresholds": result.thresholds,
        "targets": result.targets,
        "breaking": result.breaking,
        "baseline": result.baseline,
        "report": folder.map(|it| it.path().display().to_string()),
    })
}
