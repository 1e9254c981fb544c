//! The difference from an earlier run.

use maud::{Markup, html};

use super::Section;
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::{foreign, nothing, numbers, state, table, words};
use crate::load::{Difference, Verdict};

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let baseline = run.result.baseline.as_ref()?;
    let columns = [
        words("Figure"),
        numbers("Baseline"),
        numbers("Now"),
        numbers("Change"),
        numbers("By chance"),
        words("Verdict"),
    ];
    let rows: Vec<Vec<Markup>> = baseline.differences.iter().map(row).collect();
    let worse = baseline.differences.iter().filter(|it| it.verdict == Verdict::Worse).count();
    let better = baseline.differences.iter().filter(|it| it.verdict == Verdict::Better).count();
    Section::new(
        "baseline",
        "Against the baseline",
        html! {
            p.says {
                "Against " code { (foreign(&baseline.file)) } ": " (worse) " worse and " (better) " better of " (baseline.differences.len())
                " figures. A change within what chance explains counts as the same."
            }
            @if !rows.is_empty() { (table("Against the baseline", &columns, &rows)) }
        },
    )
}

fn row(difference: &Difference) -> Vec<Markup> {
    let Difference { figure, baseline, now, change, band, verdict } = difference;
    let figure_of = |value: &f64| {
        if value.is_finite() {
            html! { (number::figure(*value)) }
        } else {
            nothing()
        }
    };
    vec![
        html! { code { (foreign(figure)) } },
        figure_of(baseline),
        figure_of(now),
        change.filter(|it| it.is_finite()).map_or_else(nothing, |it| html! { (signed(it)) }),
        html! { "±" (number::percent(band * 100.0)) },
        match verdict {
            Verdict::Better => state(Some(true), "better", ""),
            Verdict::Same => html! { span.soft { "same" } },
            Verdict::Worse => state(Some(false), "", "worse"),
        },
    ]
}

/// A ratio as what it adds or takes away.
fn signed(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    let sign = if percent > 0.0 {
        "+"
    } else if percent < 0.0 {
        "−"
    } else {
        ""
    };
    format!("{sign}{}", number::percent(percent.abs()))
}
