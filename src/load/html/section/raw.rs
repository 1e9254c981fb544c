//! The result itself, inside the page.

use maud::{PreEscaped, html};
use serde_json::{Value, json};

use super::Section;
use crate::load::LoadResult;
use crate::load::html::number;
use crate::load::html::run::Run;

/// The longest embedded JSON; beyond it the series is thinned.
const LONGEST: usize = 1_200_000;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let (json, kept) = embed(run.result)?;
    let all = run.result.series.len();
    Section::new(
        "raw",
        "Raw figures",
        html! {
            p.says {
                "All of the above as JSON, inside this file (the element " code { "result" } "), as in " code { "result.json" } "."
                @if kept < all {
                    " So that the page stays small, " (number::count(kept as u64)) " of the " (number::count(all as u64))
                    " points of the series are kept here, of neighbours the slowest; the charts are drawn from all of them."
                }
            }
            p.screen { a.button #download hidden download="result.json" { "Download the JSON" } }
            script type="application/json" id="result" { (PreEscaped(json)) }
        },
    )
}

/// The JSON to embed, and how many points of the series are in it.
fn embed(result: &LoadResult) -> Option<(String, usize)> {
    let mut value = serde_json::to_value(result).ok()?;
    let all = result.series.len();
    let mut every = 1;
    loop {
        let text = value.to_string();
        let kept = all.div_ceil(every);
        if text.len() <= LONGEST || kept <= 1 {
            return Some((harmless(&text), kept));
        }
        every = (every * text.len()).div_ceil(LONGEST).max(every + 1);
        let series = result.series.chunks(every).filter_map(|points| {
            let slowest =
                points.iter().reduce(|slowest, point| if point.p99 > slowest.p99 { point } else { slowest });
            serde_json::to_value(slowest?).ok()
        });
        value["series"] = Value::Array(series.collect());
        value["series_thinned"] =
            json!({ "of": all, "kept": "the slowest of neighbours", "neighbours": every });
    }
}

/// JSON that no parser of HTML or JavaScript takes for anything else. These characters are inside strings only.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", character as u32))
            }
            _ => text.push(character),
        }
    }
    text
}
