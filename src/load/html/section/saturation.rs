//! Where the target broke as the rate was raised, and how it came back.

use maud::{Markup, html};

use super::Section;
use crate::load::html::chart::{Axis, Chart, Dot, Line, Rule, Scale};
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::{foreign, nothing, numbers, state, table, words};
use crate::load::{BreakingResult, BreakingStep};

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let breaking = run.result.breaking.as_ref()?;
    Section::new(
        "saturation",
        "Saturation and recovery",
        html! {
            p.says { (foreign(&breaking.why)) }
            div.charts {
                div.cell { (facts(breaking)) }
                @if !breaking.steps.is_empty() { (throughput(breaking).figure()) }
                @for chart in [latency(breaking), fit(run, breaking)].into_iter().flatten() { (chart.figure()) }
            }
            @if !breaking.steps.is_empty() { (steps(breaking)) }
        },
    )
}

fn facts(breaking: &BreakingResult) -> Markup {
    let optional =
        |value: Option<f64>, words: fn(f64) -> String, none: &str| value.map_or(none.to_owned(), words);
    html! {
        dl.pairs {
            dt { "Breaking point" } dd { (optional(breaking.breaking_rate, number::per_second, "not reached")) }
            dt { "Knee" } dd { (optional(breaking.knee_rate, number::per_second, "none seen in these steps")) }
            dt { "Recovery" } dd {
                @match (breaking.recovery_seconds, breaking.breaking_rate) {
                    (Some(seconds), _) => { "normal latency again " (number::duration(seconds)) " after the load fell" }
                    (None, Some(_)) => { (state(Some(false), "", "normal latency was not reached again")) }
                    (None, None) => (number::NOT_MEASURED),
                }
            }
            @if let Some(normal) = breaking.normal_p99_ms {
                dt { "Normal" } dd { "p99 of " (number::milliseconds(normal)) ", as in the first step" }
            }
            @if let Some(bound) = breaking.critical_bound_ms {
                dt { "Critical beyond it" }
                dd { (state(breaking.critical_held, "held", "not held")) " (p99 at most " (number::milliseconds(bound)) ")" }
            }
            @if let Some(usl) = breaking.usl {
                dt { "Peak by the fit" }
                dd {
                    (number::per_second(usl.peak_rate))
                    " (95\u{202f}%: " (number::per_second(usl.interval[0])) " to " (number::per_second(usl.interval[1])) ")"
                }
                dt { "Universal Scalability Law" }
                dd {
                    "λ " (number::per_second(usl.lambda)) ", α " (number::figure(usl.alpha)) " (contention), β "
                    (number::figure(usl.beta)) " (coherency)"
                }
            }
        }
    }
}

fn offered_axis(breaking: &BreakingResult) -> Axis {
    let rates = breaking
        .steps
        .iter()
        .map(|step| step.offered)
        .chain(breaking.knee_rate)
        .chain(breaking.breaking_rate);
    Axis::new(Scale::from_zero(rates, 6), "offered/s", number::tick)
}

fn throughput(breaking: &BreakingResult) -> Chart {
    let completed: Vec<(f64, f64)> =
        breaking.steps.iter().map(|step| (step.offered, step.completed)).collect();
    let x = offered_axis(breaking);
    let tops = completed.iter().map(|it| it.1).chain(breaking.usl.map(|it| it.peak_rate));
    let scale = Scale::from_zero(tops, 5);
    // As far as the diagonal stays inside the plot.
    let corner = x.scale.bounds().1.min(scale.bounds().1);
    let lines = vec![
        Line::new("", "ideal", vec![(0.0, 0.0), (corner, corner)]),
        Line::new("completed", "single", completed),
    ];
    let y = Axis::new(scale, "completed/s", number::tick);
    let mut chart = Chart::new("chart-saturation", "Completed against offered", x, y, lines)
        .says("Along the dotted diagonal everything offered is completed. Hollow: the step that broke and those after it.");
    chart.dots = dots(breaking, "single", |step| Some(step.completed), number::per_second);
    chart.rules = rules(breaking);
    if let Some(usl) = breaking.usl.filter(|it| it.peak_rate.is_finite() && it.peak_rate > 0.0) {
        let name = format!("peak by the fit, {}", number::per_second(usl.peak_rate));
        chart.rules.push(Rule { at: usl.peak_rate, upright: false, class: "fit", name });
    }
    chart
}

