//! Pools that change their size while they work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use statim::prelude::*;
use statim::telemetry::Occurrence;
use statim::testing::virtual_time;
use statim::{AgentState, Restart, ScaleError, Supervision};

use crate::support::{Desk, Do, eventually};

fn pool(members: usize) -> AgentOptions {
    AgentOptions::default().pool(Pool::Shared(members))
}

/// One of many, which must be handled once.
struct Numbered(usize);
impl Message for Numbered {}

struct Teller(Arc<Vec<AtomicU32>>);
impl Agent for Teller {
    type Message = Numbered;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, message: Numbered, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if message.0.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
        self.0[message.0].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn under_load_members_come_and_go_and_each_message_is_handled_exactly_once() {
    const MESSAGES: usize = 60_000;
    for placement in [Placement::Shared, Placement::Own] {
        let runtime = Runtime::builder().arbiters(2).start().unwrap();
        let told: Arc<Vec<AtomicU32>> = Arc::new((0..MESSAGES).map(|_| AtomicU32::new(0)).collect());
        let kept = Arc::clone(&told);
        let options = pool(2).capacity(256).placement(placement.clone());
        let agent = runtime.spawn("pool", options, move || Teller(Arc::clone(&kept))).unwrap();
        let sender = {
            let agent = agent.clone();
            std::thread::spawn(move || {
                for n in 0..MESSAGES {
                    agent.tell_blocking(Numbered(n)).unwrap();
                }
            })
        };
        let mut sizes = [5, 1, 4, 2, 6, 1, 3].into_iter().cycle();
        let mut changes = 0;
        let mut size = 2;
        while !sender.is_finished() || changes < 7 {
            let wanted = sizes.next().unwrap();
            let scaled = runtime.block_on(runtime.scale("pool", wanted)).unwrap();
            assert_eq!((scaled.from, scaled.to), (size, wanted));
            size = wanted;
            changes += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
        sender.join().unwrap();
        runtime.block_on(runtime.scale("pool", 2)).unwrap();
        eventually("every message", || {
            told.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).sum::<u64>() == MESSAGES as u64
        });
        assert!(told.iter().all(|count| count.load(Ordering::Relaxed) == 1), "one was handled twice");
        eventually("all but two left", || runtime.snapshot().agent("pool").unwrap().instances == 2);
        let snapshot = runtime.snapshot();
        let figures = snapshot.agent("pool").unwrap();
        assert_eq!(figures.handled, MESSAGES as u64, "what former members did counts");
        assert_eq!(figures.latency[&Priority::Normal].count, MESSAGES as u64);
        assert!(runtime.dead_letters().is_empty());
        assert!(runtime.recent_events().iter().any(|it| matches!(it.what, Occurrence::Scaled { .. })));
        let report = runtime.shutdown_blocking();
        assert!(report.drained, "{placement:?}: {report:?}");
    }
}

#[test]
fn a_member_that_is_taken_away_finishes_its_message_and_the_queue_stays() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "pool", pool(2));
        for n in 0..6 {
            agent.tell(Do::Hold(n)).await.unwrap();
        }
        runtime.settle().await;
        runtime.scale("pool", 1).await.unwrap();
        runtime.settle().await;
        assert_eq!(runtime.snapshot().agent("pool").unwrap().instances, 2, "both are at a message");
        desk.gate.add_permits(6);
        runtime.settle().await;
        let mut notes = desk.notes();
        notes.sort_unstable();
        assert_eq!(notes, [0, 1, 2, 3, 4, 5]);
        let snapshot = runtime.snapshot();
        let figures = snapshot.agent("pool").unwrap();
        assert_eq!((figures.instances, figures.handled), (1, 6));
        runtime.stop_and_wait("pool").await;
    });
}

