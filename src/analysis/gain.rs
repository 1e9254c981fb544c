//! What removing a bottleneck would bring, as a range.

use serde::Serialize;

use super::limits::{ONE_STEP, SERIAL};
use super::show;

/// What gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gained {
    /// More messages a second.
    Throughput,
    /// Less time to the end of handling.
    ResponseTime,
    /// Fewer messages that are lost, refused or failed.
    Losses,
    /// A measurement that means what it says.
    Measurement,
}

/// What removing a bottleneck would bring. An estimate between bounds that hold by law under the assumption named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// What gets better.
    pub of: Gained,
    /// By at least this part: 0.5 is half as much throughput again, or half the time or losses less.
    pub low: f64,
    /// By at most this part.
    pub high: f64,
    /// Under what assumption.
    pub assumption: String,
}

/// Amdahl's law: how much faster a whole gets of which `part` gets `faster` times as fast.
pub(super) fn amdahl(part: f64, faster: f64) -> f64 {
    let part = part.clamp(0.0, 1.0);
    1.0 / ((1.0 - part) + part / faster.max(1.0))
}

impl Gain {
    /// More throughput from making this part of the work between half as long and nothing, as far as `room` times as much
    /// throughput, where the next limit is.
    pub(super) fn by_removing(part: f64, room: f64, assumption: &str) -> Self {
        let part = part.clamp(0.0, 0.99);
        let most = room.max(1.0);
        let high = amdahl(part, f64::INFINITY).min(most) - 1.0;
        let low = (amdahl(part, 2.0).min(most) - 1.0).min(high);
        Self { of: Gained::Throughput, low, high, assumption: assumption.to_owned() }
    }

    /// More throughput from twice as many instances or connections, as far as `room` allows.
    pub(super) fn by_doubling(room: f64, assumption: &str) -> Self {
        let high = room.clamp(1.0, ONE_STEP) - 1.0;
        let low = (amdahl(1.0 - SERIAL, ONE_STEP) - 1.0).min(high);
        Self { of: Gained::Throughput, low, high, assumption: assumption.to_owned() }
    }

    /// So much less time.
    pub(super) fn of_time(low: f64, high: f64, assumption: &str) -> Self {
        let high = high.clamp(0.0, 1.0);
        Self { of: Gained::ResponseTime, low: low.clamp(0.0, high), high, assumption: assumption.to_owned() }
    }

    /// So much less lost.
    pub(super) fn of_losses(low: f64, high: f64, assumption: &str) -> Self {
        Self { of: Gained::Losses, ..Self::of_time(low, high, assumption) }
    }

    /// The range as people write it.
    #[must_use]
    pub fn range(&self) -> String {
        let range = if show::percent(self.low) == show::percent(self.high) {
            show::percent(self.high)
        } else {
            format!("{} to {}", show::percent(self.low), show::percent(self.high))
        };
        match self.of {
            Gained::Throughput if self.high < 0.01 => {
                "no throughput; it is in the way of nothing yet".to_owned()
            }
            Gained::Throughput => format!("{range} more throughput"),
            Gained::ResponseTime => format!("{range} less response time"),
            Gained::Losses => format!("{range} fewer lost messages"),
            Gained::Measurement => "figures that can be trusted".to_owned(),
        }
    }
}
