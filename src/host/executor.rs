//! Runs the agents of one arbiter, by urgency.
//!
//! One future in the arbiter's actor polls them all. Left to itself, Tokio would run each agent as a task of
//! its own, in the order in which they were woken: it cannot know that one was woken for a revocation and
//! the others for bulk. And a wake-up between two agents of one thread is here an entry in a local queue,
//! not a task made ready.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::actor::Manner;
use crate::agent::{Instance, current};
use crate::clock::{Clock, Nanos};
use crate::scheduler::{Door, Inside, Slot, Watch};
use crate::sync::{Arc, Mutex, lock};
use crate::telemetry::{Meter, Metering};

/// The executor lets the arbiter's other tasks, its timers and its sockets have a turn after so long …
const SLICE_NANOS: u64 = 200_000;
/// … or so many agents' turns, since short ones do not look at the clock.
const SLICE_TURNS: u32 = 256;

/// So many arrivals are seated before whoever is ready has a turn.
const SEATED_AT_ONCE: usize = 64;

/// An agent's life, from its seat to its end.
pub(super) type Life = Pin<Box<dyn Future<Output = ()>>>;

/// Somebody who moves in: called on the arbiter's thread, because a life need not be `Send`.
pub(super) type Arrival = Box<dyn FnOnce() -> Life + Send>;

/// The way into an executor, from anywhere.
#[derive(Default)]
pub(super) struct Porch {
    pub(super) door: Arc<Door>,
    arrivals: Mutex<Arrivals>,
}

#[derive(Default)]
struct Arrivals {
    waiting: VecDeque<(Arc<Instance>, Arrival)>,
    closed: bool,
}

impl Porch {
    /// Hands an agent over. If the executor has ended it is dropped, and ends in order by that.
    pub(super) fn admit(&self, instance: Arc<Instance>, arrival: Arrival) {
        let mut arrivals = lock(&self.arrivals);
        if arrivals.closed {
            // Dropped after the lock: its end is the caller's code in part.
            drop(arrivals);
            return;
        }
        arrivals.waiting.push_back((instance, arrival));
        drop(arrivals);
        self.door.knock();
    }
}

/// The promise that whoever comes to a porch is let in or sent away.
pub(super) struct Keeper(Arc<Porch>);

impl Keeper {
    pub(super) fn of(porch: &Arc<Porch>) -> Self {
        Self(Arc::clone(porch))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let waiting = {
            let mut arrivals = lock(&self.0.arrivals);
            arrivals.closed = true;
            std::mem::take(&mut arrivals.waiting)
        };
        // Outside the lock: the end of an agent is a user's code in part.
        waiting.into_iter().for_each(end_of);
    }
}

/// Runs the agents of one arbiter. Resolves when the last has ended, if the arbiter is there for one.
pub(super) struct Executor {
    keeper: Keeper,
    inside: Inside,
    beds: Slab<Bed>,
    watch: Watch,
    clock: Clock,
    meter: Option<Meter>,
    /// The arbiter ends with its agent.
    is_own: bool,
}

struct Bed {
    /// Lent while it has its turn.
    instance: Option<Arc<Instance>>,
    waker: Waker,
    life: Life,
}

impl Executor {
    /// An executor for this thread. `None` if one lives here already.
    pub(super) fn new(keeper: Keeper, clock: Clock, metering: Metering, manner: Manner) -> Option<Self> {
        let inside = Inside::open(Arc::clone(&keeper.0.door))?;
        let watch = Watch::new(manner.listens.then(|| clock.clone()));
        let meter = Meter::new(metering, &clock);
        Some(Self { keeper, inside, beds: Slab::new(), watch, clock, meter, is_own: manner.is_own })
    }