#[test]
fn what_is_no_shared_pool_keeps_its_size() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        desk.spawn(runtime, "single", AgentOptions::default());
        desk.spawn(runtime, "by-key", AgentOptions::default().pool(Pool::ByKey(2)));
        desk.spawn(runtime, "pool", pool(1));
        let scale = async |name, instances| runtime.scale(name, instances).await;
        assert!(matches!(scale("single", 2).await, Err(ScaleError::Single { .. })));
        assert!(matches!(scale("by-key", 3).await, Err(ScaleError::ByKey { .. })));
        assert!(matches!(scale("by-key/1", 3).await, Err(ScaleError::ByKey { .. })));
        assert!(matches!(scale("nobody/1", 2).await, Err(ScaleError::NotFound { .. })));
        assert!(matches!(scale("nobody", 2).await, Err(ScaleError::NotFound { .. })));
        for size in [0, 1_025, usize::MAX] {
            assert!(matches!(scale("pool", size).await, Err(ScaleError::OutOfRange { .. })));
        }
        assert_eq!(scale("pool", 3).await.unwrap().to, 3);
        for name in ["single", "by-key", "pool"] {
            runtime.stop_and_wait(name).await;
        }
        assert!(matches!(scale("pool", 2).await, Err(ScaleError::NotFound { .. })));
    });
}

#[test]
fn members_that_join_a_paused_pool_are_paused() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "pool", pool(1));
        agent.pause().unwrap();
        runtime.settle().await;
        runtime.scale("pool", 3).await.unwrap();
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        runtime.settle().await;
        assert!(desk.notes().is_empty());
        agent.resume().unwrap();
        runtime.settle().await;
        assert_eq!(desk.notes(), [1]);
        runtime.stop_and_wait("pool").await;
    });
}

#[test]
fn given_up_members_are_replaced() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let never = Supervision { restart: Restart::Never, ..Supervision::default() };
        let agent = desk.spawn(runtime, "pool", pool(3).supervision(never));
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        runtime.settle().await;
        let scaled = runtime.scale("pool", 3).await.unwrap();
        assert_eq!((scaled.from, scaled.to), (1, 3));
        let states: Vec<_> = agent.inspect().await.unwrap().iter().map(|it| it.state).collect();
        assert_eq!(states, [AgentState::Running; 3]);
        let snapshot = runtime.snapshot();
        let figures = snapshot.agent("pool").unwrap();
        assert_eq!((figures.instances, figures.failed), (3, 2), "their failures stay counted");
        runtime.stop_and_wait("pool").await;
    });
}

#[test]
fn who_was_told_to_leave_stays_if_nobody_else_does() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let never = Supervision { restart: Restart::Never, ..Supervision::default() };
        let agent = desk.spawn(runtime, "pool", pool(2).supervision(never));
        agent.tell(Do::Hold(0)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Hold(1)).await.unwrap();
        runtime.settle().await;
        runtime.scale("pool", 1).await.unwrap();
        // The one that stays gives up while the other is at its message.
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        desk.gate.add_permits(1);
        runtime.settle().await;
        assert_eq!(runtime.snapshot().agent("pool").unwrap().failed, 1);
        desk.gate.add_permits(1);
        agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
        runtime.settle().await;
        assert_eq!(desk.notes(), [0, 1, 2]);
        runtime.stop_and_wait("pool").await;
    });
}

#[test]
fn nobody_joins_a_pool_that_was_told_to_stop() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "pool", pool(2));
        agent.tell(Do::Hold(0)).await.unwrap();
        agent.tell(Do::Hold(1)).await.unwrap();
        runtime.settle().await;
        // Both are at a message and have yet to hear of it; the mailbox is open still.
        agent.stop().unwrap();
        let scaled = runtime.scale("pool", 4).await;
        assert!(matches!(scaled, Err(ScaleError::Ended { .. })), "{scaled:?}");
        desk.gate.add_permits(2);
        runtime.settle().await;
        assert!(runtime.living().is_empty(), "somebody was not told");
    });
}

#[test]
fn a_pool_that_stops_while_it_is_scaled_ends_with_all_its_members() {
    for round in 0..200_u64 {
        let runtime = Runtime::builder().arbiters(2).start().unwrap();
        let desk = Desk::new();
        desk.spawn(&runtime, "pool", pool(2));
        let handle = runtime.handle().clone();
        let scaling = std::thread::spawn(move || {
            let waits = std::time::Duration::from_micros(round * 5);
            std::thread::sleep(waits);
            for n in 0..40 {
                // What is dropped midway is done all the same.
                drop(futures_util::FutureExt::now_or_never(handle.scale("pool", 1 + n % 5)));
            }
        });
        let began = std::time::Instant::now();
        if round % 2 == 0 {
            runtime.block_on(runtime.stop_and_wait("pool"));
            assert!(runtime.living().is_empty(), "somebody was not told");
        }
        let report = runtime.shutdown_blocking();
        assert!(report.drained && began.elapsed() < Duration::from_secs(4), "{report:?}");
        scaling.join().unwrap();
    }
}

