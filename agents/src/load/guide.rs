//! The performance guide's targets, line by line.

use statim::load::{BreakingResult, BreakingStep, Figures, LoadResult, TargetLine};

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

/// The fastest step before the breaking point of which this holds.
fn step(breaking: &BreakingResult, holds: impl Fn(&BreakingStep) -> bool) -> Option<&BreakingStep> {
    let steps = breaking.steps.iter().filter(|step| !step.broken && holds(step));
    steps.max_by(|a, b| a.completed.total_cmp(&b.completed))
}

/// A step that was fast enough to prove both targets of latency. Of a step the 99th percentile is known and no mean; within
/// half the bound of the mean, what is slower than that cannot spoil it, since nothing takes longer than its timeout. A
/// step that was not so fast proves nothing.
fn fast_step(breaking: &BreakingResult, rate: f64) -> Option<(String, bool)> {
    let fast = |step: &BreakingStep| step.completed >= rate && step.p99_ms.is_some_and(|p99| p99 < 50.0);
    step(breaking, fast).map(|step| {
        (format!("{:.0}/s, 99 of 100 within {:.1} ms", step.completed, step.p99_ms.unwrap_or_default()), true)
    })
}

fn messages(result: &LoadResult) -> TargetLine {
    let told = if let Some(breaking) = &result.breaking {
        fast_step(breaking, 100.0)
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
    let told = match &result.breaking {
        None => (all(result).total_requests > 0).then(|| few_errors(all(result).error_rate)),
        Some(breaking) => errors_of_steps(breaking),
    };
    line("errors", "under 1 %", told)
}

fn few_errors(rate: f64) -> (String, bool) {
    (format!("{rate:.2} %"), rate < 1.0)
}

fn errors_of_steps(breaking: &BreakingResult) -> Option<(String, bool)> {
    step(breaking, |step| step.error_rate < 1.0)
        .map(|step| (format!("{:.2} % at {:.0}/s", step.error_rate, step.completed), true))
        .or_else(|| step(breaking, |_| true).map(|step| few_errors(step.error_rate)))
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
    let told = if let Some(breaking) = &result.breaking {
        fast_step(breaking, 1_000.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(steps: &[(f64, f64, f64, bool)]) -> BreakingResult {
        let step = |&(completed, p99, error_rate, broken): &(f64, f64, f64, bool)| BreakingStep {
            completed,
            p99_ms: Some(p99),
            error_rate,
            broken,
            ..BreakingStep::default()
        };
        BreakingResult { steps: steps.iter().map(step).collect(), ..BreakingResult::default() }
    }

    #[test]
    fn a_run_that_breaks_its_target_meets_what_its_fastest_good_step_met() {
        let run =
            steps(&[(2_000.0, 9.0, 0.0, false), (4_000.0, 40.0, 0.2, false), (6_000.0, 900.0, 3.0, false)]);
        assert_eq!(fast_step(&run, 1_000.0), Some(("4000/s, 99 of 100 within 40.0 ms".to_owned(), true)));
        assert_eq!(errors_of_steps(&run), Some(("0.20 % at 4000/s".to_owned(), true)));
    }

    #[test]
    fn a_broken_step_proves_nothing_and_neither_does_a_slow_one_or_one_that_asked_for_less() {
        let run = steps(&[(900.0, 9.0, 2.0, false), (4_000.0, 70.0, 3.0, false), (9_000.0, 10.0, 0.0, true)]);
        assert_eq!(fast_step(&run, 1_000.0), None);
        assert_eq!(errors_of_steps(&run), Some(("3.00 %".to_owned(), false)));
        assert_eq!(errors_of_steps(&steps(&[(9_000.0, 1.0, 0.0, true)])), None);
    }
}
