//! Load: what was to be sent, what was, and what came back.

use maud::html;

use super::Section;
use crate::load::html::chart::{Axis, Chart, Scale};
use crate::load::html::number;
use crate::load::html::run::{Run, at, rate};

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    if run.result.series.is_empty() {
        return None;
    }
    Section::new(
        "load",
        "Load",
        html! {
            div.charts { (rates(run).figure()) (in_flight(run).figure()) }
        },
    )
}

fn rates(run: &Run<'_>) -> Chart {
    let mut lines = vec![
        run.line("offered", "offered", |point| rate(point.offered, point)),
        run.line("sent", "sent", |point| rate(point.sent, point)),
        run.line("completed", "completed", |point| rate(point.completed, point)),
        run.line("failed", "failed", |point| rate(point.failed, point)),
    ];
    lines.retain(|line| line.name != "failed" || line.has_more_than_zero());
    let all = lines.iter().flat_map(|line| line.measured().map(|(_, y)| y));
    let axis = Axis::new(Scale::from_zero(all, 5), "messages/s", number::tick);
    let results = &run.result.results;
    let says = format!(
        "Warm-up left out, {} offered and {} completed on average; {} sends dropped.",
        number::per_second(results.offered_rate),
        number::per_second(results.all.throughput),
        number::count(results.dropped_sends),
    );
    let reads = lines.iter().map(|line| [line.class, &line.name, "/s"].map(str::to_owned)).collect();
    Chart::new("chart-rates", "Offered, sent and completed", run.time.clone(), axis, lines)
        .says(says)
        .stages(&run.stages)
        .reads(reads)
}

fn in_flight(run: &Run<'_>) -> Chart {
    let line = run.line("", "single", |point| point.in_flight as f64);
    let says =
        line.highest().map_or_else(String::new, |most| format!("At most {}.", at(most, number::figure)));
    let axis = Axis::new(Scale::from_zero(line.measured().map(|(_, y)| y), 5), "messages", number::tick);
    Chart::new("chart-in-flight", "Under way", run.time.clone(), axis, vec![line])
        .says(says)
        .stages(&run.stages)
        .reads(vec![["in_flight", "under way", ""].map(str::to_owned)])
}
