//! Response times: over time, by percentile, by priority and by kind.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Section;
use crate::load::html::chart::{Axis, Chart, Line, Scale, nines};
use crate::load::html::number;
use crate::load::html::run::{Run, at, name};
use crate::load::html::table::{Column, foreign, nothing, numbers, table, words};
use crate::load::{Figures, Uncorrected};

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let results = &run.result.results;
    let over_time = over_time(run);
    let by_priority = priorities_over_time(run);
    let spectrum = spectrum(run);
    if results.all.total_requests == 0 && over_time.is_none() && spectrum.is_none() {
        return None;
    }
    Section::new(
        "response",
        "Response time",
        html! {
            p.says {
                "Counted from the moment at which a message was to be sent. What ended in time or ran into its timeout counts; "
                "what failed otherwise is in the error rate alone."
            }
            div.charts {
                @for chart in [over_time, spectrum, by_priority].into_iter().flatten() { (chart.figure()) }
                div.cell { (corrected_or_not(run)) }
            }
            (breakdown(run))
        },
    )
}

fn over_time(run: &Run<'_>) -> Option<Chart> {
    let mut lines = vec![
        run.line("p50", "p50", |point| point.p50.unwrap_or(f64::NAN)),
        run.line("p90", "p90", |point| point.p90.unwrap_or(f64::NAN)),
        run.line("p99", "p99", |point| point.p99.unwrap_or(f64::NAN)),
        run.line("p99.9", "p999", |point| point.p999.unwrap_or(f64::NAN)),
        run.line("max", "max", |point| point.max.unwrap_or(f64::NAN)),
    ];
    lines.retain(Line::has_points);
    let highest = lines.iter().find(|line| line.class == "p99").and_then(Line::highest);
    let says =
        highest.map_or_else(String::new, |most| format!("p99 highest: {}.", at(most, number::milliseconds)));
    let reads = lines.iter().map(|line| [line.class, &line.name, "ms"].map(str::to_owned)).collect();
    let axis = milliseconds(&lines)?;
    let chart = Chart::new("chart-latency", "Percentiles over time", run.time.clone(), axis, lines);
    Some(chart.says(says).stages(&run.stages).reads(reads))
}

fn priorities_over_time(run: &Run<'_>) -> Option<Chart> {
    let lines = run.by_priority(|point, priority| point.p99_by_priority.get(&priority).copied());
    if lines.len() < 2 {
        return None;
    }
    let reads = Run::reads_by_priority("p99_by_priority", "ms", &lines);
    let says = lines.first().and_then(|line| {
        Some(format!("{} at most {}.", line.name, at(line.highest()?, number::milliseconds)))
    });
    let axis = milliseconds(&lines)?;
    let chart =
        Chart::new("chart-latency-priority", "99th percentile by priority", run.time.clone(), axis, lines);
    Some(chart.says(says.unwrap_or_default()).stages(&run.stages).reads(reads))
}

/// A logarithmic axis around these lines; none if there is nothing on them.
fn milliseconds(lines: &[Line]) -> Option<Axis> {
    let mut figures = lines.iter().flat_map(|line| line.measured().map(|(_, y)| y)).peekable();
    figures.peek()?;
    Some(Axis::new(Scale::log(figures), "ms", number::tick))
}

fn spectrum(run: &Run<'_>) -> Option<Chart> {
    let spectrum = &run.result.spectrum;
    let most = highest_percentile(&spectrum.corrected).max(highest_percentile(&spectrum.uncorrected));
    let line = |name: &str, class, pairs: &[[f64; 2]]| {
        Line::new(
            name,
            class,
            pairs.iter().filter(|it| it[0] <= most).map(|it| (nines(it[0]), it[1])).collect(),
        )
    };
    let mut lines = vec![
        line("uncorrected", "uncorrected", &spectrum.uncorrected),
        line("corrected", "corrected", &spectrum.corrected),
    ];
    lines.retain(Line::has_points);
    let axis = milliseconds(&lines)?;
    let chart = Chart::new("chart-spectrum", "Percentile spectrum", Axis::percentiles(most), axis, lines);
    Some(chart.says("Corrected: from the intended send. Uncorrected: from the actual one."))
}

