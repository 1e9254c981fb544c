//! Where a curve bends.

use crate::load::result::BreakingStep;

/// How far a bend must stand out, in steps: Kneedle's sensitivity, with the value its authors advise.
const SENSITIVITY: f64 = 1.0;

/// The offered rate at which completed messages stop keeping up with it: the knee of the throughput curve by Kneedle (Satopää,
/// Albrecht, Irwin and Raghavan, "Finding a 'Kneedle' in a Haystack", ICDCS 2011). Both axes are put between 0 and 1; the
/// knee is where the curve stands highest above the diagonal, provided that it comes down again by the sensitivity
/// times the mean distance of two points. A curve that does not is straight as far as it was measured, and has no knee.
pub(super) fn of(steps: &[BreakingStep]) -> Option<f64> {
    let points: Vec<(f64, f64)> = steps.iter().map(|step| (step.offered, step.completed)).collect();
    let place = kneedle(&points)?;
    Some(points[place].0)
}

fn kneedle(points: &[(f64, f64)]) -> Option<usize> {
    let (first, last) = (points.first()?, points.last()?);
    let low = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let (width, height) = (last.0 - first.0, high - low);
    if points.len() < 3 || !(width > 0.0 && height > 0.0) {
        return None;
    }
    let above: Vec<f64> = points.iter().map(|(x, y)| (y - low) / height - (x - first.0) / width).collect();
    let fall = SENSITIVITY / (points.len() - 1) as f64;
    let mut best: Option<usize> = None;
    for at in 1..above.len() - 1 {
        let is_peak = above[at] > 0.0 && above[at] >= above[at - 1] && above[at] >= above[at + 1];
        let comes_down = above[at..].iter().any(|later| *later <= above[at] - fall);
        if is_peak && comes_down && best.is_none_or(|best| above[at] > above[best]) {
            best = Some(at);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(completed: impl Fn(f64) -> f64) -> Vec<BreakingStep> {
        let offered = (0..12).map(|n| 100.0 * f64::powi(1.5, n));
        let step =
            |offered| BreakingStep { offered, completed: completed(offered), ..BreakingStep::default() };
        offered.map(step).collect()
    }

    #[test]
    fn a_target_that_stops_at_a_rate_has_its_knee_at_the_last_step_below_or_the_first_above() {
        let knee = of(&curve(|offered| offered.min(2_000.0))).unwrap();
        assert!((1_000.0..=2_600.0).contains(&knee), "{knee}");
    }

    #[test]
    fn a_target_that_gets_slower_under_load_has_its_knee_at_its_best() {
        let knee = of(&curve(|offered| if offered < 2_000.0 { offered } else { 4e6 / offered })).unwrap();
        assert!((1_000.0..=2_600.0).contains(&knee), "{knee}");
    }

    #[test]
    fn a_straight_line_has_none() {
        assert_eq!(of(&curve(|offered| offered)), None);
        assert_eq!(of(&curve(|offered| offered * (1.0 + 0.004 * offered.sin()))), None);
    }

    #[test]
    fn two_points_or_a_flat_line_have_none() {
        assert_eq!(of(&curve(|offered| offered)[..2]), None);
        assert_eq!(of(&curve(|_| 7.0)), None);
        assert_eq!(of(&[]), None);
    }
}
