//! A line through measured points, thinned to what a screen can show without losing an extreme.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::Scale;

/// The canvas that paths are drawn on; stretched to whatever room the chart has.
pub(crate) const CANVAS: (f64, f64) = (2_000.0, 1_000.0);

/// Columns that a long line is thinned to.
const COLUMNS: usize = 500;

/// One measured line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// What stands at its end.
    pub(crate) name: String,
    /// How it looks: a class of the style sheet.
    pub(crate) class: &'static str,
    /// In order of x. A y that is not finite was not measured: the line is interrupted there.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, class: &'static str, points: Vec<(f64, f64)>) -> Self {
        Line { name: name.into(), class, points }
    }

    /// Whether anything was measured.
    pub(crate) fn has_points(&self) -> bool {
        self.measured().next().is_some()
    }

    /// Whether anything but zero was measured.
    pub(crate) fn has_more_than_zero(&self) -> bool {
        self.measured().any(|(_, y)| y != 0.0)
    }

    pub(crate) fn measured(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> + '_ {
        self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
    }

    /// The point with the greatest y.
    pub(crate) fn highest(&self) -> Option<(f64, f64)> {
        self.measured().reduce(|best, it| if it.1 > best.1 { it } else { best })
    }

    /// The line on the [`CANVAS`]. A long one is drawn as the range of its points, column by column, with their medians in
    /// it: a line through all of them would be a block of ink.
    pub(crate) fn markup(&self, x: &Scale, y: &Scale) -> Markup {
        let place = |&(a, b): &(f64, f64)| {
            (a.is_finite() && b.is_finite()).then(|| Some((x.place(a)?, 1.0 - y.place(b)?))).flatten()
        };
        let placed: Vec<Option<(f64, f64)>> = self.points.iter().map(place).collect();
        if placed.len() <= 2 * COLUMNS {
            return html! { path class=(self.class) d=(draw(&placed)) {} };
        }
        let columns = columns(&placed);
        html! {
            path class={ "range " (self.class) } d=(ranges(&columns)) {}
            path class=(self.class) d=(draw(&medians(&columns))) {}
        }
    }
}

/// One entry a corner of the line; nothing where it is interrupted.
fn draw(placed: &[Option<(f64, f64)>]) -> String {
    let mut data = String::new();
    let mut previous: Option<(i64, i64)> = None;
    for (index, place) in placed.iter().enumerate() {
        let Some((x, y)) = place else {
            previous = None;
            continue;
        };
        let here = ((x * CANVAS.0).round() as i64, (y * CANVAS.1).round() as i64);
        let alone = placed.get(index + 1).is_none_or(Option::is_none);
        // Writing to a string does not fail. A round cap makes a dot of a line without length.
        let _ = match previous {
            None if alone => write!(data, "M{} {}h0", here.0, here.1),
            None => write!(data, "M{} {}", here.0, here.1),
            Some(there) if there == here => Ok(()),
            Some(there) => write!(data, "l{} {}", here.0 - there.0, here.1 - there.1),
        };
        previous = Some(here);
    }
    data
}

/// What is in a column of a long line: heights in ascending order, at least one.
struct Column {
    number: usize,
    heights: Vec<f64>,
    /// Nothing was measured for at least a column before this one.
    after_a_hole: bool,
}

impl Column {
    fn x(&self) -> f64 {
        (self.number as f64 + 0.5) / COLUMNS as f64
    }

    /// Heights are measured from the top: the smallest is the highest point.
    fn highest(&self) -> f64 {
        self.heights[0]
    }

    fn lowest(&self) -> f64 {
        self.heights[self.heights.len() - 1]
    }

    fn median(&self) -> f64 {
        self.heights[self.heights.len() / 2]
    }
}

