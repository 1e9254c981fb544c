//! How the load develops.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

/// A stretch of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// How long it takes.
    #[serde(rename = "duration_seconds", with = "seconds")]
    pub duration: Duration,
    /// Users. In an open model they number the messages (message n is from user n modulo users; 0 counts as 1) and nothing
    /// else; in a closed one they are who sends.
    pub users: u32,
    /// Messages a second of all users together, at the end of the stage.
    pub rate: f64,
    /// Whether rate and users go there evenly from those of the stage before (from nothing in the first), instead of being
    /// there from the beginning of the stage.
    pub ramp: bool,
}

impl Stage {
    /// A steady rate in messages a second, of one user.
    #[must_use]
    pub const fn steady(duration: Duration, rate: f64) -> Self {
        Self { duration, users: 1, rate, ramp: false }
    }

    /// An even rise or fall to a rate in messages a second, of one user.
    #[must_use]
    pub const fn ramp(duration: Duration, rate: f64) -> Self {
        Self { duration, users: 1, rate, ramp: true }
    }

    /// The same with so many users.
    #[must_use]
    pub const fn users(mut self, users: u32) -> Self {
        self.users = users;
        self
    }

    /// How many messages it sends in an open model, after a stage that ended at the rate `before`.
    pub(crate) fn messages(&self, before: f64) -> f64 {
        let from = if self.ramp { before } else { self.rate };
        f64::midpoint(from, self.rate) * self.duration.as_secs_f64()
    }
}
