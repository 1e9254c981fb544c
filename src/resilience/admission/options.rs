//! How long messages may wait before some are refused.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Priority;
use crate::resilience::fault::{Checks, HOUR, InvalidOptions, MILLISECOND};
use crate::resilience::seconds;

/// The options of an [`AdmissionController`](super::AdmissionController).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionOptions {
    /// How long Critical and High messages may wait; 0.1 ms to an hour. Default: 20 ms (DAGOR's).
    #[serde(rename = "high_target_seconds", with = "seconds")]
    pub high_target: Duration,
    /// How long Normal messages may wait; 0.1 ms to an hour. Default: 20 ms.
    #[serde(rename = "normal_target_seconds", with = "seconds")]
    pub normal_target: Duration,
    /// How long Low messages may wait; 0.1 ms to an hour. Default: 20 ms. A queue of bulk that is meant to be deep needs
    /// more: the time it takes to work off.
    #[serde(rename = "low_target_seconds", with = "seconds")]
    pub low_target: Duration,
    /// Waits are calm again below this share of the target; 0.01 to 1. Between the two, what is refused stays as it is.
    /// Default: 0.5.
    pub clear: f64,
    /// How often it is judged; 1 ms to a minute. Default: 100 ms (CoDel's).
    #[serde(rename = "interval_seconds", with = "seconds")]
    pub interval: Duration,
    /// Whether High messages may be refused as well, when Low and Normal ones are refused already and High ones still
    /// wait too long. Default: yes, because whoever waits for the answer is better told at once than too late.
    pub refuse_high: bool,
}

impl Default for AdmissionOptions {
    fn default() -> Self {
        let target = Duration::from_millis(20);
        Self {
            high_target: target,
            normal_target: target,
            low_target: target,
            clear: 0.5,
            interval: Duration::from_millis(100),
            refuse_high: true,
        }
    }
}

impl AdmissionOptions {
    /// The same target for every priority.
    #[must_use]
    pub fn target(wait: Duration) -> Self {
        Self { high_target: wait, normal_target: wait, low_target: wait, ..Self::default() }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| self.check(checks))
    }

    pub(in crate::resilience) fn check(&self, checks: &mut Checks) {
        let targets = MILLISECOND / 10..=HOUR;
        checks.seconds("high_target_seconds", self.high_target, targets.clone());
        checks.seconds("normal_target_seconds", self.normal_target, targets.clone());
        checks.seconds("low_target_seconds", self.low_target, targets);
        checks.number("clear", self.clear, 0.01..=1.0);
        checks.seconds("interval_seconds", self.interval, MILLISECOND..=MILLISECOND * 60_000);
    }

    pub(super) fn target_of(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Critical | Priority::High => self.high_target,
            Priority::Normal => self.normal_target,
            Priority::Low => self.low_target,
        }
    }
}
