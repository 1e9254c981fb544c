//! What makes no sense in a scenario.

use thiserror::Error;

use super::{Arrivals, Scenario};

/// A scenario that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("scenario {scenario}: {field}: {fault}")]
pub struct ScenarioError {
    /// Its name.
    pub scenario: String,
    /// Which field: `stages[2].rate`.
    pub field: String,
    /// What is wrong with it.
    pub fault: String,
}

/// Most messages a second that can be asked for.
const MOST_RATE: f64 = 1e8;

/// Most stages, and most shares of the mix.
const MOST_PARTS: usize = 1_000;

impl Scenario {
    /// Whether it makes sense.
    ///
    /// # Errors
    ///
    /// The first field that does not.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        match self.faults().next() {
            None => Ok(()),
            Some((field, fault)) => {
                Err(ScenarioError { scenario: self.name.clone(), field, fault: fault.to_owned() })
            }
        }
    }

    /// Every field that makes no sense, with what is wrong with it.
    pub fn faults(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        self.whole().chain(self.parts()).chain(self.steps())
    }

    fn whole(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        let none = self.stages.is_empty() && self.breaking.is_none();
        let weight: u64 = self.mix.iter().map(|share| u64::from(share.weight)).sum();
        let closed = matches!(self.arrivals, Arrivals::Closed { .. });
        let users = self.stages.iter().map(|stage| u64::from(stage.users)).max().unwrap_or(0);
        let crowd = if closed { users } else { 0 };
        let checks = [
            (self.name.is_empty(), "name", "is empty"),
            (none, "stages", "there is none"),
            (self.stages.len() > MOST_PARTS, "stages", "there are more than 1,000"),
            (
                !none && self.warm_up > self.duration() + self.first_step(),
                "warm_up",
                "is longer than what it warms up for",
            ),
            (self.mix.is_empty() || weight == 0, "mix", "nothing has a weight"),
            (self.mix.len() > MOST_PARTS, "mix", "there are more than 1,000 shares"),
            (crowd > self.in_flight as u64, "in_flight", "is below the users of a closed model"),
            (self.in_flight == 0, "in_flight", "must be at least 1"),
            (self.timeout.is_zero(), "timeout", "must be above zero"),
            (self.breaking.is_none() && self.duration().is_zero(), "stages", "they take no time"),
            (
                closed && self.breaking.is_some(),
                "breaking",
                "steps of a rate need an open model: constant or poisson arrivals",
            ),
        ];
        checks.into_iter().filter(|(bad, ..)| *bad).map(|(_, field, fault)| (field.to_owned(), fault))
    }

    fn parts(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        let closed = matches!(self.arrivals, Arrivals::Closed { .. });
        let stages = self.stages.iter().enumerate().flat_map(move |(n, stage)| {
            let users = closed && stage.users == 0 && !stage.ramp;
            let checks = [
                (!is_rate(stage.rate), "rate", "must be 0 to 100,000,000 messages a second"),
                (users, "users", "a closed model needs users"),
            ];
            checks
                .into_iter()
                .filter(|(bad, ..)| *bad)
                .map(move |(_, field, fault)| (format!("stages[{n}].{field}"), fault))
        });
        let shares = self.mix.iter().enumerate().filter(|(_, share)| share.kind.is_empty());
        stages.chain(shares.map(|(n, _)| (format!("mix[{n}].kind"), "is empty")))
    }

    fn steps(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        self.breaking.iter().flat_map(|it| {
            let share = |value: f64, most: f64| value.is_finite() && (0.0..=most).contains(&value);
            let checks = [
                (
                    !is_rate(it.start_rate) || it.start_rate < 1.0,
                    "start_rate",
                    "must be 1 to 100,000,000 messages a second",
                ),
                (!(it.factor.is_finite() && it.factor >= 1.01), "factor", "must be at least 1.01"),
                (it.step.as_secs_f64() < 1.0, "step", "must be at least a second"),
                (
                    !is_rate(it.most_rate) || it.most_rate < it.start_rate,
                    "most_rate",
                    "must be from the first rate to 100,000,000",
                ),
                (!share(it.completed_ratio, 1.0), "completed_ratio", "must be 0 to 1"),
                (!share(it.error_rate, 100.0), "error_rate", "must be 0 to 100 percent"),
                (it.beyond > 100, "beyond", "must be at most 100"),
                (
                    !is_rate(it.cool_down.rate) || it.cool_down.rate == 0.0,
                    "cool_down.rate",
                    "must be above 0 and at most 100,000,000",
                ),
                (
                    !(it.cool_down.factor.is_finite() && it.cool_down.factor >= 1.0),
                    "cool_down.factor",
                    "must be at least 1",
                ),
                (it.cool_down.hold == 0, "cool_down.hold", "must be at least 1"),
            ];
            checks
                .into_iter()
                .filter(|(bad, ..)| *bad)
                .map(|(_, field, fault)| (format!("breaking.{field}"), fault))
        })
    }

    fn first_step(&self) -> std::time::Duration {
        self.breaking.map_or_else(Default::default, |breaking| breaking.step)
    }
}

fn is_rate(rate: f64) -> bool {
    rate.is_finite() && (0.0..=MOST_RATE).contains(&rate)
}
