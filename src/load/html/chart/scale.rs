//! From a figure to its place on an axis, and the round figures worth a tick.

/// Figures beyond this are drawn at the edge: the arithmetic of steps must not overflow.
const LARGEST: f64 = 1e290;

/// At most this many ticks, whatever the range.
const MOST_TICKS: usize = 16;

/// One axis' range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    from: f64,
    to: f64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Linear { step: f64 },
    Log,
    Time { step: f64 },
}

impl Scale {
    /// From zero to a round figure at or above the largest of these; non-finite ones do not count.
    pub(crate) fn from_zero(figures: impl IntoIterator<Item = f64>, ticks: usize) -> Self {
        let most = figures.into_iter().filter(|it| it.is_finite()).fold(0.0, f64::max).min(LARGEST);
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most / ticks.max(1) as f64);
        Scale { from: 0.0, to: (most / step).ceil() * step, kind: Kind::Linear { step } }
    }

    /// A logarithmic range of round bounds around the positive ones of these figures, a decade at least.
    pub(crate) fn log(figures: impl IntoIterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for figure in figures.into_iter().filter(|it| it.is_finite() && *it > 0.0) {
            least = least.min(figure);
            most = most.max(figure);
        }
        if most <= 0.0 {
            (least, most) = (0.1, 1.0);
        }
        let within = |figure: f64| figure.clamp(1.0 / LARGEST, LARGEST);
        let (mut from, to) = (round_below(within(least)), round_above(within(most)));
        if to / from < 10.0 {
            from = round_below(to / 10.0);
        }
        Scale { from, to, kind: Kind::Log }
    }

    /// Seconds from here to there.
    pub(crate) fn time(from: f64, to: f64, ticks: usize) -> Self {
        let from = if from.is_finite() { from } else { 0.0 };
        let to = if to.is_finite() && to > from { to.min(LARGEST) } else { from + 1.0 };
        Scale { from, to, kind: Kind::Time { step: time_step((to - from) / ticks.max(1) as f64) } }
    }

    /// A linear range that is exactly this, with no ticks of its own.
    pub(crate) fn exact(from: f64, to: f64) -> Self {
        Scale { from, to, kind: Kind::Linear { step: f64::INFINITY } }
    }

    pub(crate) fn bounds(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// Where a figure lies: 0 at the start, 1 at the end, at the edge when beyond; none if it is not a number. A
    /// logarithmic axis has zero and less at its start.
    pub(crate) fn place(&self, figure: f64) -> Option<f64> {
        if figure.is_nan() {
            return None;
        }
        let figure = figure.clamp(self.from, self.to);
        let place = match self.kind {
            Kind::Linear { .. } | Kind::Time { .. } => (figure - self.from) / (self.to - self.from),
            Kind::Log => (figure.ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
        };
        place.is_finite().then(|| place.clamp(0.0, 1.0))
    }

    /// Round figures to mark, in order.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        match self.kind {
            Kind::Linear { step } | Kind::Time { step } => linear_ticks(self.from, self.to, step),
            Kind::Log => log_ticks(self.from, self.to),
        }
    }
}

fn linear_ticks(from: f64, to: f64, step: f64) -> Vec<f64> {
    if !step.is_finite() {
        return Vec::new();
    }
    let first = (from / step).ceil();
    (0..MOST_TICKS)
        .map(|index| (first + index as f64) * step)
        .take_while(|tick| *tick <= to + step * 1e-9)
        .collect()
}

