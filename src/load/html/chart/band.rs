//! Stretches of time: the stages behind a chart, and rows of what happened when.

use maud::{Markup, html};

use super::{Scale, share};

/// A stretch of an axis, with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Band {
    pub(crate) name: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Band {
    /// Joins neighbours of one name: moments (when, how long, what) become bands.
    pub(crate) fn join<'a>(moments: impl IntoIterator<Item = (f64, f64, &'a str)>) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        for (from, width, name) in moments.into_iter().filter(|(from, ..)| from.is_finite()) {
            match bands.last_mut() {
                Some(last) if last.name == name && from <= last.to + width * 0.5 => last.to = from + width,
                _ => bands.push(Band { name: name.to_owned(), from, to: from + width }),
            }
        }
        bands
    }

    fn extent(&self, x: &Scale) -> Option<(f64, f64)> {
        let (from, to) = (x.place(self.from)?, x.place(self.to)?);
        (to >= from).then_some((from * 100.0, (to - from) * 100.0))
    }
}

/// Room for the stages' names above a plot.
pub(super) const NAMES: u32 = 18;

/// Stages behind the lines: every other one tinted, each named above the plot if there is room for its name.
pub(super) fn stages(bands: &[Band], x: &Scale, height: u32) -> Markup {
    html! {
        @for (index, band) in bands.iter().enumerate() {
            @if let Some((left, width)) = band.extent(x) {
                @if index % 2 == 1 {
                    rect.stage x={ (share(left)) "%" } width={ (share(width)) "%" } y={ "-" (NAMES) } height=(height + NAMES) {}
                }
                @if let Some(class) = room(&band.name, width) {
                    text class=(class) x={ (share(left)) "%" } dx="4" y="-6" { (band.name) }
                }
            }
        }
    }
}

/// Where a name of this length fits into so many percent of a plot: everywhere, or from a class of widths on.
fn room(name: &str, percent: f64) -> Option<&'static str> {
    const CHARACTER: f64 = 6.6;
    let wanted = name.chars().count() as f64 * CHARACTER + 6.0;
    let fits = |plot: f64| plot * percent / 100.0 >= wanted;
    match () {
        () if fits(190.0) => Some("stage-name"),
        () if fits(330.0) => Some("stage-name fits-middle"),
        () if fits(430.0) => Some("stage-name fits-wide"),
        () => None,
    }
}

/// One row of a time line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Its whole, in words, at the end of the name.
    pub(crate) sum: String,
    pub(crate) class: &'static str,
    /// When it was, and how much of it: 0 to 1 is the height of its bar.
    pub(crate) bars: Vec<(f64, f64, f64)>,
}

pub(crate) const ROW: u32 = 44;

/// At most this many bars a row: neighbours are joined, the highest counts.
const MOST_BARS: usize = 400;

pub(super) fn rows(rows: &[Row], x: &Scale) -> Markup {
    const HIGH: f64 = 18.0;
    html! {
        @for (index, row) in rows.iter().enumerate() {
            @let top = index as u32 * ROW;
            text.row-name x="0" y=(top + 14) {
                title { (row.name) }
                (shortened(&row.name))
                tspan.row-sum dx="8" { (row.sum) }
            }
            line.row-base x1="0" x2="100%" y1=(top + 40) y2=(top + 40) {}
            @for (left, width, high) in merge(row, x) {
                @let high = (high.clamp(0.0, 1.0) * HIGH).max(3.0);
                rect class={ "bar " (row.class) } x={ (share(left)) "%" } width={ (share(width)) "%" }
                    y=(share(f64::from(top) + 40.0 - high)) height=(share(high)) {}
            }
        }
    }
}

/// What of a name fits beside a small plot; the rest is shown under a pointer.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 34;
    match name.char_indices().nth(LONGEST) {
        Some(_) => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => name.to_owned(),
    }
}

/// Places in percent; a bar is never too narrow to see.
fn merge(row: &Row, x: &Scale) -> Vec<(f64, f64, f64)> {
    let mut merged: Vec<(f64, f64, f64)> = Vec::new();
    for (from, to, high) in &row.bars {
        let (Some(left), Some(right)) = (x.place(*from), x.place(*to)) else { continue };
        let column = |place: f64| (place * MOST_BARS as f64).floor();
        match merged.last_mut() {
            Some(last) if row.bars.len() > MOST_BARS && column(last.0) == column(left) => {
                *last = (last.0, right.max(last.1), high.max(last.2));
            }
            // One bar instead of two, where nothing shows that they are two.
            Some(last) if (last.1 - left).abs() < 1e-9 && (last.2 - high).abs() < 1e-9 => last.1 = right,
            _ => merged.push((left, right, *high)),
        }
    }
    merged
        .into_iter()
        .map(|(left, right, high)| (left * 100.0, ((right - left) * 100.0).max(0.25), high))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_one_name_become_one_band() {
        let bands =
            Band::join([(0.0, 1.0, "ramp"), (1.0, 1.0, "ramp"), (2.0, 1.0, "hold"), (5.0, 1.0, "hold")]);
        let found: Vec<_> = bands.iter().map(|it| (it.name.as_str(), it.from, it.to)).collect();
        assert_eq!(found, [("ramp", 0.0, 2.0), ("hold", 2.0, 3.0), ("hold", 5.0, 6.0)]);
    }

    #[test]
    fn a_stage_is_named_only_where_its_name_fits() {
        assert_eq!(room("step 1", 50.0), Some("stage-name"));
        assert_eq!(room("step 1", 14.0), Some("stage-name fits-middle"));
        assert_eq!(room("warm-up", 2.0), None);
    }

    #[test]
    fn a_long_name_of_a_row_is_cut_between_characters() {
        assert_eq!(shortened("Breaker a -> b"), "Breaker a -> b");
        assert_eq!(shortened(&"ä".repeat(34)), "ä".repeat(34));
        assert_eq!(shortened(&"ä".repeat(35)), "ä".repeat(33) + "…");
    }

    #[test]
    fn a_row_of_many_bars_keeps_few_and_the_highest() {
        let mut bars: Vec<(f64, f64, f64)> =
            (0..50_000).map(|it| (f64::from(it), f64::from(it) + 1.0, 0.1)).collect();
        bars[7].2 = 1.0;
        let row = Row { name: String::new(), sum: String::new(), class: "", bars };
        let merged = merge(&row, &Scale::exact(0.0, 50_000.0));
        assert!(merged.len() <= MOST_BARS + 1, "{}", merged.len());
        assert_eq!(merged[0].2, 1.0);
    }
}
