//! What had to hold: thresholds, which decide whether a run passed, and targets, which are only told.

use maud::html;

use super::Section;
use crate::load::html::run::Run;
use crate::load::html::table::{foreign, numbers, state, table, words};

pub(super) fn thresholds(run: &Run<'_>) -> Option<Section> {
    let thresholds = &run.result.thresholds;
    if thresholds.is_empty() {
        return None;
    }
    let columns = [words("Threshold"), numbers("Measured"), words("Verdict")];
    let rows: Vec<_> = thresholds
        .iter()
        .map(|it| {
            vec![
                html! { code { (foreign(&it.expression)) } },
                foreign(&it.observed),
                state(Some(it.passed), "held", "missed"),
            ]
        })
        .collect();
    Section::new(
        "thresholds",
        "Thresholds",
        html! {
            p.says { "A run passes if every one of them holds." }
            (table("Thresholds", &columns, &rows))
        },
    )
}

pub(super) fn targets(run: &Run<'_>) -> Option<Section> {
    let targets = &run.result.targets;
    if targets.is_empty() {
        return None;
    }
    let count = |met| targets.iter().filter(|it| it.met == met).count();
    let (met, missed, open) = (count(Some(true)), count(Some(false)), count(None));
    let columns = [words("Target"), words("Wanted"), words("Measured"), words("Verdict")];
    let rows: Vec<_> = targets
        .iter()
        .map(|it| {
            vec![
                foreign(&it.name),
                foreign(&it.wanted),
                foreign(&it.observed),
                state(it.met, "met", "missed"),
            ]
        })
        .collect();
    Section::new(
        "targets",
        "Targets",
        html! {
            p.says {
                (met) " met, " (missed) " missed"
                @if open > 0 { ", " (open) " that this run does not measure" }
                ". They do not decide whether the run passes."
            }
            (table("Targets", &columns, &rows))
        },
    )
}
