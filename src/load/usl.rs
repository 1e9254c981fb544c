//! The Universal Scalability Law, fitted to measured throughput.
//!
//! N. J. Gunther, "A Simple Capacity Model of Massively Parallel Transaction Systems" (CMG 1993), and *Guerrilla Capacity
//! Planning* (Springer 2007), chapters 4 to 6:
//!
//! ```text
//!                    λ N
//! X(N) = ───────────────────────────
//!         1 + α (N − 1) + β N (N − 1)
//! ```
//!
//! `X` is the throughput at `N` requests in the system. λ is the throughput of one by itself, α the part that queues for
//! something shared (contention: Amdahl's serial part), β the cost of keeping everybody in agreement (coherency). With β
//! above 0 there is a peak, at `N* = √((1 − α) / β)`, beyond which more load gives less.
//!
//! In an open model the load is a rate and not a number of users. `N` is then the mean number of requests in flight, which
//! Little's law gives: N = X · R.
//!
//! The fit is linear least squares of `N / X = a + b (N − 1) + c N (N − 1)` (λ = 1/a, α = b/a, β = c/a; Gunther's own
//! transformation), reweighted until the squares are those of `X` itself, under `0 ≤ b ≤ a` and `c ≥ 0`: a contention below
//! nothing or above everything has no meaning. The interval is a bootstrap of residuals (Efron, 1979) with a fixed seed, so
//! that the same points give the same interval.

mod curve;
mod solve;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::curve::curve;
use self::solve::{Line, solve};
use super::result::UslFit;

/// Fewer points than this say little of three parameters. Gunther asks for six.
pub const FEWEST_POINTS: usize = 6;

/// The largest concurrency over the smallest must be at least this, or the points are one load level with noise.
pub const NARROWEST_SPAN: f64 = 3.0;

/// A fit that explains less of the variance than this is not one to forecast from.
pub const POOREST_FIT: f64 = 0.9;

/// The forecast looks at most this far beyond the highest concurrency that was measured.
pub const FARTHEST: f64 = 2.0;

/// Points that are used at most; of more, every so many-th is.
const MOST_POINTS: usize = 512;

/// Resamples of the bootstrap: the ends of a 95 % interval rest on the ten outermost.
const RESAMPLES: usize = 400;

/// Part of the resamples left out at each end.
const TAIL: f64 = 0.025;

const SEED: u64 = 0x5354_4154_494d;

/// What was measured at one load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Mean number of requests in flight, or of users.
    pub concurrency: f64,
    /// Requests completed, per second.
    pub throughput: f64,
}

/// A fitted law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usl {
    /// Throughput of one request at a time, per second.
    pub lambda: f64,
    /// Contention, 0 to 1.
    pub alpha: f64,
    /// Coherency, at least 0.
    pub beta: f64,
    /// The highest throughput, per second, up to twice the highest concurrency measured.
    pub peak_rate: f64,
    /// Where 95 of 100 resamples have it.
    pub interval: [f64; 2],
    /// The concurrency of the peak; `None` if throughput still grows at twice the highest measured.
    #[serde(default)]
    pub peak_concurrency: Option<f64>,
    /// The highest concurrency measured.
    #[serde(default)]
    pub measured_to: f64,
    /// The part of the variance of the throughput that the law explains, up to 1.
    #[serde(default)]
    pub r_squared: f64,
    /// Points fitted.
    #[serde(default)]
    pub points: usize,
}

impl From<&Usl> for UslFit {
    fn from(usl: &Usl) -> Self {
        let Usl { lambda, alpha, beta, peak_rate, interval, .. } = *usl;
        Self { lambda, alpha, beta, peak_rate, interval }
    }
}

/// Why there is no fit.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum UslError {
    /// Not enough points.
    #[error("{have} usable load levels were measured and a fit needs {FEWEST_POINTS}; run more stages")]
    TooFewPoints {
        /// How many there are.
        have: usize,
    },
    /// The load hardly varied.
    #[error(
        "the highest concurrency is {ratio:.1} times the lowest and a fit needs {NARROWEST_SPAN} times; vary the load more"
    )]
    TooNarrow {
        /// The highest over the lowest.
        ratio: f64,
    },
    /// The law does not describe what was measured.
    #[error("the law explains {:.0} % of the variance, below {:.0} %; the load was not steady, or something else changed with it", r_squared.max(0.0) * 100.0, POOREST_FIT * 100.0)]
    PoorFit {
        /// The part explained.
        r_squared: f64,
    },
}

impl Usl {
    /// The throughput at this concurrency, per second; 0 for none.
    #[must_use]
    pub fn throughput(&self, concurrency: f64) -> f64 {
        if !concurrency.is_finite() || concurrency <= 0.0 {
            return 0.0;
        }
        Line { a: 1.0, b: self.alpha, c: self.beta }.throughput(concurrency) * self.lambda
    }

