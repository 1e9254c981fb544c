//! Raising the rate until the target breaks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

/// How the rate is raised until the target breaks, what counts as broken, and how its recovery is watched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Breaking {
    /// Messages a second of the first step.
    pub start_rate: f64,
    /// Each step is this many times the one before; above 1.
    pub factor: f64,
    /// How long a step takes. Its first fifth is not judged by: queues fill and caches warm.
    #[serde(rename = "step_seconds", with = "seconds")]
    pub step: Duration,
    /// No step is above this rate, broken or not.
    pub most_rate: f64,
    /// Users of each step, as in a stage.
    pub users: u32,
    /// A step is broken when less of what was offered was completed, 0 to 1.
    pub completed_ratio: f64,
    /// A step is broken when its 99th percentile is above this.
    #[serde(rename = "p99_seconds", with = "seconds::option")]
    pub p99: Option<Duration>,
    /// A step is broken when more of it failed, in percent.
    pub error_rate: f64,
    /// How many more steps follow the one that broke, to see how the target degrades; 0 counts as 1.
    pub beyond: u32,
    /// What the 99th percentile of Critical messages must keep beyond the breaking point.
    #[serde(rename = "critical_bound_seconds", with = "seconds::option")]
    pub critical_bound: Option<Duration>,
    /// What follows the last step.
    pub cool_down: CoolDown,
}

/// A normal rate after the storm, until the target is back to normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoolDown {
    /// Messages a second.
    pub rate: f64,
    /// The longest that is waited for.
    #[serde(rename = "longest_seconds", with = "seconds")]
    pub longest: Duration,
    /// A second is normal when its 99th percentile is at most this many times that of the first step.
    pub factor: f64,
    /// How many seconds in a row must be normal.
    pub hold: u32,
}

impl Default for Breaking {
    /// From 100 messages a second by 1.5 in steps of 10 s to 1,000,000; broken below 95 % completed or above 5 % errors;
    /// two steps beyond; then 100 a second for at most 60 s, until 3 seconds in a row are within twice the normal.
    fn default() -> Self {
        Self {
            start_rate: 100.0,
            factor: 1.5,
            step: Duration::from_secs(10),
            most_rate: 1e6,
            users: 1,
            completed_ratio: 0.95,
            p99: None,
            error_rate: 5.0,
            beyond: 2,
            critical_bound: None,
            cool_down: CoolDown { rate: 100.0, longest: Duration::from_secs(60), factor: 2.0, hold: 3 },
        }
    }
}
