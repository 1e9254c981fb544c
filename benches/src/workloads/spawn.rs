//! What an actor costs to start: many are started and each is asked one question, so that none of them is only
//! promised. They end outside the measured time.

use std::time::{Duration, Instant};

use super::CrowdWorkload;
use crate::crowd::{Crowd, Member, Venue};
use crate::{Ask, Fault};

/// The workload `spawn`.
#[derive(Debug)]
pub struct Spawn;

impl CrowdWorkload for Spawn {
    const NAME: &'static str = "spawn";
    const ABOUT: &'static str = "100,000 actors started and asked one question each, an actor one operation";
    const OPERATIONS: u64 = 100_000;

    fn run<V: Venue>(operations: u64) -> Result<Duration, Fault> {
        V::run(move |here| async move {
            let started = Instant::now();
            let members = start_and_ask::<V::Crowd>(&here, operations).await?;
            let took = started.elapsed();
            drop(members);
            Ok(took)
        })
    }
}

/// So many actors, each of which has answered once.
pub(crate) async fn start_and_ask<C: Crowd>(here: &C::Here, actors: u64) -> Result<Vec<C::Ref>, Fault> {
    let mut members = Vec::with_capacity(actors as usize);
    for _ in 0..actors {
        members.push(C::start(here, Member::<C>::new()).await?);
    }
    for (asked, member) in (0..).zip(&members) {
        let answered = C::ask(member, Ask(asked)).await?;
        if answered != asked + 1 {
            return Err(Fault::Answer { asked, answered });
        }
    }
    Ok(members)
}