fn latency(breaking: &BreakingResult) -> Option<Chart> {
    let line = |name, class, value: fn(&BreakingStep) -> Option<f64>| {
        let points =
            breaking.steps.iter().map(|step| (step.offered, value(step).unwrap_or(f64::NAN))).collect();
        Line::new(name, class, points)
    };
    let mut lines = vec![
        line("all", "single", |step| step.p99_ms),
        line("Critical", "critical", |step| step.critical_p99_ms),
    ];
    lines.retain(Line::has_points);
    if lines.is_empty() {
        return None;
    }
    let figures =
        lines.iter().flat_map(|line| line.measured().map(|(_, y)| y)).chain(breaking.critical_bound_ms);
    let y = Axis::new(Scale::log(figures), "ms", number::tick);
    let mut chart = Chart::new(
        "chart-saturation-latency",
        "99th percentile against offered",
        offered_axis(breaking),
        y,
        lines,
    )
    .says("Of all messages and of critical ones, step by step.");
    chart.dots = dots(breaking, "single", |step| step.p99_ms, number::milliseconds);
    chart.dots.extend(dots(breaking, "critical", |step| step.critical_p99_ms, number::milliseconds));
    chart.rules = rules(breaking);
    if let Some(bound) = breaking.critical_bound_ms.filter(|it| it.is_finite() && *it > 0.0) {
        let name = format!("bound of Critical, {}", number::milliseconds(bound));
        chart.rules.push(Rule { at: bound, upright: false, class: "critical", name });
    }
    Some(chart)
}

/// Throughput by how many messages were under way, and the law that was fitted. None if there is no fit to show.
fn fit(run: &Run<'_>, breaking: &BreakingResult) -> Option<Chart> {
    let usl = breaking.usl?;
    let law = |n: f64| usl.lambda * n / (1.0 + usl.alpha * (n - 1.0) + usl.beta * n * (n - 1.0));
    let steps = breaking.steps.iter().enumerate();
    let measured: Vec<(f64, f64, bool)> = steps
        .filter_map(|(index, step)| Some((under_way(run, index + 1)?, step.completed, step.broken)))
        .filter(|(n, completed, _)| n.is_finite() && *n > 0.0 && completed.is_finite())
        .collect();
    if measured.len() < 2 || !law(1.0).is_finite() {
        return None;
    }
    let scale = Scale::log(measured.iter().map(|it| it.0).chain([1.0]));
    let (from, to) = scale.bounds();
    const CORNERS: i32 = 120;
    let corner = |index: i32| from * (to / from).powf(f64::from(index) / f64::from(CORNERS));
    let curve = Line::new("law", "fit", (0..=CORNERS).map(corner).map(|n| (n, law(n))).collect());
    let tops = curve.measured().map(|it| it.1).chain(measured.iter().map(|it| it.1));
    let y = Axis::new(Scale::from_zero(tops, 5), "completed/s", number::tick);
    let x = Axis::new(scale, "messages under way", number::tick);
    let mut chart = Chart::new("chart-law", "The Universal Scalability Law, as fitted", x, y, vec![curve]).says(
        "Dots: the steps, by the messages under way at the ends of their seconds. Where the law bends, more at once \
         completes no more.",
    );
    let dot = |(n, completed, hollow): (f64, f64, bool)| {
        let says = format!("{} with {} under way", number::per_second(completed), number::figure(n));
        Dot { at: (n, completed), class: "single", hollow, says }
    };
    chart.dots = measured.into_iter().map(dot).collect();
    Some(chart)
}

/// The mean of messages under way during a step; none if the series does not have the step.
fn under_way(run: &Run<'_>, step: usize) -> Option<f64> {
    let name = format!("step {step}");
    let points = run.result.series.iter().filter(|point| point.stage == name);
    let (sum, count) =
        points.fold((0.0, 0.0), |(sum, count), point| (sum + point.in_flight as f64, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

fn dots(
    breaking: &BreakingResult,
    class: &'static str,
    value: fn(&BreakingStep) -> Option<f64>,
    words: fn(f64) -> String,
) -> Vec<Dot> {
    let steps = breaking.steps.iter();
    steps
        .filter_map(|step| {
            let value = value(step).filter(|it| it.is_finite())?;
            let says = format!("{} at {} offered", words(value), number::per_second(step.offered));
            Some(Dot { at: (step.offered, value), class, hollow: step.broken, says })
        })
        .collect()
}

fn rules(breaking: &BreakingResult) -> Vec<Rule> {
    let rule = |at: Option<f64>, class, name: &str| {
        let at = at.filter(|it| it.is_finite())?;
        Some(Rule { at, upright: true, class, name: format!("{name} {}", number::per_second(at)) })
    };
    [rule(breaking.knee_rate, "knee", "knee"), rule(breaking.breaking_rate, "breaking", "breaks at")]
        .into_iter()
        .flatten()
        .collect()
}

fn steps(breaking: &BreakingResult) -> Markup {
    let columns = [
        numbers("Offered/s"),
        numbers("Completed/s"),
        numbers("p99, ms"),
        numbers("Critical p99, ms"),
        numbers("Errors, %"),
        words("Verdict"),
    ];
    let figure = |value: Option<f64>| match value.filter(|it| it.is_finite()) {
        Some(value) => html! { (number::figure(value)) },
        None => nothing(),
    };
    let row = |step: &BreakingStep| {
        vec![
            figure(Some(step.offered)),
            figure(Some(step.completed)),
            figure(step.p99_ms),
            figure(step.critical_p99_ms),
            figure(Some(step.error_rate)),
            html! {
                (state(Some(!step.broken), "held", "broken"))
                @if !step.why.is_empty() { ": " (foreign(&step.why)) }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = breaking.steps.iter().map(row).collect();
    table("Steps of the rate", &columns, &rows)
}
