//! How far a run is.

use std::time::Duration;

use crate::load::result::SeriesPoint;

/// How far a run is: told once a second.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Progress {
    /// Since it began.
    pub elapsed: Duration,
    /// How long it sends; `None` if that depends on the target, as with [`breaking`](crate::load::Scenario::breaking). Draining
    /// comes on top.
    pub longest: Option<Duration>,
    /// What goes on: `stage 1`, `step 3`, `cool-down`, `drain`.
    pub stage: String,
    /// Whether that is warm-up.
    pub warm_up: bool,
    /// Messages sent so far.
    pub sent: u64,
    /// Messages that failed so far.
    pub failed: u64,
    /// The last second, or the last few of a run of more than an hour.
    pub point: SeriesPoint,
}
