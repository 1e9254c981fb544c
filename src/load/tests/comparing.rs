use super::sample;
use crate::load::*;
use crate::message::Priority;

/// A run of steady seconds around these latencies, in milliseconds, each second by its own factor.
fn run(p99: f64, throughput: f64, noise: f64) -> LoadResult {
    let mut result = sample::result();
    let all = &mut result.results.all;
    (all.percentiles.p99, all.throughput) = (p99, throughput);
    result.results.by_priority.get_mut(&Priority::Critical).unwrap().percentiles.p99 = p99 / 4.0;
    for (second, point) in result.series.iter_mut().enumerate() {
        let factor = 1.0 + noise * (second as f64 * 2.4).sin();
        point.p99 = Some(p99 * factor);
        point.completed = (throughput * factor) as u64;
        point.p99_by_priority.insert(Priority::Critical, p99 / 4.0 * factor);
        point.warm_up = false;
    }
    result
}

fn verdict(comparison: &Comparison, figure: &str) -> Verdict {
    comparison.differences.iter().find(|it| it.figure == figure).unwrap().verdict
}

#[test]
fn a_run_is_the_same_as_itself() {
    let result = run(10.0, 1_000.0, 0.1);
    let comparison = result.compare_with(&result, "then/result.json");
    assert!(comparison.differences.len() >= 10);
    assert!(comparison.differences.iter().all(|it| it.verdict == Verdict::Same), "{comparison:#?}");
    assert_eq!(comparison.file, "then/result.json");
}

#[test]
fn what_is_worse_or_better_beyond_the_band_is_told() {
    let (then, now) = (run(10.0, 1_000.0, 0.05), run(14.0, 1_300.0, 0.05));
    let comparison = now.compare_with(&then, "");
    assert_eq!(verdict(&comparison, "p99"), Verdict::Worse);
    assert_eq!(verdict(&comparison, "throughput"), Verdict::Better);
    assert_eq!(verdict(&comparison, "p99{priority=critical}"), Verdict::Worse);
    let back = then.compare_with(&now, "");
    assert_eq!((verdict(&back, "p99"), verdict(&back, "throughput")), (Verdict::Better, Verdict::Worse));
}

#[test]
fn the_noisier_the_seconds_the_wider_the_band() {
    let difference = |noise| {
        let comparison = run(12.0, 1_000.0, noise).compare_with(&run(10.0, 1_000.0, noise), "");
        let p99 = comparison.differences.iter().find(|it| it.figure == "p99").unwrap();
        (p99.band, p99.verdict)
    };
    let (quiet, noisy) = (difference(0.01), difference(0.5));
    assert!(quiet.0 < 0.06 && noisy.0 > 0.2, "{quiet:?} {noisy:?}");
    assert_eq!((quiet.1, noisy.1), (Verdict::Worse, Verdict::Same));
}

#[test]
fn three_rounds_are_judged_by_their_own_spread_and_one_bad_round_moves_nothing() {
    let rounds = |p99: [f64; 3]| p99.map(|p99| run(p99, 1_000.0, 0.3));
    let comparison = LoadResult::compare_rounds(&rounds([10.0, 10.1, 10.2]), &rounds([11.9, 12.0, 60.0]), "");
    assert_eq!(verdict(&comparison, "p99"), Verdict::Worse);
    let comparison = LoadResult::compare_rounds(&rounds([10.0, 10.1, 80.0]), &rounds([10.3, 10.2, 10.1]), "");
    assert_eq!(verdict(&comparison, "p99"), Verdict::Same);
    let comparison = LoadResult::compare_rounds(&rounds([8.0, 10.0, 12.0]), &rounds([10.0, 12.0, 14.0]), "");
    assert_eq!(verdict(&comparison, "p99"), Verdict::Same, "rounds that far apart tell nothing");
}

#[test]
fn a_few_microseconds_are_no_difference_and_errors_are_compared_by_percentage_points() {
    let mut then = run(0.010, 1_000.0, 0.0);
    let mut now = run(0.016, 1_000.0, 0.0);
    assert_eq!(verdict(&now.compare_with(&then, ""), "p99"), Verdict::Same);
    let errors = |result: &mut LoadResult, failed| {
        (result.results.all.total_requests, result.results.all.failed_requests) = (10_000, failed);
    };
    errors(&mut then, 0);
    errors(&mut now, 9);
    assert_eq!(verdict(&now.compare_with(&then, ""), "error_rate"), Verdict::Same);
    errors(&mut now, 90);
    assert_eq!(verdict(&now.compare_with(&then, ""), "error_rate"), Verdict::Worse);
    assert_eq!(verdict(&then.compare_with(&now, ""), "error_rate"), Verdict::Better);
}

#[test]
fn what_one_side_did_not_measure_is_left_out() {
    let then = run(10.0, 1_000.0, 0.1);
    let mut now = then.clone();
    now.results.by_priority.remove(&Priority::Critical);
    now.results.all = Figures::default();
    let comparison = now.compare_with(&then, "");
    assert!(
        comparison.differences.iter().all(|it| it.figure.starts_with("p99{priority=")),
        "{comparison:#?}"
    );
    assert_eq!(comparison.differences.len(), 3);
}
