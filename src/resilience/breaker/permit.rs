//! The right to make one call, and the duty to say how it went.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::core::{Core, Pass};
use crate::sync::Arc;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// Well.
    Success = 0,
    /// With an error of the callee.
    Failure = 1,
    /// Not in time. A failure.
    TimedOut = 2,
    /// With a panic. A failure.
    Panicked = 3,
    /// It was dropped first: cancelled, or forgotten. A failure.
    Abandoned = 4,
    /// With an error that says nothing about the callee, such as a fault of the request. Neither success nor failure; a
    /// probe that ends so makes room for another.
    Ignored = 5,
}

impl Outcome {
    pub(crate) const COUNT: usize = 6;
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::Success, Self::Failure, Self::TimedOut, Self::Panicked, Self::Abandoned, Self::Ignored];

    /// Whether it counts as a failure.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Success | Self::Ignored)
    }
}

/// The right to make one call, borrowed from the breaker. Dropped without an outcome, it counts as a failure.
#[must_use = "dropped without an outcome, a permit counts as a failure"]
pub struct Permit<'a> {
    core: &'a Core,
    pass: Option<Pass>,
}

/// A [`Permit`] that keeps its breaker alive, to travel with a message or into a task.
#[must_use = "dropped without an outcome, a permit counts as a failure"]
pub struct OwnedPermit {
    core: Arc<Core>,
    pass: Option<Pass>,
}

impl<'a> Permit<'a> {
    pub(super) fn new(core: &'a Core, pass: Pass) -> Self {
        Self { core, pass: Some(pass) }
    }
}

impl OwnedPermit {
    pub(super) fn new(core: Arc<Core>, pass: Pass) -> Self {
        Self { core, pass: Some(pass) }
    }
}

macro_rules! outcomes {
    ($name:ident $(<$lifetime:lifetime>)?) => {
        impl $name $(<$lifetime>)? {
            /// The call succeeded.
            #[inline]
            pub fn success(self) {
                self.settle(Outcome::Success);
            }

            /// The call failed.
            #[inline]
            pub fn failure(self) {
                self.settle(Outcome::Failure);
            }

            /// The call's outcome says nothing about the callee.
            #[inline]
            pub fn ignore(self) {
                self.settle(Outcome::Ignored);
            }

            /// The call ended.
            #[inline]
            pub fn settle(mut self, outcome: Outcome) {
                if let Some(pass) = self.pass.take() {
                    self.core.settle(pass, outcome);
                }
            }

            /// Whether the call is one of the probes of a half-open breaker.
            #[must_use]
            pub fn is_probe(&self) -> bool {
                self.pass.as_ref().is_some_and(|pass| pass.probe)
            }
        }

        impl Drop for $name $(<$lifetime>)? {
            #[inline]
            fn drop(&mut self) {
                if let Some(pass) = self.pass.take() {
                    self.core.abandon(pass);
                }
            }
        }

        impl fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("pass", &self.pass).finish_non_exhaustive()
            }
        }
    };
}

outcomes!(Permit<'_>);
outcomes!(OwnedPermit);
