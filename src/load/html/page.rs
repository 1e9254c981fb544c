//! The load report as a page.

use maud::html;

use super::document::wrap;
use super::run::Run;
use super::section::{all, summary};
use crate::load::LoadResult;

/// The report of a load test as one HTML file. It opens without a network, and its charts need no script; a little script
/// lets a pointer read values off them and offers the embedded JSON as a file.
///
/// What a result does not have is left out or said to be not measured, whatever else is in it; every text from outside is
/// escaped. A run of 3,600 points, the most that a result has, makes a page of less than 2 MB.
#[must_use]
pub fn page(result: &LoadResult) -> String {
    let run = Run::new(result);
    let sections = all(&run);
    let verdict = if result.passed { "passed" } else { "failed" };
    let title = format!("{}: load test {verdict}", result.test_name);
    let body = html! {
        (summary(&run))
        nav aria-label="Sections" {
            ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.title) } } } }
        }
        main {
            @let promises = sections.iter().take_while(|it| it.is_promise()).count();
            div.beside { @for section in &sections[..promises] { (section.markup()) } }
            @for section in &sections[promises..] { (section.markup()) }
        }
        footer { "Written by Statim " (result.statim_version) ". Everything on this page is in this file; nothing is fetched." }
    };
    wrap(&title, body).into_string()
}
