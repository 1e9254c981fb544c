//! Queues: how many messages waited, and how long.

use maud::html;

use super::Section;
use crate::load::html::chart::{Axis, Chart, Line, Scale};
use crate::load::html::number;
use crate::load::html::run::Run;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let depth = run.by_priority(|point, priority| point.depth.get(&priority).map(|it| *it as f64));
    let wait = run.by_priority(|point, priority| point.wait_p99_ms.get(&priority).copied());
    if depth.is_empty() && wait.is_empty() {
        return None;
    }
    Section::new(
        "queues",
        "Queues",
        html! {
            div.charts {
                @if !depth.is_empty() { (depths(run, depth).figure()) }
                @if !wait.is_empty() { (waits(run, wait).figure()) }
            }
        },
    )
}

fn depths(run: &Run<'_>, lines: Vec<Line>) -> Chart {
    let axis = Axis::new(Scale::from_zero(figures(&lines), 5), "messages", number::tick);
    let reads = Run::reads_by_priority("depth", "", &lines);
    Chart::new("chart-depth", "Queued, over all agents", run.time.clone(), axis, lines.clone())
        .says(most(&lines, number::figure))
        .stages(&run.stages)
        .reads(reads)
}

fn waits(run: &Run<'_>, lines: Vec<Line>) -> Chart {
    let axis = Axis::new(Scale::log(figures(&lines)), "ms", number::tick);
    let reads = Run::reads_by_priority("wait_p99_ms", "ms", &lines);
    Chart::new("chart-wait", "99th percentile of the wait in a queue", run.time.clone(), axis, lines.clone())
        .says(most(&lines, number::milliseconds))
        .stages(&run.stages)
        .reads(reads)
}

fn figures(lines: &[Line]) -> Vec<f64> {
    lines.iter().flat_map(|line| line.measured().map(|(_, y)| y)).collect()
}

/// The most of each priority, in a sentence.
fn most(lines: &[Line], words: fn(f64) -> String) -> String {
    let parts: Vec<String> =
        lines.iter().filter_map(|line| Some(format!("{} {}", line.name, words(line.highest()?.1)))).collect();
    if parts.is_empty() { String::new() } else { format!("At most: {}.", parts.join(", ")) }
}
