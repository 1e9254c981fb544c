//! Our clock, as governor reads it.

use std::ops::Add;

use governor::clock::{Clock, Reference};
use governor::nanos::Nanos as Span;

use crate::resilience::time::Time;

/// A moment, in nanoseconds since the clock began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reading(u64);

impl Add<Span> for Reading {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.as_u64()))
    }
}

impl Reference for Reading {
    fn duration_since(&self, earlier: Self) -> Span {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, span: Span) -> Self {
        Self(self.0.checked_sub(span.as_u64()).unwrap_or(self.0))
    }
}

/// The clock itself.
#[derive(Debug, Clone)]
pub(super) struct Watch(pub(super) Time);

impl Watch {
    #[inline]
    pub(super) fn read(&self) -> Reading {
        Reading(self.0.now().0)
    }
}

impl Clock for Watch {
    type Instant = Reading;

    #[inline]
    fn now(&self) -> Reading {
        self.read()
    }
}
