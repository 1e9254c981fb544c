//! A token round a ring of actors: nothing but hops, each to an actor that was asleep.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::CrowdWorkload;
use crate::crowd::{Crowd, Member, Note, Venue};
use crate::{Ask, Fault};

/// Actors in the ring.
const MEMBERS: usize = 1_000;

/// The workload `ring`.
#[derive(Debug)]
pub struct Ring;

impl CrowdWorkload for Ring {
    const NAME: &'static str = "ring";
    const ABOUT: &'static str = "a token round a ring of 1,000 actors, each hop one operation";
    const OPERATIONS: u64 = 200_000;

    fn run<V: Venue>(operations: u64) -> Result<Duration, Fault> {
        V::run(move |here| async move {
            let first = ring::<V::Crowd>(&here).await?;
            let (finish, finished) = oneshot::channel();
            let started = Instant::now();
            V::Crowd::tell(&first, Note::Token { left: operations, gone: 0, finish }).await?;
            let found = finished.await.map_err(Fault::gone)?;
            let took = started.elapsed();
            if found == operations { Ok(took) } else { Err(Fault::Sum { expected: operations, found }) }
        })
    }
}

/// Links the ring, and hands back one of it once all know their neighbour.
async fn ring<C: Crowd>(here: &C::Here) -> Result<C::Ref, Fault> {
    let mut members = Vec::with_capacity(MEMBERS);
    for _ in 0..MEMBERS {
        members.push(C::start(here, Member::new()).await?);
    }
    for (number, member) in members.iter().enumerate() {
        let next = members[(number + 1) % MEMBERS].clone();
        C::tell(member, Note::Link(next)).await?;
    }
    for member in &members {
        C::ask(member, Ask(0)).await?;
    }
    Ok(members.swap_remove(0))
}
