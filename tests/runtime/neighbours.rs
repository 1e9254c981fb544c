//! Agents of one arbiter leave each other room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use statim::prelude::*;

use crate::support::{Counter, Tick};

/// Sends itself a message for each message it handles, for ever.
struct Flood(Arc<AtomicBool>, Arc<AtomicU64>);
impl Agent for Flood {
    type Message = Tick;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, _: Tick, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if !self.0.load(Ordering::Relaxed) {
            let _ = ctx.me().try_tell(Tick);
        }
        Ok(())
    }
}

struct Metronome(Arc<std::sync::Mutex<Vec<Instant>>>);
impl Agent for Metronome {
    type Message = Tick;
    type Error = std::convert::Infallible;
    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        ctx.every(Duration::from_millis(10), || Tick);
        Ok(())
    }
    async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Self::Error> {
        self.0.lock().unwrap().push(Instant::now());
        Ok(())
    }
}

#[test]
fn a_self_flooding_agent_leaves_timers_and_neighbours_on_its_arbiter_on_time() {
    let _machine = crate::support::the_machine();
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let (over, floods) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (kept, counted) = (over.clone(), floods.clone());
    let flood = runtime
        .spawn("flood", AgentOptions::default(), move || Flood(kept.clone(), counted.clone()))
        .unwrap();
    for _ in 0..1_000 {
        flood.try_tell(Tick).unwrap();
    }
    let ticks = Arc::<std::sync::Mutex<Vec<Instant>>>::default();
    let kept = ticks.clone();
    runtime.spawn("metronome", AgentOptions::default(), move || Metronome(kept.clone())).unwrap();
    let neighbour_handled = Arc::new(AtomicU64::new(0));
    let kept = neighbour_handled.clone();
    let neighbour =
        runtime.spawn("neighbour", AgentOptions::default(), move || Counter(kept.clone())).unwrap();
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(2) {
        neighbour.try_tell(Tick).unwrap();
        sent += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    over.store(true, Ordering::Relaxed);
    let ticked = ticks.lock().unwrap().len();
    assert!(floods.load(Ordering::Relaxed) > 10_000, "the flood was one");
    // 200 are due; on actix alone, measured, none came. A shared machine may cost a few.
    assert!(ticked >= 150, "{ticked} of 200 ticks came while the neighbour flooded itself");
    let handled = neighbour_handled.load(Ordering::Relaxed);
    assert!(handled + 2 >= sent, "{handled} of {sent} messages to the neighbour were handled in time");
    runtime.shutdown_blocking();
}

/// Computes without ever yielding.
struct Hog;
impl Agent for Hog {
    type Message = Tick;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Self::Error> {
        std::thread::sleep(Duration::from_millis(500));
        Ok(())
    }
}

#[test]
fn a_busy_agent_does_not_delay_one_on_an_arbiter_of_its_own() {
    let _machine = crate::support::the_machine();
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let hog = runtime.spawn("hog", AgentOptions::default(), || Hog).unwrap();
    let handled = Arc::new(AtomicU64::new(0));
    let kept = handled.clone();
    let own = AgentOptions::default().placement(Placement::Own);
    let urgent = runtime.spawn("urgent", own, move || Counter(kept.clone())).unwrap();
    hog.try_tell(Tick).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    urgent.try_tell(Tick).unwrap();
    crate::support::eventually("the urgent agent handles its message", || {
        handled.load(Ordering::Relaxed) == 1
    });
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
    runtime.shutdown_blocking();
}

#[test]
fn agents_of_one_group_share_a_thread_and_others_do_not() {
    struct Where(Arc<std::sync::Mutex<Vec<std::thread::ThreadId>>>);
    impl Agent for Where {
        type Message = Tick;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Self::Error> {
            self.0.lock().unwrap().push(std::thread::current().id());
            Ok(())
        }
    }
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let threads = Arc::<std::sync::Mutex<Vec<std::thread::ThreadId>>>::default();
    let placements = [Placement::group("desk"), Placement::group("desk"), Placement::Own, Placement::Shared];
    for (n, placement) in placements.into_iter().enumerate() {
        let kept = threads.clone();
        let options = AgentOptions::default().placement(placement);
        let agent = runtime.spawn(&format!("w{n}"), options, move || Where(kept.clone())).unwrap();
        agent.try_tell(Tick).unwrap();
        crate::support::eventually("it notes its thread", || threads.lock().unwrap().len() == n + 1);
    }
    let threads = threads.lock().unwrap();
    assert_eq!(threads[0], threads[1]);
    assert!(threads[2] != threads[0] && threads[3] != threads[0] && threads[2] != threads[3]);
    drop(threads);
    runtime.shutdown_blocking();
}
