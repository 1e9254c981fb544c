//! One sender to many actors: a message to each, and the next round once all have been handled. Each message wakes an
//! actor that was asleep, which is what a tell to a busy actor does not show.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::CrowdWorkload;
use crate::crowd::{Crowd, Member, Note, Venue};
use crate::{Ask, Fault, Gate};

/// Actors in a round.
const MEMBERS: u64 = 1_000;

/// The workload `fan_out`.
#[derive(Debug)]
pub struct FanOut;

impl CrowdWorkload for FanOut {
    const NAME: &'static str = "fan_out";
    const ABOUT: &'static str = "one message to each of 1,000 actors, in rounds until all are handled";
    const OPERATIONS: u64 = 200_000;

    fn run<V: Venue>(operations: u64) -> Result<Duration, Fault> {
        V::run(move |here| async move {
            let gate = Arc::new(Gate::default());
            let mut members = Vec::new();
            for _ in 0..MEMBERS.min(operations) {
                let member = V::Crowd::start(&here, Member::at(Arc::clone(&gate))).await?;
                V::Crowd::ask(&member, Ask(0)).await?;
                members.push(member);
            }
            let mut value = 0;
            let started = Instant::now();
            while value < operations {
                gate.expect(MEMBERS.min(operations - value));
                for (member, value) in members.iter().zip(value..operations) {
                    V::Crowd::tell(member, Note::Count(value)).await?;
                }
                gate.opened().await;
                value += MEMBERS;
            }
            let took = started.elapsed();
            gate.confirm(operations)?;
            Ok(took)
        })
    }
}
