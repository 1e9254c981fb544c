//! How a series grows: its end against its beginning, and the power of the size that fits it best.

use serde::Serialize;

/// The growth of one figure over a series.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Fit {
    /// The largest size's figure in terms of the smallest size's.
    pub ratio: f64,
    /// What a cost of `1 + log2(size)` would have come to.
    pub logarithmic: f64,
    /// The power of the size that fits best, by least squares over the logarithms: 0 is constant, 1 linear.
    pub exponent: f64,
}

impl Fit {
    /// The growth of figures against sizes; `None` of fewer than two, or where one is not a positive number.
    pub fn of(points: &[(u64, f64)]) -> Option<Self> {
        let [(first, cheapest), .., (last, dearest)] = points else { return None };
        if points.iter().any(|(size, figure)| *size == 0 || figure.is_nan() || *figure <= 0.0) {
            return None;
        }
        let cost = |size: u64| 1.0 + (size as f64).log2();
        let logs: Vec<(f64, f64)> =
            points.iter().map(|(size, figure)| ((*size as f64).ln(), figure.ln())).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / logs.len() as f64;
        let (x, y) = (mean(|log| log.0), mean(|log| log.1));
        let across: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
        let along: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
        Some(Self {
            ratio: dearest / cheapest,
            logarithmic: cost(*last) / cost(*first),
            exponent: across / along,
        })
    }

    /// Whether it grew no faster than a logarithm does.
    pub fn is_logarithmic(&self) -> bool {
        self.ratio <= self.logarithmic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(cost: impl Fn(f64) -> f64) -> Vec<(u64, f64)> {
        (0..=6).map(|power| 10_u64.pow(power)).map(|size| (size, cost(size as f64))).collect()
    }

    #[test]
    fn a_linear_cost_is_told_from_a_logarithmic_one() {
        let linear = Fit::of(&series(|size| 3.0 * size)).expect("there are points");
        assert!((linear.exponent - 1.0).abs() < 1e-9 && !linear.is_logarithmic(), "{linear:?}");
        let logarithmic = Fit::of(&series(|size| 5.0 * (1.0 + size.log2()))).expect("there are points");
        assert!(logarithmic.ratio <= logarithmic.logarithmic + 1e-9, "{logarithmic:?}");
        let constant = Fit::of(&series(|_| 7.0)).expect("there are points");
        assert!(constant.exponent.abs() < 1e-9 && constant.is_logarithmic(), "{constant:?}");
    }

    #[test]
    fn a_root_grows_faster_than_a_logarithm() {
        let root = Fit::of(&series(f64::sqrt)).expect("there are points");
        assert!(!root.is_logarithmic(), "{root:?}");
    }

    #[test]
    fn one_point_is_no_growth() {
        assert!(Fit::of(&[(1, 1.0)]).is_none());
        assert!(Fit::of(&[(1, f64::NAN), (2, 1.0)]).is_none());
    }
}
