//! Least squares in three unknowns under their bounds.

use super::Point;

/// Rounds of reweighting; the weights settle within a few.
const ROUNDS: usize = 30;

/// `N / X = a + b (N − 1) + c N (N − 1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
}

impl Line {
    pub(super) fn throughput(&self, n: f64) -> f64 {
        let time = self.a + self.b * (n - 1.0) + self.c * n * (n - 1.0);
        if time > 0.0 { n / time } else { 0.0 }
    }
}

/// Which unknowns are free, and what the others are held at: each has a column made of the others'.
#[derive(Debug, Clone, Copy)]
enum Contention {
    Free,
    None,
    /// `b = a`: everything is serial.
    All,
}

/// The best line within the bounds; `None` if the points determine none.
pub(super) fn solve(points: &[Point]) -> Option<Line> {
    let mut weights: Vec<f64> =
        points.iter().map(|it| (it.throughput.powi(2) / it.concurrency).powi(2)).collect();
    let mut best = None;
    for _ in 0..ROUNDS {
        let line = bounded(points, &weights)?;
        let settled = best.is_some_and(|before: Line| {
            let near = |now: f64, then: f64| (now - then).abs() <= 1e-8 * line.a;
            near(line.a, before.a) && near(line.b, before.b) && near(line.c, before.c)
        });
        best = Some(line);
        if settled {
            break;
        }
        // The error of N/X, times this, is the error of X.
        weights = points
            .iter()
            .map(|it| (it.throughput * line.throughput(it.concurrency) / it.concurrency).powi(2))
            .collect();
    }
    best
}

/// The best of all ways to hold an unknown at its bound: of three unknowns these are few enough to try each.
fn bounded(points: &[Point], weights: &[f64]) -> Option<Line> {
    let mut best: Option<(f64, Line)> = None;
    for contention in [Contention::Free, Contention::None, Contention::All] {
        for coherency in [true, false] {
            let Some(line) = held(points, weights, contention, coherency) else { continue };
            let slack = 1e-12 * line.a;
            let within = line.a > 0.0 && line.b >= -slack && line.b <= line.a + slack && line.c >= -slack;
            if !within {
                continue;
            }
            let line = Line { a: line.a, b: line.b.clamp(0.0, line.a), c: line.c.max(0.0) };
            let error = error(points, weights, &line);
            if error.is_finite() && best.is_none_or(|(least, _)| error < least) {
                best = Some((error, line));
            }
        }
    }
    best.map(|(_, line)| line)
}

fn error(points: &[Point], weights: &[f64], line: &Line) -> f64 {
    points
        .iter()
        .zip(weights)
        .map(|(it, weight)| {
            let n = it.concurrency;
            let fitted = line.a + line.b * (n - 1.0) + line.c * n * (n - 1.0);
            weight * (n / it.throughput - fitted).powi(2)
        })
        .sum()
}

fn held(points: &[Point], weights: &[f64], contention: Contention, coherency: bool) -> Option<Line> {
    let columns = |n: f64| {
        let mut columns = [0.0; 3];
        columns[0] = if matches!(contention, Contention::All) { n } else { 1.0 };
        let mut used = 1;
        if matches!(contention, Contention::Free) {
            columns[used] = n - 1.0;
            used += 1;
        }
        if coherency {
            columns[used] = n * (n - 1.0);
            used += 1;
        }
        (columns, used)
    };
    let used = columns(1.0).1;
    // Columns of like size, or the sums lose their digits where n runs into the thousands.
    let mut scale = [0.0_f64; 3];
    for it in points {
        let (columns, _) = columns(it.concurrency);
        scale.iter_mut().zip(columns).for_each(|(scale, column)| *scale = scale.max(column.abs()));
    }
    let largest = weights.iter().fold(0.0_f64, |largest, it| largest.max(*it));
    if !(largest.is_finite() && largest > 0.0) {
        return None;
    }
    let mut sums = [[0.0; 4]; 3];
    for (it, weight) in points.iter().zip(weights) {
        let (columns, _) = columns(it.concurrency);
        let weight = weight / largest;
        let wanted = it.concurrency / it.throughput;
        for row in 0..used {
            let of_row = columns[row] / scale[row].max(f64::MIN_POSITIVE);
            for column in 0..used {
                sums[row][column] += weight * of_row * columns[column] / scale[column].max(f64::MIN_POSITIVE);
            }
            sums[row][3] += weight * of_row * wanted;
        }
    }
    let solved = eliminate(&mut sums, used)?;
    let mut unknown = solved.iter().zip(scale).map(|(it, scale)| it / scale.max(f64::MIN_POSITIVE));
    let a = unknown.next()?;
    let b = match contention {
        Contention::Free => unknown.next()?,
        Contention::None => 0.0,
        Contention::All => a,
    };
    let c = if coherency { unknown.next()? } else { 0.0 };
    Some(Line { a, b, c })
}

/// Gauss with pivots, of the first `used` unknowns; the right side is the fourth column.
fn eliminate(sums: &mut [[f64; 4]; 3], used: usize) -> Option<Vec<f64>> {
    for column in 0..used {
        let pivot =
            (column..used).max_by(|x, y| sums[*x][column].abs().total_cmp(&sums[*y][column].abs()))?;
        sums.swap(column, pivot);
        let head = sums[column];
        if !(head[column].abs() > 1e-14 && head[column].is_finite()) {
            return None;
        }
        for row in sums.iter_mut().take(used).skip(column + 1) {
            let factor = row[column] / head[column];
            row.iter_mut().zip(head).for_each(|(it, head)| *it -= factor * head);
        }
    }
    let mut solved = vec![0.0; used];
    for row in (0..used).rev() {
        let known: f64 = (row + 1..used).map(|column| sums[row][column] * solved[column]).sum();
        solved[row] = (sums[row][3] - known) / sums[row][row];
    }
    solved.iter().all(|it| it.is_finite()).then_some(solved)
}
