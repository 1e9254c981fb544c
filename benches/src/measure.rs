//! Rounds in turns: each round runs every system once on a workload, so that a slow minute of a shared machine falls on
//! all of them, and each round starts with another system, so that none always runs after the same one.

use std::time::Duration;

use crate::{Case, Fault};

/// How often and how much.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Measured rounds; one more, the first, is thrown away.
    pub rounds: usize,
    /// Operations are divided by this.
    pub divisor: u64,
}

impl Plan {
    /// Figures to be quoted.
    pub const FULL: Self = Self { rounds: 9, divisor: 1 };
    /// A look, or a check that everything still runs.
    pub const QUICK: Self = Self { rounds: 3, divisor: 10 };
}

/// What one case came to.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What was measured.
    pub case: Case,
    /// Operations in each round.
    pub operations: u64,
    /// Nanoseconds per operation, one figure a round, ascending.
    pub rounds: Vec<f64>,
}

impl Measured {
    /// The median of the rounds, in nanoseconds per operation.
    pub fn median(&self) -> f64 {
        let middle = self.rounds.len() / 2;
        match self.rounds.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => self.rounds[middle],
            _ => f64::midpoint(self.rounds[middle - 1], self.rounds[middle]),
        }
    }

    /// How far apart the middle half of the rounds lies, as a share of the median. The outer quarters are left out:
    /// one round in which the machine was busy elsewhere says nothing about the system.
    pub fn spread(&self) -> f64 {
        let outer = self.rounds.len() / 4;
        match &self.rounds[outer..self.rounds.len() - outer] {
            [fastest, .., slowest] => (slowest - fastest) / self.median(),
            [_] => 0.0,
            [] => f64::NAN,
        }
    }
}

/// Why a case gave no figure.
#[derive(Debug, thiserror::Error)]
#[error("{workload} on {system}: {fault}")]
pub struct Failed {
    workload: &'static str,
    system: String,
    #[source]
    fault: Fault,
}

/// Measures every case, workload by workload, telling `progress` which workload comes next.
///
/// # Errors
/// The first case that failed; nothing is reported beside a failure.
pub fn run(cases: &[Case], plan: Plan, mut progress: impl FnMut(&str)) -> Result<Vec<Measured>, Failed> {
    let mut all = Vec::with_capacity(cases.len());
    for group in cases.chunk_by(|a, b| a.workload == b.workload) {
        progress(group[0].workload);
        all.extend(in_turns(group, plan)?);
    }
    Ok(all)
}

fn in_turns(group: &[Case], plan: Plan) -> Result<Vec<Measured>, Failed> {
    let mut measured: Vec<Measured> = group
        .iter()
        .map(|case| Measured {
            case: case.clone(),
            operations: (case.fitting)((case.operations / plan.divisor).max(1)),
            rounds: Vec::with_capacity(plan.rounds),
        })
        .collect();
    let rounds = group.iter().map(|case| case.rounds).fold(plan.rounds, usize::min);
    for round in 0..=rounds {
        for turn in 0..measured.len() {
            let at = (round + turn) % measured.len();
            let one = &mut measured[at];
            let took = time(one)?;
            // The first round warms caches and the allocator.
            if round > 0 {
                one.rounds.push(took.as_secs_f64() * 1e9 / one.operations as f64);
            }
        }
    }
    for one in &mut measured {
        one.rounds.sort_by(f64::total_cmp);
    }
    Ok(measured)
}

fn time(one: &Measured) -> Result<Duration, Failed> {
    (one.case.run)(one.operations).map_err(|fault| Failed {
        workload: one.case.workload,
        system: one.case.system.clone(),
        fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(run: fn(u64) -> Result<Duration, Fault>) -> Case {
        Case {
            workload: "sleep",
            about: "",
            system: "test".to_owned(),
            package: "test",
            operations: 1_000,
            rounds: 5,
            fitting: |operations| operations,
            run,
        }
    }

    fn measured(rounds: &[f64]) -> Measured {
        Measured { case: case(|_| Ok(Duration::ZERO)), operations: 1, rounds: rounds.to_vec() }
    }

    #[test]
    fn the_median_of_an_odd_and_an_even_number_of_rounds() {
        assert_eq!(measured(&[1.0, 2.0, 9.0]).median(), 2.0);
        assert_eq!(measured(&[1.0, 2.0, 4.0, 9.0]).median(), 3.0);
    }

    #[test]
    fn the_spread_is_that_of_the_middle_half() {
        assert_eq!(measured(&[8.0, 10.0, 13.0]).spread(), 0.5);
        assert_eq!(measured(&[1.0, 8.0, 10.0, 13.0, 900.0]).spread(), 0.5);
    }

    #[test]
    fn every_round_is_divided_by_its_operations() {
        let plan = Plan { rounds: 4, divisor: 10 };
        let cases = [case(|operations| Ok(Duration::from_nanos(7 * operations)))];
        let all = run(&cases, plan, |_| ()).expect("the case runs");
        assert_eq!(all[0].operations, 100);
        assert_eq!(all[0].rounds.len(), 4);
        assert!((all[0].median() - 7.0).abs() < 1e-9);
    }

    #[test]
    fn no_case_runs_oftener_than_it_is_worth() {
        let cases = [case(|_| Ok(Duration::ZERO))];
        let all = run(&cases, Plan { rounds: 9, divisor: 1 }, |_| ()).expect("the case runs");
        assert_eq!(all[0].rounds.len(), 5);
    }

    #[test]
    fn one_failing_case_fails_the_whole_run_and_is_named() {
        let cases = [case(|_| Ok(Duration::ZERO)), case(|_| Err(Fault::Panicked))];
        let failed = run(&cases, Plan::QUICK, |_| ()).expect_err("a case fails");
        assert!(failed.to_string().contains("sleep on test"));
    }
}
