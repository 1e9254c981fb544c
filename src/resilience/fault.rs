//! What is wrong with options, all of it at once.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::time::Duration;

/// One option that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path of the field, such as `breaker.failure_rate`, as a configuration file names it.
    pub field: String,
    /// What would be right.
    pub message: String,
}

/// Everything that is wrong with some options: at least one fault, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOptions {
    faults: Vec<Fault>,
}

impl InvalidOptions {
    /// The faults.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl Display for InvalidOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => write!(f, "the options have a fault")?,
            count => write!(f, "the options have {count} faults")?,
        }
        self.faults.iter().try_for_each(|Fault { field, message }| write!(f, "\n  {field}: {message}"))
    }
}

impl std::error::Error for InvalidOptions {}

/// Collects faults while options are looked through.
#[derive(Debug, Default)]
pub(super) struct Checks {
    path: String,
    faults: Vec<Fault>,
}

impl Checks {
    /// Looks through some options that stand by themselves.
    pub(super) fn of(check: impl FnOnce(&mut Self)) -> Result<(), InvalidOptions> {
        let mut checks = Self::default();
        check(&mut checks);
        if checks.faults.is_empty() { Ok(()) } else { Err(InvalidOptions { faults: checks.faults }) }
    }

    /// Looks through a part of the options.
    pub(super) fn section(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(name);
        self.path.push('.');
        check(self);
        self.path.truncate(length);
    }

    pub(super) fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(Fault { field: format!("{}{field}", self.path), message: message.into() });
    }

    /// A number within bounds. Not a number is out of any.
    pub(super) fn number<T: PartialOrd + Display>(
        &mut self,
        field: &str,
        value: T,
        allowed: RangeInclusive<T>,
    ) {
        if !allowed.contains(&value) {
            self.fault(field, format!("give a number from {} to {}", allowed.start(), allowed.end()));
        }
    }

    /// A share greater than 0 and at most 1.
    pub(super) fn share(&mut self, field: &str, value: f64) {
        if !(0.000_001..=1.0).contains(&value) {
            self.fault(field, "give a share from 0.000001 to 1");
        }
    }

    /// A duration within bounds.
    pub(super) fn seconds(&mut self, field: &str, value: Duration, allowed: RangeInclusive<Duration>) {
        if !allowed.contains(&value) {
            let (least, most) = (allowed.start().as_secs_f64(), allowed.end().as_secs_f64());
            self.fault(field, format!("give a number of seconds from {least} to {most}"));
        }
    }
}

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
