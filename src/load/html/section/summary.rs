//! The head of the page: what was run, whether it passed and why not, and the figures everybody asks for first.

use maud::{Markup, html};

use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::{foreign, state};

pub(in crate::load::html) fn summary(run: &Run<'_>) -> Markup {
    let result = run.result;
    let title = if result.title.is_empty() { &result.test_name } else { &result.title };
    html! {
        header {
            p.eyebrow { "Load report · " (foreign(&result.test_name)) }
            h1 { (foreign(title)) }
            p.verdict { strong { (state(Some(result.passed), "Passed", "Failed")) } span { (reason(run)) } }
            @if result.machine.debug_assertions {
                p.note { strong.bad { "Built with checks on: " } "figures of a debug build say nothing about a release build." }
            }
            dl.about {
                div { dt { "Started" } dd { (moment(&result.started_at)) } }
                div { dt { "Measured for" } dd { (number::duration(result.seconds)) } }
                div { dt { "Seed" } dd { (result.seed) } }
                div { dt { "Statim" } dd { (foreign(&result.statim_version)) } }
            }
            (figures(run))
        }
    }
}

/// Why the verdict is what it is, in a sentence.
fn reason(run: &Run<'_>) -> Markup {
    let result = run.result;
    let missed: Vec<&str> =
        result.thresholds.iter().filter(|it| !it.passed).map(|it| it.expression.as_str()).collect();
    let all = result.thresholds.len();
    html! {
        @match (all, missed.as_slice()) {
            (0, _) => "No thresholds were set.",
            (1, []) => "Its threshold held.",
            (_, []) => { "All " (all) " thresholds held." }
            (_, missed) => {
                @if all == 1 { "Its threshold was missed: " } @else { (missed.len()) " of " (all) " thresholds missed: " }
                @for (index, expression) in missed.iter().take(3).enumerate() {
                    @if index > 0 { ", " }
                    code { (foreign(expression)) }
                }
                @if missed.len() > 3 { " and " (missed.len() - 3) " more" }
                "."
            }
        }
        @if !result.generator.passed { " The generator did not keep up, so the load was not the one intended." }
        @if result.interrupted { " The run was ended before its time." }
    }
}

/// `2026-11-21 14:03:12 UTC` of `2026-11-21T14:03:12.5Z`; anything else as it is.
fn moment(started_at: &str) -> Markup {
    let plain = started_at.is_ascii().then(|| started_at.strip_suffix('Z')).flatten();
    let parts = plain.and_then(|it| it.split_once('T'));
    html! {
        @match parts {
            Some((date, time)) => {
                time datetime=(started_at) { (date) " " (time.split('.').next().unwrap_or(time)) " UTC" }
            }
            None => (foreign(started_at)),
        }
    }
}

fn figures(run: &Run<'_>) -> Markup {
    let results = &run.result.results;
    let all = &results.all;
    let measured = all.total_requests > 0;
    let latency = |value: f64| if measured { value } else { f64::NAN };
    let shown = [
        ("Completed", number::per_second(latency(all.throughput))),
        ("Median", number::milliseconds(latency(all.percentiles.p50))),
        ("99th percentile", number::milliseconds(latency(all.percentiles.p99))),
        ("99.9th percentile", number::milliseconds(latency(all.percentiles.p999))),
        ("Error rate", number::percent(latency(all.error_rate))),
        ("Messages", number::count(all.total_requests)),
        ("Sends dropped", number::count(results.dropped_sends)),
    ];
    html! {
        dl.figures {
            @for (name, value) in &shown {
                div { dt { (name) } dd.soft[value == number::NOT_MEASURED] { (value) } }
            }
        }
    }
}
