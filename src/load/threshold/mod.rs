//! What must hold, or a run has not passed: `p99{priority=critical} < 50ms`.

mod error;
mod evaluate;
mod figure;
mod parse;

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::message::Priority;

pub use self::error::ThresholdError;
use self::figure::Figure;

/// Something that must hold, or a run has not passed.
///
/// A figure, what it is about in braces, a comparison and a bound with its unit:
///
/// | Figure | Unit |
/// |---|---|
/// | `p50`, `p90`, `p95`, `p99`, `p999`, `max`, `avg`: latency | `ns`, `us`, `ms`, `s`, `min` |
/// | `error_rate` | `%` |
/// | `throughput` | `/s` |
/// | `dropped_sends` | none |
/// | `max_rss`: the most memory the target's process held | `B`, `KB`, `MB`, `GB`, `KiB`, `MiB`, `GiB` |
/// | `generator_lag_p50`, `generator_lag_p99`, `generator_lag_max` | as latency |
///
/// In braces `kind=…`, `priority=…` or both; the last three rows take none. Comparisons are `<`, `<=`, `>` and `>=`.
///
/// # Examples
///
/// ```
/// use statim::load::Threshold;
///
/// let threshold: Threshold = "p99{kind=patient_consent,priority=critical} < 50ms".parse()?;
/// assert_eq!(threshold.to_string(), "p99{kind=patient_consent,priority=critical} < 50ms");
/// let error = "p98 < 50ms".parse::<Threshold>().unwrap_err();
/// assert_eq!(error.position, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As it was written.
    expression: String,
    figure: Figure,
    kind: Option<String>,
    priority: Option<Priority>,
    comparison: Comparison,
    /// In the figure's own unit: milliseconds, percent, messages a second, bytes or things.
    bound: f64,
}

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    ///
    /// It is none: where that shows first, and what may stand there.
    pub fn parse(expression: &str) -> Result<Self, ThresholdError> {
        parse::threshold(expression)
    }

    /// As it was written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The kind of messages that it is about; `None` is all.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The priority that it is about; `None` is all.
    #[must_use]
    pub fn priority(&self) -> Option<Priority> {
        self.priority
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    fn holds(self, observed: f64, bound: f64) -> bool {
        match self {
            Self::Less => observed < bound,
            Self::AtMost => observed <= bound,
            Self::More => observed > bound,
            Self::AtLeast => observed >= bound,
        }
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(expression: &str) -> Result<Self, ThresholdError> {
        Self::parse(expression)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expression)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