/// Columns with something in them. An interruption shorter than a column is not seen.
fn columns(placed: &[Option<(f64, f64)>]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(COLUMNS);
    let mut interrupted = false;
    for place in placed {
        let Some((x, height)) = *place else {
            interrupted = true;
            continue;
        };
        let number = ((x * COLUMNS as f64) as usize).min(COLUMNS - 1);
        match columns.last_mut() {
            Some(column) if column.number == number => column.heights.push(height),
            last => {
                let after_a_hole = interrupted && last.is_some_and(|it| number > it.number + 1);
                columns.push(Column { number, heights: vec![height], after_a_hole });
            }
        }
        interrupted = false;
    }
    for column in &mut columns {
        column.heights.sort_by(f64::total_cmp);
    }
    columns
}

fn medians(columns: &[Column]) -> Vec<Option<(f64, f64)>> {
    let mut corners = Vec::with_capacity(columns.len() + 1);
    for column in columns {
        if column.after_a_hole {
            corners.push(None);
        }
        corners.push(Some((column.x(), column.median())));
    }
    corners
}

/// A shape around everything in these columns: to the right along the highest, back along the lowest.
fn ranges(columns: &[Column]) -> String {
    let mut data = String::new();
    for run in columns.chunk_by(|_, next| !next.after_a_hole) {
        let there = run.iter().map(|it| Some((it.x(), it.highest())));
        let back = run.iter().rev().map(|it| Some((it.x(), it.lowest())));
        data.push_str(&draw(&there.chain(back).collect::<Vec<_>>()));
        data.push('Z');
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(points: Vec<(f64, f64)>, to: f64) -> Vec<String> {
        let line =
            Line::new("", "", points).markup(&Scale::exact(0.0, to), &Scale::exact(0.0, 10.0)).into_string();
        line.split("d=\"").skip(1).map(|rest| rest[..rest.find('"').expect("an end")].to_owned()).collect()
    }

    /// The heights of a path's corners.
    fn heights(path: &str) -> Vec<i64> {
        let steps = path.split(['M', 'l', 'Z']).filter(|step| !step.is_empty());
        let mut y = 0;
        steps
            .map(|step| {
                y += step
                    .split_once(' ')
                    .expect("a pair")
                    .1
                    .trim_end_matches("h0")
                    .parse::<i64>()
                    .expect("a number");
                y
            })
            .collect()
    }

    #[test]
    fn goes_through_every_point() {
        assert_eq!(paths(vec![(0.0, 0.0), (1.0, 10.0), (2.0, 5.0)], 2.0), ["M0 1000l1000 -1000l1000 500"]);
    }

    #[test]
    fn is_interrupted_where_nothing_was_measured_and_a_lone_point_is_a_dot() {
        let points = vec![(0.0, 5.0), (1.0, f64::NAN), (2.0, 5.0), (3.0, 5.0), (4.0, f64::INFINITY)];
        assert_eq!(paths(points, 4.0), ["M0 500h0M1000 500l500 0"]);
    }

    #[test]
    fn a_long_line_is_a_range_that_keeps_every_extreme_and_medians_that_do_not_jump() {
        let mut points: Vec<(f64, f64)> = (0..86_400).map(|it| (f64::from(it), 5.0)).collect();
        points[43_210].1 = 10.0;
        points[70_001].1 = 0.0;
        let paths = paths(points, 86_399.0);
        let [range, medians] = paths.as_slice() else { panic!("{paths:?}") };
        assert!(range.len() + medians.len() < 20_000, "{} and {} bytes", range.len(), medians.len());
        let range = heights(range);
        assert!(range.contains(&0) && range.contains(&1_000), "both spikes are there");
        assert!(heights(medians).iter().all(|height| *height == 500));
    }

    #[test]
    fn a_long_line_full_of_holes_stays_short_and_shows_the_long_one() {
        let mut points: Vec<(f64, f64)> =
            (0..20_000).map(|it| (f64::from(it), if it % 2 == 0 { 5.0 } else { f64::NAN })).collect();
        for point in &mut points[5_000..9_000] {
            point.1 = f64::NAN;
        }
        for path in paths(points, 19_999.0) {
            assert!(path.len() < 12_000, "{} bytes", path.len());
            assert_eq!(path.matches('M').count(), 2, "{path}");
        }
    }
}
