//! Moments that mean the same on two machines.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment of the wall clock, in microseconds since 1970-01-01 00:00 UTC.
///
/// Microseconds because that is what PostgreSQL keeps, and because they stay below 2⁵³, the largest integer that a
/// program in JavaScript reads exactly, until the year 2255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// This moment, by this machine's wall clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The moment so many microseconds after 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is not past.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment so much later, or the last there is.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(micros(delay)))
    }
}

impl From<SystemTime> for Timestamp {
    /// The microsecond that the moment lies in; what is before 1970 becomes its beginning.
    fn from(moment: SystemTime) -> Self {
        Self(micros(moment.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
