//! An axis: its scale, its ticks, and its unit.

use maud::{Markup, html};

use super::{Scale, share};
use crate::load::html::number;

/// One axis of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) scale: Scale,
    ticks: Vec<(f64, String)>,
    unit: String,
}

impl Axis {
    pub(crate) fn new(scale: Scale, unit: impl Into<String>, label: fn(f64) -> String) -> Self {
        let ticks = scale.ticks().into_iter().map(|tick| (tick, label(tick))).collect();
        Axis { scale, ticks, unit: unit.into() }
    }

    /// Seconds of the run, as on a clock.
    pub(crate) fn time(from: f64, to: f64) -> Self {
        let scale = Scale::time(from, to, 7);
        let unit = if scale.bounds().1 >= 3_600.0 { "h:mm:ss" } else { "m:ss" };
        Axis::new(scale, unit, number::clock)
    }

    /// Percentiles (0 to 100), each further nine as wide as the one before, up to the greatest below 100.
    pub(crate) fn percentiles(most: f64) -> Self {
        let marks = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999];
        let to = marks.into_iter().find(|mark| *mark >= most).unwrap_or(99.9999).max(99.0);
        let ticks = marks
            .into_iter()
            .filter(|mark| *mark <= to)
            .map(|mark| (nines(mark), format!("{mark}")))
            .collect();
        Axis { scale: Scale::exact(0.0, nines(to)), ticks, unit: "percentile".to_owned() }
    }

    /// Ticks and grid of a vertical axis; the unit stands above it, and above what else is there.
    pub(super) fn vertical(&self, height: u32, above: u32) -> Markup {
        let high = f64::from(height);
        html! {
            text x="-56" y={ "-" (above + 12) } { (self.unit) }
            @for (tick, label) in &self.ticks {
                @if let Some(place) = self.scale.place(*tick) {
                    @let y = share((1.0 - place) * high);
                    line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                    text.tick-y x="-8" y=(y) dy="0.32em" { (label) }
                }
            }
        }
    }

    /// Ticks of a horizontal axis below the plot; the unit stands below its end.
    pub(super) fn horizontal(&self, height: u32) -> Markup {
        html! {
            line.base x1="0" x2="100%" y1=(height) y2=(height) {}
            @for (index, (tick, label)) in self.ticks.iter().enumerate() {
                @if let Some(place) = self.scale.place(*tick) {
                    @let x = format!("{}%", share(place * 100.0));
                    line.base x1=(x) x2=(x) y1=(height) y2=(height + 4) {}
                    text.tick-x.every-other[index % 2 == 1] x=(x) y=(height + 18) { (label) }
                }
            }
            text.unit-x x="100%" y=(height + 34) { (self.unit) }
        }
    }
}

/// How far right a percentile lies: the number of nines, as far as they go on this axis.
pub(crate) fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile.clamp(0.0, 99.999_999) / 100.0).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nine_of_a_percentile_is_as_wide_as_the_one_before() {
        assert_eq!(nines(0.0), 0.0);
        assert!((nines(99.0) - 2.0 * nines(90.0)).abs() < 1e-9);
        assert!((nines(99.9) - 3.0).abs() < 1e-9);
        assert!(nines(100.0).is_finite());
    }

    #[test]
    fn a_time_axis_says_what_its_figures_are() {
        assert_eq!(Axis::time(0.0, 300.0).unit, "m:ss");
        assert_eq!(Axis::time(0.0, 7_200.0).unit, "h:mm:ss");
    }
}