/// Powers of ten, and 2 and 5 times them where there are few; every n-th where there are too many.
fn log_ticks(from: f64, to: f64) -> Vec<f64> {
    let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    // A ratio of the widest bounds would overflow.
    let decades = (to.log10() - from.log10()).ceil().max(1.0) as usize;
    let within = |tick: &f64| *tick >= from * (1.0 - 1e-9) && *tick <= to * (1.0 + 1e-9);
    let multiples: &[f64] = match decades {
        0..=2 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    (first..=last)
        .step_by(decades.div_ceil(7))
        .flat_map(|power| multiples.iter().map(move |it| it * 10f64.powi(power)))
        .filter(within)
        .collect()
}

/// The next 1, 2 or 5 times a power of ten at or above `least`.
fn round_step(least: f64) -> f64 {
    round_above(least.max(1.0 / LARGEST))
}

fn round_above(figure: f64) -> f64 {
    let power = 10f64.powf(figure.log10().floor());
    let multiple = [1.0, 2.0, 5.0].into_iter().find(|it| it * power >= figure * (1.0 - 1e-9));
    multiple.unwrap_or(10.0) * power
}

fn round_below(figure: f64) -> f64 {
    let power = 10f64.powf(figure.log10().floor());
    let multiple = [5.0, 2.0].into_iter().find(|it| it * power <= figure * (1.0 + 1e-9));
    multiple.unwrap_or(1.0) * power
}

/// Steps that clocks have.
fn time_step(least: f64) -> f64 {
    const STEPS: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
        14_400.0, 21_600.0, 43_200.0,
    ];
    let day = 86_400.0;
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| day * round_step(least / day).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_from_zero_ends_at_a_round_figure() {
        let scale = Scale::from_zero([3.0, 87.0, f64::NAN, f64::INFINITY], 5);
        assert_eq!(scale.bounds(), (0.0, 100.0));
        assert_eq!(scale.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(scale.place(50.0), Some(0.5));
    }

    #[test]
    fn nothing_and_zero_have_a_range_all_the_same() {
        for figures in [vec![], vec![0.0, 0.0], vec![f64::NAN], vec![-4.0]] {
            assert_eq!(Scale::from_zero(figures.clone(), 4).bounds(), (0.0, 1.0), "{figures:?}");
            let (from, to) = Scale::log(figures.clone()).bounds();
            assert!(from > 0.0 && to >= from * 10.0, "{figures:?}: {from} to {to}");
        }
    }

    #[test]
    fn a_logarithmic_range_has_round_bounds_and_decades_as_ticks() {
        let scale = Scale::log([0.031, 4_200.0]);
        assert_eq!(scale.bounds(), (0.02, 5_000.0));
        let ticks = scale.ticks();
        assert_eq!(ticks.len(), 5, "{ticks:?}");
        assert!((ticks[0] - 0.1).abs() < 1e-12 && (ticks[4] - 1_000.0).abs() < 1e-9, "{ticks:?}");
        assert_eq!(Scale::log([1.2, 7.0]).ticks(), [1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn zero_and_less_lie_at_the_start_of_a_logarithmic_axis() {
        let scale = Scale::log([1.0, 100.0]);
        assert_eq!(scale.place(0.0), Some(0.0));
        assert_eq!(scale.place(-1.0), Some(0.0));
        assert_eq!(scale.place(f64::INFINITY), Some(1.0));
        assert_eq!(scale.place(f64::NAN), None);
    }

    #[test]
    fn one_point_has_a_decade_around_it() {
        let (from, to) = Scale::log([3.0]).bounds();
        assert!(from <= 3.0 && to >= 3.0 && to / from >= 10.0);
    }

    #[test]
    fn huge_and_tiny_figures_keep_few_finite_ticks() {
        for scale in [
            Scale::from_zero([f64::MAX], 5),
            Scale::from_zero([f64::MIN_POSITIVE], 5),
            Scale::log([f64::MIN_POSITIVE, f64::MAX]),
            Scale::log([5e-324]),
            Scale::time(0.0, f64::MAX, 8),
            Scale::time(f64::NAN, f64::INFINITY, 8),
        ] {
            let ticks = scale.ticks();
            assert!(
                ticks.len() <= MOST_TICKS && ticks.iter().all(|it| it.is_finite()),
                "{scale:?}: {ticks:?}"
            );
            let (from, to) = scale.bounds();
            assert!(scale.place(from).is_some() && scale.place(to).is_some(), "{scale:?}");
        }
    }

    #[test]
    fn time_has_the_steps_of_a_clock() {
        assert_eq!(Scale::time(0.0, 300.0, 6).ticks(), [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]);
        assert_eq!(Scale::time(0.0, 7_200.0, 8).ticks()[1], 900.0);
        assert_eq!(Scale::time(0.0, 864_000.0, 5).ticks()[1], 172_800.0);
        assert_eq!(Scale::time(0.0, 0.0, 5).bounds(), (0.0, 1.0));
    }
}