/// The greatest percentile below 100, where the maximum is: that one has no place on an axis of nines.
fn highest_percentile(pairs: &[[f64; 2]]) -> f64 {
    pairs.iter().map(|it| it[0]).filter(|it| it.is_finite() && *it < 100.0).fold(0.0, f64::max).min(99.9999)
}

fn corrected_or_not(run: &Run<'_>) -> Markup {
    let results = &run.result.results;
    let Uncorrected { avg_response_time, percentiles } = &results.uncorrected;
    let all = &results.all;
    if all.total_requests == 0 {
        return html! {};
    }
    let rows = [
        ("Mean", all.avg_response_time, *avg_response_time),
        ("p50", all.percentiles.p50, percentiles.p50),
        ("p90", all.percentiles.p90, percentiles.p90),
        ("p95", all.percentiles.p95, percentiles.p95),
        ("p99", all.percentiles.p99, percentiles.p99),
        ("p99.9", all.percentiles.p999, percentiles.p999),
        ("Max", all.percentiles.max, percentiles.max),
    ];
    let rows: Vec<Vec<Markup>> =
        rows.iter().map(|(name, now, raw)| vec![html! { (name) }, cell(*now), cell(*raw)]).collect();
    html! {
        h3 { "Corrected against uncorrected" }
        p.says { "Where they part, sends were held up, and a naive measurement would not have seen it." }
        (table("Corrected against uncorrected", &[words("ms"), numbers("Corrected"), numbers("Uncorrected")], &rows))
    }
}

const BREAKDOWN: [Column; 12] = [
    words(""),
    numbers("Messages"),
    numbers("Failed"),
    numbers("Errors, %"),
    numbers("Completed/s"),
    numbers("Mean, ms"),
    numbers("p50, ms"),
    numbers("p90, ms"),
    numbers("p95, ms"),
    numbers("p99, ms"),
    numbers("p99.9, ms"),
    numbers("Max, ms"),
];

fn breakdown(run: &Run<'_>) -> Markup {
    let results = &run.result.results;
    if results.all.total_requests == 0 {
        return html! {};
    }
    let mut rows = vec![row(html! { "All" }, &results.all)];
    rows.extend(
        results.by_priority.iter().map(|(priority, figures)| row(html! { (name(*priority)) }, figures)),
    );
    let kinds: Vec<Vec<Markup>> = results
        .by_kind
        .iter()
        .flat_map(|(kind, figures)| {
            let parts = results.by_kind_and_priority.get(kind).filter(|it| it.len() > 1);
            let parts = parts.into_iter().flat_map(BTreeMap::iter);
            std::iter::once(row(foreign(kind), figures)).chain(parts.map(move |(priority, figures)| {
                row(html! { (foreign(kind)) ", " (priority.as_str()) }, figures)
            }))
        })
        .collect();
    let mut columns = BREAKDOWN;
    columns[0] = words("Priority");
    let mut of_kinds = BREAKDOWN;
    of_kinds[0] = words("Kind");
    html! {
        h3 { "By priority" }
        (table("By priority", &columns, &rows))
        @if !kinds.is_empty() {
            h3 { "By kind" }
            (table("By kind", &of_kinds, &kinds))
        }
    }
}

fn row(name: Markup, figures: &Figures) -> Vec<Markup> {
    let Figures {
        total_requests,
        failed_requests,
        avg_response_time,
        percentiles,
        throughput,
        error_rate,
        ..
    } = figures;
    let latency = |value: f64| if figures.measured > 0 { cell(value) } else { nothing() };
    vec![
        name,
        html! { (number::count(*total_requests)) },
        html! { (number::count(*failed_requests)) },
        cell(*error_rate),
        cell(*throughput),
        latency(*avg_response_time),
        latency(percentiles.p50),
        latency(percentiles.p90),
        latency(percentiles.p95),
        latency(percentiles.p99),
        latency(percentiles.p999),
        latency(percentiles.max),
    ]
}

fn cell(value: f64) -> Markup {
    if value.is_finite() {
        html! { (number::figure(value)) }
    } else {
        nothing()
    }
}