    /// Whether the peak lies within what was measured, so that it was seen and not only forecast.
    #[must_use]
    pub fn peak_was_measured(&self) -> bool {
        self.peak_concurrency.is_some_and(|peak| peak <= self.measured_to)
    }
}

/// Fits the law to these points, in any order. Points that are not positive numbers are left out.
///
/// # Errors
///
/// [`UslError`]: too few points, too much of one load, or a law that does not fit. All are ordinary.
pub fn fit(points: &[Point]) -> Result<Usl, UslError> {
    let points = usable(points);
    if points.len() < FEWEST_POINTS {
        return Err(UslError::TooFewPoints { have: points.len() });
    }
    let (lowest, highest) = points.iter().fold((f64::INFINITY, 0.0_f64), |(lowest, highest), point| {
        (lowest.min(point.concurrency), highest.max(point.concurrency))
    });
    let ratio = highest / lowest;
    if ratio < NARROWEST_SPAN {
        return Err(UslError::TooNarrow { ratio });
    }
    let line = solve(&points).ok_or(UslError::PoorFit { r_squared: 0.0 })?;
    let r_squared = explained(&points, &line);
    if !r_squared.is_finite() || r_squared < POOREST_FIT {
        return Err(UslError::PoorFit { r_squared });
    }
    let (peak_rate, peak_concurrency) = peak(&line, highest);
    Ok(Usl {
        lambda: 1.0 / line.a,
        alpha: line.b / line.a,
        beta: line.c / line.a,
        peak_rate,
        interval: interval(&points, &line, highest, peak_rate),
        peak_concurrency,
        measured_to: highest,
        r_squared,
        points: points.len(),
    })
}

fn usable(points: &[Point]) -> Vec<Point> {
    let is_positive = |it: f64| it.is_finite() && it > 1e-9 && it < 1e15;
    let usable: Vec<_> = points
        .iter()
        .filter(|point| is_positive(point.concurrency) && is_positive(point.throughput))
        .copied()
        .collect();
    let step = usable.len().div_ceil(MOST_POINTS).max(1);
    usable.into_iter().step_by(step).collect()
}

/// The part of the variance that the line explains.
fn explained(points: &[Point], line: &Line) -> f64 {
    let mean = points.iter().map(|point| point.throughput).sum::<f64>() / points.len() as f64;
    let squares = |of: &dyn Fn(&Point) -> f64| points.iter().map(|point| of(point).powi(2)).sum::<f64>();
    let left = squares(&|point| point.throughput - line.throughput(point.concurrency));
    let all = squares(&|point| point.throughput - mean);
    if all > 0.0 { 1.0 - left / all } else { f64::NAN }
}

/// The highest throughput within reach, and where, if that is not at the end of the reach.
fn peak(line: &Line, measured_to: f64) -> (f64, Option<f64>) {
    let reach = measured_to * FARTHEST;
    // Where dX/dN is 0: N² = (a − b) / c.
    let at = if line.c > 0.0 { ((line.a - line.b) / line.c).max(0.0).sqrt() } else { f64::INFINITY };
    if at < reach {
        let at = at.max(1.0);
        (line.throughput(at), Some(at))
    } else {
        (line.throughput(reach), None)
    }
}

fn interval(points: &[Point], line: &Line, measured_to: f64, peak_rate: f64) -> [f64; 2] {
    // Three parameters were taken from the residuals, so they are smaller than the noise by this.
    let inflate = (points.len() as f64 / (points.len() as f64 - 3.0).max(1.0)).sqrt();
    let residuals: Vec<f64> = points
        .iter()
        .map(|point| (point.throughput - line.throughput(point.concurrency)) * inflate)
        .collect();
    let mut chance = StdRng::seed_from_u64(SEED);
    let mut peaks: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let resampled: Vec<_> = points
                .iter()
                .map(|point| {
                    let fitted = line.throughput(point.concurrency);
                    let residual = residuals[chance.random_range(0..residuals.len())];
                    // A throughput is not negative, and a point of 0 has no weight.
                    Point { throughput: (fitted + residual).max(fitted * 0.01), ..*point }
                })
                .collect();
            solve(&resampled).map(|line| peak(&line, measured_to).0)
        })
        .filter(|peak| peak.is_finite())
        .collect();
    if peaks.is_empty() {
        return [peak_rate, peak_rate];
    }
    peaks.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| peaks[(((peaks.len() - 1) as f64) * part).round() as usize];
    [at(TAIL).min(peak_rate), at(1.0 - TAIL).max(peak_rate)]
}

#[cfg(test)]
mod tests;
