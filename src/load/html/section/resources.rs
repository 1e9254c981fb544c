//! What the target's process used: processor and memory.

use maud::html;

use super::Section;
use crate::load::html::chart::{Axis, Chart, Scale};
use crate::load::html::number;
use crate::load::html::run::{Run, at};
use crate::telemetry::SystemSample;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let charts: Vec<Chart> = [processor(run), memory(run)].into_iter().flatten().collect();
    if charts.is_empty() {
        return None;
    }
    Section::new(
        "resources",
        "Processor and memory",
        html! {
            div.charts { @for chart in &charts { (chart.figure()) } }
        },
    )
}

fn processor(run: &Run<'_>) -> Option<Chart> {
    let line = run.line("", "single", |point| point.cpu_percent.unwrap_or(f64::NAN));
    let most = line.highest()?;
    let axis = Axis::new(Scale::from_zero(line.measured().map(|(_, y)| y), 5), "% of one core", number::tick);
    // The target's own limit; this machine's says nothing of a target elsewhere.
    let system = run.result.snapshot_after.as_ref().and_then(|it| it.system.as_ref());
    let says = match system.and_then(SystemSample::cpu_limit_cores) {
        Some(cores) => {
            format!(
                "At most {}, of {} that it may have.",
                at(most, number::percent),
                number::percent(cores * 100.0)
            )
        }
        None => format!("At most {}.", at(most, number::percent)),
    };
    let chart = Chart::new("chart-cpu", "Processor", run.time.clone(), axis, vec![line]);
    Some(
        chart
            .says(says)
            .stages(&run.stages)
            .reads(vec![["cpu_percent", "processor", "%"].map(str::to_owned)]),
    )
}

fn memory(run: &Run<'_>) -> Option<Chart> {
    let line = run.line("", "single", |point| point.rss_bytes.map_or(f64::NAN, |it| it as f64));
    let most = line.highest()?;
    let axis = Axis::new(Scale::from_zero(line.measured().map(|(_, y)| y), 5), "resident", number::bytes);
    let says = format!("At most {}.", at(most, number::bytes));
    let chart = Chart::new("chart-memory", "Memory", run.time.clone(), axis, vec![line]);
    Some(chart.says(says).stages(&run.stages).reads(vec![["rss_bytes", "memory", "MB"].map(str::to_owned)]))
}
