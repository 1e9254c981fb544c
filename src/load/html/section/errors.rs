//! Failures by class.

use maud::{Markup, html};

use super::Section;
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::{numbers, table, words};

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let results = &run.result.results;
    if results.all.total_requests == 0 {
        return None;
    }
    let all = results.all.total_requests as f64;
    let mut errors: Vec<_> = results.errors.iter().filter(|(_, count)| **count > 0).collect();
    errors.sort_by(|a, b| b.1.cmp(a.1));
    let rows: Vec<Vec<Markup>> = errors
        .into_iter()
        .map(|(class, count)| {
            let share = *count as f64 / all * 100.0;
            vec![
                html! { (class.as_str()) },
                html! { (number::count(*count)) },
                html! { (number::figure(share)) },
            ]
        })
        .collect();
    Section::new(
        "errors",
        "Errors by class",
        html! {
            @if rows.is_empty() {
                p.says { "No message failed." }
            } @else {
                p.says { (number::count(results.all.failed_requests)) " of " (number::count(results.all.total_requests)) " messages failed." }
                (table("Errors by class", &[words("Class"), numbers("Messages"), numbers("Of all, %")], &rows))
            }
        },
    )
}
