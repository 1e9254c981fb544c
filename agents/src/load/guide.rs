//! The performance guide's targets, line by line.

use statim::load::{Figures, LoadResult, TargetLine};

/// What a scenario that asks for less cannot tell.
const NOT_MEASURED: &str = "not measured in this scenario";

/// A gigabyte.
const GB: f64 = 1e9;

/// The guide's targets, each met, missed, or not told by this run: a rate that was not asked for was not measured.
///
/// Of a run that raises the rate until the target breaks only the steps before the breaking point count: what comes after
/// is meant to be too much.
#[must_use]
pub fn targets(result: &LoadResult) -> Vec<TargetLine> {
    vec![
        messages(result),
        queries(result),
        errors(result),
        memory(result),
        agent_messages(result),
        users(result),
    ]
}

fn line(name: &str, wanted: &str, told: Option<(String, bool)>) -> TargetLine {
    let (observed, met) = match told {
        Some((observed, met)) => (observed, Some(met)),
        None => (NOT_MEASURED.to_owned(), None),
    };
    TargetLine { name: name.to_owned(), wanted: wanted.to_owned(), observed, met }
}

fn all(result: &LoadResult) -> &Figures {
    &result.results.all
}

/// The fastest step that did not break: messages a second that were completed, and their 99th percentile.
fn best_step(result: &LoadResult) -> Option<(f64, f64)> {
    let steps = result.breaking.as_ref()?.steps.iter().filter(|step| !step.broken);
    steps.filter_map(|step| Some((step.completed, step.p99_ms?))).max_by(|a, b| a.0.total_cmp(&b.0))
}

fn messages(result: &LoadResult) -> TargetLine {
    let told = if result.breaking.is_some() {
        // The mean of what is all below a bound is below it too.
        best_step(result)
            .filter(|(rate, _)| *rate > 100.0)
            .map(|(rate, p99)| (format!("{rate:.0}/s, 99 of 100 within {p99:.1} ms"), p99 < 100.0))
    } else {
        let (rate, mean) = (all(result).throughput, all(result).avg_response_time);
        (result.results.offered_rate > 100.0)
            .then(|| (format!("{rate:.0}/s, {mean:.2} ms"), rate > 100.0 && mean < 100.0))
    };
    line("messages", "over 100/s, under 100 ms on average", told)
}

fn queries(result: &LoadResult) -> TargetLine {
    let figures = result.results.by_kind.get("research_query").filter(|_| result.breaking.is_none());
    let told = figures.and_then(|figures| {
        let offered = figures.total_requests as f64 / result.seconds.max(f64::MIN_POSITIVE);
        let (rate, mean) = (figures.throughput, figures.avg_response_time);
        (offered > 200.0).then(|| (format!("{rate:.0}/s, {mean:.2} ms"), rate > 200.0 && mean < 10.0))
    });
    line("queries", "over 200/s, under 10 ms on average", told)
}

fn errors(result: &LoadResult) -> TargetLine {
    let rate = match &result.breaking {
        None => (all(result).total_requests > 0).then_some(all(result).error_rate),
        Some(breaking) => {
            let steps = breaking.steps.iter().filter(|step| !step.broken);
            steps.map(|step| step.error_rate).max_by(f64::total_cmp)
        }
    };
    line("errors", "under 1 %", rate.map(|rate| (format!("{rate:.2} %"), rate < 1.0)))
}

fn memory(result: &LoadResult) -> TargetLine {
    let most = result.series.iter().filter_map(|point| point.rss_bytes).max();
    let told = most.map(|bytes| {
        let bytes = bytes as f64;
        (format!("{:.0} MB at most", bytes / 1e6), bytes < GB)
    });
    line("memory", "under 1 GB", told)
}

/// Messages that agents handled, of which one from outside may take several.
fn agent_messages(result: &LoadResult) -> TargetLine {
    let handled = |observed: &Option<statim::load::Observed>| {
        let agents = &observed.as_ref()?.runtime.as_ref()?.agents;
        Some(agents.iter().map(|agent| agent.handled).sum::<u64>())
    };
    let told = if result.breaking.is_some() {
        best_step(result)
            .filter(|(rate, _)| *rate >= 1_000.0)
            .map(|(rate, p99)| (format!("{rate:.0}/s, 99 of 100 within {p99:.1} ms"), p99 < 50.0))
    } else {
        // Sent over the whole run, the warm-up included, as the snapshots are.
        let sent: u64 = result.series.iter().map(|point| point.sent).sum();
        let each = handled(&result.snapshot_after)
            .zip(handled(&result.snapshot_before))
            .filter(|_| sent > 0)
            .map(|(after, before)| after.saturating_sub(before) as f64 / sent as f64);
        each.and_then(|each| {
            let (rate, p95) = (all(result).throughput * each, all(result).percentiles.p95);
            (result.results.offered_rate * each >= 1_000.0)
                .then(|| (format!("{rate:.0}/s, {p95:.2} ms"), rate >= 1_000.0 && p95 < 50.0))
        })
    };
    line("agent messages", "1,000/s, 95 of 100 under 50 ms", told)
}

fn users(result: &LoadResult) -> TargetLine {
    let (users, errors) = (result.generator.users, all(result).error_rate);
    let told = (users >= 1_000 && result.breaking.is_none())
        .then(|| (format!("{users} users, {errors:.2} % errors"), errors < 1.0));
    line("concurrent users", "1,000 with under 1 % errors", told)
}