    fn run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inside.begin();
        let began = self.clock.now();
        let mut turns = 0;
        self.meter.iter_mut().for_each(Meter::rest);
        loop {
            if self.inside.let_in() {
                self.seat_arrivals();
            }
            let Some((slot, priority)) = self.inside.next() else {
                self.meter.iter_mut().for_each(Meter::rest);
                let in_conversation = self.inside.fall_idle();
                if self.watch.listen(self.inside.door(), in_conversation) {
                    if self.clock.now().since(began) >= SLICE_NANOS {
                        return yield_thread(cx);
                    }
                    continue;
                }
                if self.inside.sleep(cx.waker()) {
                    return Poll::Pending;
                }
                continue;
            };
            let Some(bed) = self.beds.get_mut(slot as usize) else { continue };
            if !bed.instance.as_ref().is_some_and(|instance| instance.bell.answer(priority)) {
                continue;
            }
            let polled = match &mut self.meter {
                None => bed.turn(),
                Some(meter) => bed.metered_turn(meter),
            };
            if polled.is_ready() {
                drop(self.beds.remove(slot as usize));
                if self.is_own && self.beds.is_empty() {
                    return Poll::Ready(());
                }
            }
            turns += 1;
            if self.is_over(began, turns) {
                return yield_thread(cx);
            }
        }
    }

    /// Whether it is time to let the thread's other tasks run.
    fn is_over(&mut self, began: Nanos, turns: u32) -> bool {
        // An agent that works looks at the clock itself, and says when it has had a slice; the look here is
        // for those that come and go quickly.
        self.inside.slice_is_spent()
            || turns >= SLICE_TURNS
            || !tokio::task::coop::has_budget_remaining()
            || (turns.is_multiple_of(8) && self.clock.now().since(began) >= SLICE_NANOS)
    }

    fn seat_arrivals(&mut self) {
        let arrivals: Vec<_> = {
            let mut arrivals = lock(&self.keeper.0.arrivals);
            let some = arrivals.waiting.len().min(SEATED_AT_ONCE);
            arrivals.waiting.drain(..some).collect()
        };
        if arrivals.len() == SEATED_AT_ONCE {
            // There may be more: after those who have something to do.
            self.inside.door().knock();
        }
        for (instance, arrival) in arrivals {
            let entry = self.beds.vacant_entry();
            let slot = Slot::try_from(entry.key()).expect("fewer than 2^32 agents fit into memory");
            let waker = Waker::from(Arc::clone(&instance));
            entry.insert(Bed { waker, life: arrival(), instance: Some(Arc::clone(&instance)) });
            instance.bell.hang(&self.keeper.0.door, slot);
        }
    }
}

/// A user's code ends with an agent, and may panic; the others are to end in order all the same.
fn end_of<T>(ending: T) {
    if catch_unwind(AssertUnwindSafe(|| drop(ending))).is_err() {
        tracing::error!("an agent panicked while it was dropped with its arbiter");
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.beds.drain().for_each(end_of);
    }
}

impl Future for Executor {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.run(cx)
    }
}

impl Bed {
    fn metered_turn(&mut self, meter: &mut Meter) -> Poll<()> {
        meter.begin();
        let polled = self.turn();
        let (cpu_nanos, allocated) = meter.end();
        if let Some(instance) = &self.instance {
            instance.figures.meter(cpu_nanos, allocated);
        }
        polled
    }

    fn turn(&mut self) -> Poll<()> {
        let Self { instance, waker, life } = self;
        let mut cx = Context::from_waker(waker);
        // A life guards a user's code itself. What gets through is a fault of ours, and must not take the
        // neighbours along.
        let polled =
            catch_unwind(AssertUnwindSafe(|| current::run_as(instance, || life.as_mut().poll(&mut cx))));
        polled.unwrap_or_else(|_| {
            let agent = instance.as_ref().map_or("", |instance| &instance.label);
            tracing::error!(agent, "an agent's loop panicked");
            Poll::Ready(())
        })
    }
}

/// Lets everything else of the thread run once, the driver of timers and sockets included.
fn yield_thread(cx: &mut Context<'_>) -> Poll<()> {
    // Registers with the runtime that it is to be polled again, after the driver; that is all its first
    // poll does.
    let yielded = std::pin::pin!(tokio::task::yield_now()).poll(cx);
    debug_assert!(yielded.is_pending());
    Poll::Pending
}
