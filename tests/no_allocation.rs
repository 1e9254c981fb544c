//! The steady path of a message allocates nothing: not to send it, to queue it, to wake its agent, to handle it or to
//! account for it.
//!
//! In a test binary of its own and in one test, because the allocator counts for the whole process.

use std::alloc::System;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use statim::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MESSAGES: u64 = 10_000;
const RUNS: usize = 20;
/// Sent before anything is counted: queues and figures grow to the size they keep.
const WARM_UP: u64 = 20_000;

/// Messages an agent tells in one handler.
const EACH_ROUND: u64 = 50;

struct Tick(Priority);

impl Message for Tick {
    fn priority(&self) -> Priority {
        self.0
    }
}

/// Counts what it is told.
struct Counter(Arc<AtomicU64>);

impl Agent for Counter {
    type Message = Tick;
    type Error = Infallible;

    async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.0.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

/// Tells a counter so many times for each message, awaiting each.
struct Teller(AgentRef<Tick>);

struct Tell(u64);

impl Message for Tell {}

impl Agent for Teller {
    type Message = Tell;
    type Error = Infallible;

    async fn handle(&mut self, Tell(count): Tell, _: &mut Context<Self>) -> Result<(), Infallible> {
        for n in 0..count {
            self.0.tell(Tick(priority(n))).await.expect("the counter lives");
        }
        Ok(())
    }
}

/// All four lanes.
fn priority(n: u64) -> Priority {
    Priority::ALL[(n % 4) as usize]
}

fn wait_for(count: &AtomicU64, expected: u64) {
    let began = Instant::now();
    while count.load(Ordering::Acquire) < expected {
        assert!(began.elapsed() < Duration::from_secs(60), "messages do not arrive");
        std::thread::yield_now();
    }
}

/// Runs `send` to warm up, and then counts the allocations (and reallocations) of the whole process while it runs again.
///
/// The first run without any, or else the fewest: what grows once in a while (a histogram that is given a longer latency than any before, which
/// doubles it) falls into some of them, and an allocation per message, or per thousand, falls into all.
fn allocations(handled: &AtomicU64, send: impl Fn(u64)) -> usize {
    let mut sent = handled.load(Ordering::Acquire);
    let mut run = |count| {
        send(count);
        sent += count;
        wait_for(handled, sent);
    };
    run(WARM_UP);
    let mut counted = || {
        // Whoever sent and whoever handled have come to rest.
        std::thread::sleep(Duration::from_millis(20));
        let region = Region::new(ALLOCATOR);
        run(MESSAGES);
        let change = region.change();
        change.allocations + change.reallocations
    };
    let mut fewest = usize::MAX;
    for _ in 0..RUNS {
        fewest = fewest.min(counted());
        if fewest == 0 {
            break;
        }
    }
    fewest
}

/// Allocations of the whole process in so many messages each: from a thread one by one and in a flood, and from an agent
/// on the same arbiter and on another.
#[derive(Debug, PartialEq, Eq)]
struct Allocations {
    one_by_one: usize,
    in_a_flood: usize,
    from_a_neighbour: usize,
    from_a_stranger: usize,
}

fn measure(latencies: bool) -> Allocations {
    let runtime = Runtime::builder().arbiters(2).latencies(latencies).start().unwrap();
    let handled = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&handled);
    // A queue of more than 64 places is given back when its agent falls idle, and grows anew.
    let options = AgentOptions::default().capacity(64).reserve(0).placement(Placement::group("one"));
    let counter = runtime.spawn("counter", options.clone(), move || Counter(Arc::clone(&seen))).unwrap();

    let one_by_one = allocations(&handled, |count| {
        let before = handled.load(Ordering::Acquire);
        for n in 0..count {
            counter.try_tell(Tick(priority(n))).unwrap();
            wait_for(&handled, before + n + 1);
        }
    });
    let in_a_flood = allocations(&handled, |count| {
        for n in 0..count {
            while let Err(TryTellError::Full(_)) = counter.try_tell(Tick(priority(n))) {
                std::thread::yield_now();
            }
        }
    });
    let from_an_agent = |name, place| {
        let (target, options) = (counter.clone(), options.clone().placement(Placement::group(place)));
        let teller = runtime.spawn(name, options, move || Teller(target.clone())).unwrap();
        allocations(&handled, |count| {
            let before = handled.load(Ordering::Acquire);
            // Less at a time than there is room for, so that no tell waits: a wait allocates its place in the line.
            for round in 0..count / EACH_ROUND {
                teller.try_tell(Tell(EACH_ROUND)).unwrap();
                wait_for(&handled, before + (round + 1) * EACH_ROUND);
            }
        })
    };
    let from_a_neighbour = from_an_agent("neighbour", "one");
    let from_a_stranger = from_an_agent("stranger", "other");
    runtime.shutdown_blocking();
    Allocations { one_by_one, in_a_flood, from_a_neighbour, from_a_stranger }
}

#[test]
fn a_message_on_the_steady_path_allocates_nothing() {
    let none = Allocations { one_by_one: 0, in_a_flood: 0, from_a_neighbour: 0, from_a_stranger: 0 };
    for latencies in [false, true] {
        assert_eq!(measure(latencies), none, "in {MESSAGES} messages, latencies recorded: {latencies}");
    }
}
