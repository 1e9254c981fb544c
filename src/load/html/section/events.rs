//! What happened when: sheds, refusals, open breakers and restarts, on the time axis of the other charts.

use std::collections::BTreeMap;

use maud::html;

use super::Section;
use crate::load::SeriesPoint;
use crate::load::html::chart::{Row, timeline};
use crate::load::html::number;
use crate::load::html::run::{Run, end, span};

/// Rows of breakers; what is beyond is named in a sentence.
const MOST_BREAKERS: usize = 12;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let counted = [
        counts(run, "Shed", "shed", "messages", |point| point.shed),
        counts(run, "Refused", "refused", "messages", |point| point.refused),
        counts(run, "Restarts", "restart", "in all", |point| point.restarts),
    ];
    let (breakers, left_out) = breakers(run);
    let rows: Vec<Row> = counted.into_iter().flatten().chain(breakers).collect();
    if run.result.series.is_empty() {
        return None;
    }
    let sums = rows.iter().map(|row| format!("{}: {}. ", row.name, row.sum)).collect::<String>();
    let says = format!("{sums}A bar is as high as its share of the most in its row.");
    Section::new(
        "events",
        "What happened when",
        html! {
            @if rows.is_empty() {
                p.says { "Nothing was shed or refused, no breaker opened, and no agent was restarted." }
            } @else {
                (timeline("chart-events", "Sheds, refusals, restarts and breakers", &says, &run.time, &run.stages, &rows))
            }
            @if left_out > 0 { p.note { "Breakers of " (left_out) " more links were open; they are in the raw figures." } }
        },
    )
}

fn counts(
    run: &Run<'_>,
    name: &str,
    class: &'static str,
    what: &str,
    count: impl Fn(&SeriesPoint) -> u64,
) -> Option<Row> {
    let series = &run.result.series;
    let most = series.iter().map(&count).max().filter(|most| *most > 0)?;
    let all = series.iter().fold(0_u64, |sum, point| sum.saturating_add(count(point)));
    let bars = series.iter().filter(|point| count(point) > 0);
    Some(Row {
        name: name.to_owned(),
        sum: format!("{} {what}", number::count(all)),
        class,
        bars: bars.map(|point| (point.second, end(point), count(point) as f64 / most as f64)).collect(),
    })
}

/// A row for each link whose breaker was open, and how many more there are.
fn breakers(run: &Run<'_>) -> (Vec<Row>, usize) {
    let mut open: BTreeMap<&str, Vec<&SeriesPoint>> = BTreeMap::new();
    for point in &run.result.series {
        for link in &point.breakers_open {
            open.entry(link).or_default().push(point);
        }
    }
    let left_out = open.len().saturating_sub(MOST_BREAKERS);
    let rows = open.into_iter().take(MOST_BREAKERS).map(|(link, points)| Row {
        name: format!("Breaker {link}"),
        sum: format!("not closed for {}", number::duration(points.iter().map(|point| span(point)).sum())),
        class: "breaker",
        bars: points.iter().map(|point| (point.second, end(point), 1.0)).collect(),
    });
    (rows.collect(), left_out)
}
