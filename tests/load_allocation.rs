//! A load test allocates nothing for a message: not to draw it, to send it, to wait for its end or to count it.
//!
//! In a test binary of its own and in one test, because the allocator counts for the whole process.

use std::alloc::System;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use statim::Priority;
use statim::load::{Arrivals, Completion, Kind, Load, LoadResult, Outcome, Request, Scenario, Target};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How a message ends.
#[derive(Clone, Copy)]
enum Way {
    Completion,
    Ready,
    /// After having been polled once and woken.
    Woken,
}

struct Nothing(Way);

impl Target for Nothing {
    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::new("message", Priority::Normal)]
    }

    fn send(&self, _: Request) -> impl Future<Output = Outcome> + Send {
        Yields(AtomicBool::new(matches!(self.0, Way::Woken)))
    }

    fn start(&self, _: Request, completion: Completion) -> Result<(), Completion> {
        match self.0 {
            Way::Completion => completion.finish(Outcome::Done),
            Way::Ready | Way::Woken => return Err(completion),
        }
        Ok(())
    }
}

struct Yields(AtomicBool);

impl Future for Yields {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if self.0.swap(false, Ordering::Relaxed) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Outcome::Done)
    }
}

/// Runs so many messages a second for three seconds; says how many allocations that took.
fn allocations(way: Way, rate: f64) -> (usize, LoadResult) {
    let mut scenario = Scenario::new("test", rate, Duration::from_secs(3));
    scenario.arrivals = Arrivals::Constant;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let region = Region::new(ALLOCATOR);
    let measured = tokio.block_on(Load::new(scenario, Nothing(way)).run()).unwrap();
    let change = region.change();
    (change.allocations + change.reallocations, measured.result)
}

#[test]
fn a_message_costs_no_allocation() {
    for way in [Way::Completion, Way::Ready, Way::Woken] {
        // What a run of three seconds costs whatever it sends.
        let (few, _) = allocations(way, 100.0);
        let (many, result) = allocations(way, 10_000.0);
        assert_eq!(result.results.all.successful_requests, 30_000);
        // Histograms that grow, places for what is under way: hundreds, for thirty thousand messages.
        assert!(many < few + 3_000, "{few} allocations for 300 messages, {many} for 30,000");
    }
}