#[test]
fn a_factory_is_dropped_with_its_pool_even_if_that_failed() {
    virtual_time(async |runtime| {
        let never = Supervision { restart: Restart::Never, ..Supervision::default() };
        let held = Arc::new(());
        let (desk, kept) = (Desk::new(), Arc::clone(&held));
        let agent = runtime
            .spawn("pool", pool(1).supervision(never), move || {
                let _ = &kept;
                crate::support::scripted(&desk)
            })
            .unwrap();
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        runtime.settle().await;
        assert_eq!(runtime.snapshot().agent("pool").unwrap().state, AgentState::Failed);
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn a_restart_on_request_resolves_when_the_agent_serves_anew() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        assert_eq!(agent.ask(Do::Count).await, Ok(1));
        agent.tell(Do::Hold(1)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
        let began = tokio::time::Instant::now();
        let permits = async {
            runtime.advance(Duration::from_secs(7)).await;
            desk.gate.add_permits(1);
        };
        let (restarted, ()) = tokio::join!(runtime.restart("agent"), permits);
        restarted.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(7), "it waits for the message at hand");
        runtime.settle().await;
        assert_eq!(desk.notes(), [1, 2]);
        assert_eq!(agent.ask(Do::Count).await, Ok(2), "the new incarnation handled one before this");
        assert_eq!(runtime.snapshot().agent("agent").unwrap().restarts, 1);
        runtime.stop_and_wait("agent").await;
        assert!(matches!(runtime.restart("agent").await, Err(statim::RestartError::NotFound { .. })));
    });
}

#[test]
fn restarts_on_request_do_not_count_against_the_intensity() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let mut strict = Supervision::default();
        strict.intensity.restarts = 0;
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().supervision(strict));
        for _ in 0..20 {
            runtime.restart("agent").await.unwrap();
        }
        assert_eq!(agent.ask(Do::Count).await, Ok(1));
        assert_eq!(runtime.snapshot().agent("agent").unwrap().restarts, 20);
        runtime.stop_and_wait("agent").await;
    });
}

struct Waiting {
    not_serving: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}
impl Agent for Waiting {
    type Message = Numbered;
    type Error = std::convert::Infallible;
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Self::Error> {
        self.most.fetch_max(self.not_serving.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.not_serving.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
    async fn handle(&mut self, _: Numbered, _: &mut Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn the_members_of_a_pool_are_restarted_one_after_another() {
    virtual_time(async |runtime| {
        let (not_serving, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        for (name, options) in [("shared", pool(4)), ("by-key", AgentOptions::default().pool(Pool::ByKey(4)))]
        {
            let (kept, kept_most) = (Arc::clone(&not_serving), Arc::clone(&most));
            runtime
                .spawn(name, options, move || Waiting {
                    not_serving: Arc::clone(&kept),
                    most: Arc::clone(&kept_most),
                })
                .unwrap();
            runtime.advance(Duration::from_secs(2)).await;
            most.store(0, Ordering::SeqCst);
            runtime.restart(name).await.unwrap();
            assert_eq!(most.load(Ordering::SeqCst), 1, "{name}");
        }
        runtime.restart("by-key/2").await.unwrap();
        let snapshot = runtime.snapshot();
        let restarts = |name| snapshot.agent(name).unwrap().restarts;
        assert_eq!((restarts("shared"), restarts("by-key/1"), restarts("by-key/2")), (4, 1, 2));
        runtime.stop_and_wait("shared").await;
        runtime.stop_and_wait("by-key").await;
    });
}

struct ItsOwn;
impl Message for AskItself {}
struct AskItself(Reply<bool>);
impl Agent for ItsOwn {
    type Message = AskItself;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, message: AskItself, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        let restarted = ctx.runtime().restart("agent").await;
        message.0.send(matches!(restarted, Err(statim::RestartError::Itself { .. })));
        Ok(())
    }
}

#[test]
fn an_agent_does_not_wait_for_its_own_restart() {
    virtual_time(async |runtime| {
        let agent = runtime.spawn("agent", AgentOptions::default(), || ItsOwn).unwrap();
        assert!(agent.ask(AskItself).await.unwrap());
        runtime.stop_and_wait("agent").await;
    });
}
