//! Whether a run differs from an earlier one by more than chance explains.

use super::result::{Comparison, Difference, Figures, LoadResult, SeriesPoint, Verdict};
use crate::message::Priority;

/// No band is narrower than this: what two runs on one machine differ by if nothing was changed.
const NARROWEST: f64 = 0.05;

/// Standard errors of a band: chance leaves it in three comparisons of a thousand.
const ERRORS: f64 = 3.0;

/// Seconds that are taken to depend on each other: a collection of garbage, a checkpoint, a neighbour at work.
const BLOCK: f64 = 5.0;

/// Latencies closer than this, in milliseconds, are the same whatever the ratio.
const SAME_MS: f64 = 0.01;

/// Rounds from which on their spread says more than that of the seconds within one.
const ROUNDS: usize = 3;

impl LoadResult {
    /// Compares this run with an earlier one, from `file`. See [`compare_rounds`](Self::compare_rounds).
    #[must_use]
    pub fn compare_with(&self, baseline: &Self, file: &str) -> Comparison {
        let (baseline, now) = (std::slice::from_ref(baseline), std::slice::from_ref(self));
        Self::compare_rounds(baseline, now, file)
    }

    /// Compares rounds of a run with rounds of an earlier one, figure by figure, by their medians.
    ///
    /// A figure is better or worse when now over then is outside of 1 ± the band. The band is three standard errors of
    /// the two sides together, and at least 5 %. The spread is that of the rounds where there are three or more, else that of
    /// the seconds within a round, of which five in a row are taken for one observation; both by the median absolute
    /// deviation, which a single bad second does not move. Latencies less than 10 µs apart are the same. The
    /// error rate is compared by its difference: its band is in percentage points, from the binomial distribution
    /// of so many messages, and at least 0.1.
    ///
    /// What one side did not measure is left out.
    #[must_use]
    pub fn compare_rounds(baseline: &[Self], now: &[Self], file: &str) -> Comparison {
        let mut differences: Vec<_> =
            FIGURES.iter().filter_map(|figure| figure.compare(baseline, now)).collect();
        differences
            .extend(Priority::ALL.into_iter().filter_map(|priority| of_priority(priority, baseline, now)));
        differences.extend(errors(baseline, now));
        Comparison { file: file.to_owned(), differences }
    }
}

/// A figure that can be compared by its ratio.
struct Figure {
    name: &'static str,
    /// Of a run.
    whole: fn(&Figures) -> f64,
    /// Of a second, or of what varies like it.
    second: fn(&SeriesPoint) -> Option<f64>,
    more_is_better: bool,
}

const FIGURES: &[Figure] = &[
    Figure { name: "avg", whole: |it| it.avg_response_time, second: |it| it.p50, more_is_better: false },
    Figure { name: "p50", whole: |it| it.percentiles.p50, second: |it| it.p50, more_is_better: false },
    Figure { name: "p95", whole: |it| it.percentiles.p95, second: |it| it.p90, more_is_better: false },
    Figure { name: "p99", whole: |it| it.percentiles.p99, second: |it| it.p99, more_is_better: false },
    Figure { name: "p999", whole: |it| it.percentiles.p999, second: |it| it.p999, more_is_better: false },
    Figure {
        name: "throughput",
        whole: |it| it.throughput,
        second: |it| Some(it.completed as f64 / it.span_seconds),
        more_is_better: true,
    },
];

impl Figure {
    fn compare(&self, baseline: &[LoadResult], now: &[LoadResult]) -> Option<Difference> {
        let value = |result: &LoadResult| {
            let all = &result.results.all;
            (all.measured > 0).then(|| (self.whole)(all))
        };
        let sides = [baseline, now].map(|side| Side::of(side, value, self.second));
        difference(self.name.to_owned(), sides, self.more_is_better)
    }
}

