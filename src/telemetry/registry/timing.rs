//! How long something takes.

use std::time::{Duration, Instant};

use super::series::Distribution;

/// Records the time since it was made when it is stopped or dropped, in an early return or a panic too.
#[derive(Debug)]
#[must_use = "dropped at once, it records no time at all"]
pub struct Timing {
    began: Instant,
    into: Option<Distribution>,
}

impl Timing {
    pub(super) fn start(into: Distribution) -> Self {
        Self { began: Instant::now(), into: Some(into) }
    }

    /// Records, and says how long it was.
    pub fn stop(mut self) -> Duration {
        self.finish()
    }

    /// Records nothing.
    pub fn discard(mut self) {
        self.into = None;
    }

    fn finish(&mut self) -> Duration {
        let took = self.began.elapsed();
        if let Some(into) = self.into.take() {
            into.record_duration(took);
        }
        took
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.finish();
    }
}
