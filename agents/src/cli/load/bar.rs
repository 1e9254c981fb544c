//! How far a load test is.

use statim::load::{Progress, Scenario};

use crate::cli::progress::Progress as Line;

/// The bar of a load test, on a terminal.
pub(super) struct Bar {
    line: Line,
}

impl Bar {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let total = scenario.breaking.is_none().then(|| scenario.duration().as_secs());
        Self { line: Line::saying(&scenario.name, total) }
    }

    pub(super) fn show(&self, progress: &Progress) {
        let point = &progress.point;
        let rate = if point.span_seconds > 0.0 { point.completed as f64 / point.span_seconds } else { 0.0 };
        let p99 = point.p99.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
        let warm_up = if progress.warm_up { " (warm-up)" } else { "" };
        let left = progress.longest.map_or_else(String::new, |longest| {
            format!(", {} s left", longest.saturating_sub(progress.elapsed).as_secs())
        });
        self.line.set(progress.elapsed.as_secs());
        self.line.message(&format!(
            "{}{warm_up}: {rate:.0}/s, p99 {p99}, {} errors of {}{left}",
            progress.stage, progress.failed, progress.sent
        ));
    }
}
