//! What guards that are not waited for hand out.

use crate::resilience::breaker::{Outcome, OwnedPermit};
use crate::resilience::bulkhead::OwnedPlace;

/// The leave of a policy's guards for one call, to travel with it. Dropped without an outcome, the call counts as a
/// failure; either way its place in the bulkhead is given back.
#[derive(Debug)]
#[must_use = "dropped without an outcome, it counts as a failure"]
pub struct Leave {
    // Dropped in this order: the outcome is told before the place is given back.
    permit: Option<OwnedPermit>,
    _place: Option<OwnedPlace>,
}

impl Leave {
    pub(super) fn new(permit: Option<OwnedPermit>, place: Option<OwnedPlace>) -> Self {
        Self { permit, _place: place }
    }

    /// The call succeeded.
    pub fn success(self) {
        self.settle(Outcome::Success);
    }

    /// The call failed.
    pub fn failure(self) {
        self.settle(Outcome::Failure);
    }

    /// The call's outcome says nothing about the callee.
    pub fn ignore(self) {
        self.settle(Outcome::Ignored);
    }

    /// The call ended.
    pub fn settle(mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome);
        }
    }

    /// Whether the call is one of the probes of a half-open breaker.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.permit.as_ref().is_some_and(OwnedPermit::is_probe)
    }
}
