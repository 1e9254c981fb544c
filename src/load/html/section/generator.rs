//! Whether the load was the one intended: how late messages were sent.

use maud::{Markup, html};

use super::Section;
use crate::load::html::chart::{Axis, Chart, Rule, Scale};
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::state;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let generator = &run.result.generator;
    let lag = |value: f64| number::milliseconds(if generator.sends > 0 { value } else { f64::NAN });
    Section::new(
        "generator",
        "Generator",
        html! {
            p.says {
                "A generator that sends late measures itself. Its lag is the time from when a message was to be sent to when it was."
            }
            div.charts {
                div.cell {
                    dl.pairs {
                        dt { "Verdict" } dd { (state(Some(generator.passed), "kept up", "did not keep up")) }
                        dt { "Lag, 99th percentile" } dd { (lag(generator.lag_ms.p99)) " (at most " (number::milliseconds(generator.bound_ms)) ")" }
                        dt { "Lag, median" } dd { (lag(generator.lag_ms.p50)) }
                        dt { "Lag, maximum" } dd { (lag(generator.lag_ms.max)) }
                        dt { "Users" } dd { (number::count(generator.users.into())) }
                        dt { "Threads" } dd { (number::count(generator.workers.into())) }
                    }
                }
                (over_time(run))
            }
        },
    )
}

fn over_time(run: &Run<'_>) -> Markup {
    let line = run.line("p99", "single", |point| point.lag_ms.unwrap_or(f64::NAN));
    if !line.has_points() {
        return html! {};
    }
    let bound = run.result.generator.bound_ms;
    let figures = line.measured().map(|(_, y)| y).chain([bound]);
    let axis = Axis::new(Scale::log(figures), "ms", number::tick);
    let mut chart = Chart::new("chart-lag", "Lag over time", run.time.clone(), axis, vec![line])
        .stages(&run.stages)
        .reads(vec![["lag_ms", "lag p99", "ms"].map(str::to_owned)]);
    chart.says = "99th percentile of each moment, against what it may be at most.".to_owned();
    if bound.is_finite() && bound > 0.0 {
        let name = format!("bound {}", number::milliseconds(bound));
        chart.rules.push(Rule { at: bound, upright: false, class: "bound", name });
    }
    chart.figure()
}