fn of_priority(priority: Priority, baseline: &[LoadResult], now: &[LoadResult]) -> Option<Difference> {
    let value = |result: &LoadResult| {
        let figures = result.results.by_priority.get(&priority)?;
        (figures.measured > 0).then_some(figures.percentiles.p99)
    };
    let second = |point: &SeriesPoint| point.p99_by_priority.get(&priority).copied();
    let sides = [baseline, now].map(|side| Side::of(side, value, second));
    difference(format!("p99{{priority={priority}}}"), sides, false)
}

/// One side of a comparison.
struct Side {
    value: f64,
    /// Standard error, as a share of the value.
    error: f64,
}

impl Side {
    fn of(
        rounds: &[LoadResult],
        value: impl Fn(&LoadResult) -> Option<f64>,
        second: impl Fn(&SeriesPoint) -> Option<f64>,
    ) -> Option<Self> {
        let values: Vec<f64> = rounds.iter().filter_map(value).collect();
        let middle = median(&values)?;
        let error = if values.len() >= ROUNDS {
            spread(&values) / (values.len() as f64).sqrt()
        } else {
            let errors: Vec<f64> = rounds.iter().map(|round| within(round, &second)).collect();
            median(&errors)? / (rounds.len() as f64).sqrt()
        };
        Some(Self { value: middle, error })
    }
}

/// The standard error of a figure by its seconds.
fn within(round: &LoadResult, second: impl Fn(&SeriesPoint) -> Option<f64>) -> f64 {
    let whole = round.series.iter().filter(|it| !it.warm_up && it.span_seconds >= 1.0 && it.stage != "drain");
    let span = round.series.first().map_or(1.0, |point| point.span_seconds);
    let seconds: Vec<f64> = whole.filter_map(second).collect();
    let blocks = (seconds.len() as f64 * span / BLOCK).max(1.0);
    spread(&seconds) / blocks.sqrt()
}

fn difference(figure: String, sides: [Option<Side>; 2], more_is_better: bool) -> Option<Difference> {
    let [Some(then), Some(now)] = sides else { return None };
    let band = (ERRORS * then.error.hypot(now.error)).max(NARROWEST);
    let change = (then.value > 0.0).then(|| now.value / then.value);
    let is_same = match change {
        Some(change) => (change - 1.0).abs() <= band,
        None => now.value == 0.0,
    };
    let is_close = !more_is_better && (now.value - then.value).abs() < SAME_MS;
    let verdict = match (is_same || is_close, (now.value > then.value) == more_is_better) {
        (true, _) => Verdict::Same,
        (false, true) => Verdict::Better,
        (false, false) => Verdict::Worse,
    };
    Some(Difference { figure, baseline: then.value, now: now.value, change, band, verdict })
}

/// By the difference: most runs have none, and a ratio to none is nothing.
fn errors(baseline: &[LoadResult], now: &[LoadResult]) -> Option<Difference> {
    let count = |side: &[LoadResult]| {
        let all = side.iter().map(|it| &it.results.all);
        let (total, failed) =
            all.fold((0, 0), |sum, it| (sum.0 + it.total_requests, sum.1 + it.failed_requests));
        (total > 0).then(|| (total as f64, failed as f64 / total as f64 * 100.0))
    };
    let ((many, then), (more, now)) = (count(baseline)?, count(now)?);
    let both = (then * many + now * more) / (many + more);
    let error = (both * (100.0 - both) * (1.0 / many + 1.0 / more)).sqrt();
    let band = (ERRORS * error).max(0.1);
    let verdict = match now - then {
        change if change.abs() <= band => Verdict::Same,
        change if change < 0.0 => Verdict::Better,
        _ => Verdict::Worse,
    };
    let change = (then > 0.0).then(|| now / then);
    Some(Difference { figure: "error_rate".to_owned(), baseline: then, now, change, band, verdict })
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The spread as a share of the median, on the scale of a standard deviation.
fn spread(values: &[f64]) -> f64 {
    /// For a normal distribution the median absolute deviation is this much smaller than the standard deviation.
    const SCALE: f64 = 1.4826;
    let Some(middle) = median(values).filter(|middle| *middle > 0.0) else { return 0.0 };
    let away: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    median(&away).unwrap_or(0.0) * SCALE / middle
}
