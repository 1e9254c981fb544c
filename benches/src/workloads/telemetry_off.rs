//! What Statim's own telemetry costs: the main figure with latencies recorded, as they are by default, and without.

use std::time::Duration;

use super::{TellPrioritisedBounded, Workload};
use crate::{Fault, Placement, System, Verb};

/// The workload `telemetry_off`.
#[derive(Debug)]
pub struct TelemetryOff;

impl Workload for TelemetryOff {
    const NAME: &'static str = "telemetry_off";
    const ABOUT: &'static str = "tell_prioritised_bounded with latencies recorded (the default) and without";
    const VERB: Verb = TellPrioritisedBounded::VERB;
    const PLACEMENT: Placement = TellPrioritisedBounded::PLACEMENT;
    const OPERATIONS: u64 = TellPrioritisedBounded::OPERATIONS;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        TellPrioritisedBounded::run::<S>(operations)
    }
}
