//! One actix actor for each arbiter: it hosts the executor of the arbiter's agents, and its end.

use std::sync::atomic::AtomicU32;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, fut::wrap_future};
use actix_rt::{Arbiter, ArbiterHandle};

use super::executor::{Executor, Keeper, Porch};
use super::serve::{Departure, serve};
use super::system::Home;
use crate::agent::{Agent, Seat};
use crate::clock::Clock;
use crate::sync::{Arc, Ordering};
use crate::telemetry::Metering;

/// Seats an instance on the arbiter that its seat names.
pub(crate) fn seat<A: Agent>(seat: Seat<A::Message>, factory: Arc<dyn Fn() -> A + Send + Sync>) {
    let instance = Arc::clone(&seat.instance);
    let ward = Arc::clone(&seat.home.ward);
    // From here on the instance ends in order, also if its arbiter is gone and nothing of this ever runs.
    let departure = Departure::of(seat);
    ward.porch.admit(instance, Box::new(move || Box::pin(serve::<A>(departure, factory))));
}

/// An arbiter with its executor, seen from anywhere.
pub(crate) struct Ward {
    pub(super) arbiter: ArbiterHandle,
    /// Told in snapshots, so that agents which share a thread are seen to. Unique in the process; never 0.
    number: u32,
    porch: Arc<Porch>,
}

impl Ward {
    /// Starts the executor on an arbiter that has none.
    pub(super) fn open(
        arbiter: ArbiterHandle,
        clock: Clock,
        metering: Metering,
        manner: Manner,
    ) -> Arc<Self> {
        let porch = Arc::new(Porch::default());
        let keeper = Keeper::of(&porch);
        WardActor::start_in_arbiter(&arbiter, move |_| WardActor {
            start: Some((keeper, clock, metering)),
            manner,
        });
        static WARDS: AtomicU32 = AtomicU32::new(1);
        Arc::new(Self { arbiter, number: WARDS.fetch_add(1, Ordering::Relaxed), porch })
    }
}

/// How an executor treats its thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The arbiter ends with the first agent that leaves it empty.
    pub(super) is_own: bool,
    /// It may stay awake for a while to listen for rings from other threads.
    pub(super) listens: bool,
}

struct WardActor {
    start: Option<(Keeper, Clock, Metering)>,
    manner: Manner,
}

impl Actor for WardActor {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((keeper, clock, metering)) = self.start.take() else { return };
        let Some(executor) = Executor::new(keeper, clock, metering, self.manner) else {
            tracing::error!("an arbiter has two executors: the second ends at once");
            return ctx.stop();
        };
        ctx.spawn(wrap_future::<_, Self>(executor).map(|(), _, ctx| ctx.stop()));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if self.manner.is_own {
            Arbiter::current().stop();
        }
    }
}

impl Home {
    /// The number of the arbiter.
    pub(crate) fn arbiter(&self) -> u32 {
        self.ward.number
    }

    /// Nobody moves in after all.
    pub(crate) fn give_up(&self) {
        if self.is_own {
            self.ward.arbiter.stop();
        }
    }
}
