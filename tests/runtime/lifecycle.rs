//! What a command means at an awkward moment: while an agent rests, starts, drains or is paused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;
use statim::{AgentState, Backoff, Intensity, Restart, Supervision};

use crate::support::{Desk, Do};

/// Rests for about an hour after a failure.
fn slow() -> Supervision {
    let hour = Duration::from_secs(3_600);
    let backoff = Backoff { first: hour, longest: hour, healthy_after: hour };
    Supervision { backoff, ..Supervision::default() }
}

#[test]
fn a_stop_while_an_agent_rests_still_handles_what_is_queued() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().supervision(slow()));
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
        runtime.settle().await;
        assert_eq!(agent.inspect().await.unwrap()[0].state, AgentState::BackingOff);
        runtime.stop_and_wait("agent").await;
        assert_eq!(desk.notes(), [1, 2]);
        let reasons: Vec<_> = runtime.dead_letters().iter().map(|letter| letter.reason).collect();
        assert_eq!(reasons, [Reason::Poisoned], "the one that panicked and no other");
    });
}

#[test]
fn a_pause_outlasts_a_restart_and_a_rest() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let quick = Backoff { first: Duration::from_secs(1), ..Supervision::default().backoff };
        let supervision = Supervision { backoff: quick, ..Supervision::default() };
        let agent = desk.spawn(runtime, "agent", AgentOptions::default().supervision(supervision));
        agent.pause().unwrap();
        runtime.settle().await;
        agent.restart().unwrap();
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        runtime.advance(Duration::from_secs(60)).await;
        assert!(desk.notes().is_empty(), "paused before its restart, so paused after it");
        assert_eq!(agent.inspect().await.unwrap()[0].state, AgentState::Paused);
        agent.resume().unwrap();
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        runtime.settle().await;
        assert_eq!(agent.inspect().await.unwrap()[0].state, AgentState::BackingOff);
        agent.pause().unwrap();
        agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
        runtime.advance(Duration::from_secs(60)).await;
        assert_eq!(desk.notes(), [1], "paused while it rested, so paused after it");
        agent.resume().unwrap();
        runtime.settle().await;
        assert_eq!(desk.notes(), [1, 2]);
        runtime.stop_and_wait("agent").await;
    });
}

/// Stops itself in `started`.
struct Leaving(Arc<AtomicU32>);
impl Agent for Leaving {
    type Message = Do;
    type Error = &'static str;
    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        ctx.stop();
        Ok(())
    }
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn an_agent_that_stops_itself_while_it_starts_ends_without_a_message() {
    virtual_time(async |runtime| {
        let starts = Arc::<AtomicU32>::default();
        let kept = starts.clone();
        let agent = runtime.spawn("agent", AgentOptions::default(), move || Leaving(kept.clone())).unwrap();
        runtime.settle().await;
        let ended = agent.is_closed();
        runtime.stop_and_wait("agent").await;
        assert!(ended);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_agent_that_is_always_restarted_and_always_stops_itself_does_not_spin() {
    virtual_time(async |runtime| {
        let starts = Arc::<AtomicU32>::default();
        let kept = starts.clone();
        let always = Supervision { restart: Restart::Always, ..Supervision::default() };
        let options = AgentOptions::default().supervision(always);
        let agent = runtime.spawn("agent", options, move || Leaving(kept.clone())).unwrap();
        // A minute in which a spinning agent would let nobody else run, so that it would never end.
        runtime.advance(Duration::from_secs(60)).await;
        let starts = starts.load(Ordering::Relaxed);
        let _ = agent.stop_now();
        runtime.advance(Duration::from_secs(60)).await;
        assert!((2..100).contains(&starts), "it started {starts} times in a minute");
    });
}

#[test]
fn restarts_without_a_rest_let_the_neighbours_run() {
    virtual_time(async |runtime| {
        let backoff = Backoff { first: Duration::ZERO, ..Supervision::default().backoff };
        let intensity = Intensity { restarts: u32::MAX, within: Duration::from_secs(1) };
        let supervision = Supervision { backoff, intensity, ..Supervision::default() };
        let desk = Desk::new();
        let options = AgentOptions::default().supervision(supervision).attempts(2_000);
        let failing = desk.spawn(runtime, "failing", options);
        let neighbour = desk.spawn(runtime, "neighbour", AgentOptions::default());
        failing.tell(Do::Panic(1_000)).await.unwrap();
        neighbour.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        runtime.settle().await;
        assert_eq!(desk.notes()[0], 1, "a thousand restarts did not come first");
        runtime.stop_and_wait("failing").await;
        runtime.stop_and_wait("neighbour").await;
    });
}

/// Lets children come and go.
struct Parent;
enum Family {
    Spawn(&'static str),
}
impl Message for Family {}
impl Agent for Parent {
    type Message = Family;
    type Error = &'static str;
    async fn handle(&mut self, message: Family, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        let Family::Spawn(name) = message;
        let desk = Desk::new();
        let shy = move || crate::support::scripted(&desk);
        ctx.spawn_child(name, AgentOptions::default(), shy).map(drop).map_err(|_| "the name is taken")
    }
}

#[test]
fn a_parent_that_ends_does_not_stop_a_stranger_who_took_its_former_childs_name() {
    virtual_time(async |runtime| {
        let parent = runtime.spawn("parent", AgentOptions::default(), || Parent).unwrap();
        parent.tell(Family::Spawn("name")).await.unwrap();
        runtime.settle().await;
        runtime.stop_and_wait("name").await;
        let stranger = Desk::new().spawn(runtime, "name", AgentOptions::default());
        runtime.stop_and_wait("parent").await;
        let alive = !stranger.is_closed();
        runtime.stop_and_wait("name").await;
        assert!(alive, "the stranger was stopped with a parent that is not its own");
    });
}

#[test]
fn children_are_stopped_at_the_same_time_and_not_one_after_another() {
    virtual_time(async |runtime| {
        let parent = runtime.spawn("parent", AgentOptions::default(), || Parent).unwrap();
        let names = ["a", "b", "c", "d"];
        for name in names {
            parent.tell(Family::Spawn(name)).await.unwrap();
        }
        runtime.settle().await;
        for name in names {
            let child = runtime.find::<Do>(name).unwrap();
            child.tell(Do::Sleep(Duration::from_secs(60))).await.unwrap();
        }
        runtime.settle().await;
        parent.stop().unwrap();
        // A parent waits 10 s for a child that does not end: once, and not for each.
        runtime.advance(Duration::from_secs(11)).await;
        assert!(!runtime.living().contains(&"parent".to_owned()));
        runtime.advance(Duration::from_secs(60)).await;
        assert!(runtime.living().is_empty());
    });
}

#[test]
fn a_draining_agent_that_restarts_still_says_that_it_drains() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Hold(1)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Hold(2)).await.unwrap();
        agent.stop().unwrap();
        agent.restart().unwrap();
        desk.gate.add_permits(1);
        runtime.settle().await;
        assert_eq!(runtime.snapshot().agent("agent").unwrap().state, AgentState::Draining);
        desk.gate.add_permits(1);
        runtime.settle().await;
        assert_eq!(desk.notes(), [1, 2]);
    });
}

#[test]
fn figures_are_visible_while_a_later_handler_waits_for_long() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        for n in 0..3 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
        }
        agent.tell(Do::Sleep(Duration::from_secs(2))).await.unwrap();
        runtime.settle().await;
        let handled = runtime.snapshot().agent("agent").unwrap().handled;
        runtime.stop_and_wait("agent").await;
        assert_eq!(handled, 3);
    });
}

/// A parent of a parent of an agent that fails for good.
struct Generation(u32, Arc<AtomicU32>);
impl Agent for Generation {
    type Message = Do;
    type Error = &'static str;
    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if self.0 > 0 {
            let (next, starts) = (self.0 - 1, self.1.clone());
            let name = format!("generation {next}");
            let options = AgentOptions::default().supervision(given_up_at_once());
            ctx.spawn_child(&name, options, move || Generation(next, starts.clone()))
                .map_err(|_| "the name is taken")?;
        }
        Ok(())
    }
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        panic!("as told")
    }
}

fn given_up_at_once() -> Supervision {
    let intensity = Intensity { restarts: 0, within: Duration::from_secs(1) };
    Supervision { intensity, ..Supervision::default() }
}

#[test]
fn a_failure_climbs_from_child_to_parent_to_grandparent_and_starts_the_family_over() {
    virtual_time(async |runtime| {
        let starts = Arc::<AtomicU32>::default();
        let kept = starts.clone();
        runtime.spawn("eldest", AgentOptions::default(), move || Generation(3, kept.clone())).unwrap();
        runtime.settle().await;
        runtime.find::<Do>("generation 0").unwrap().tell(Do::Fail).await.unwrap();
        runtime.advance(Duration::from_secs(30)).await;
        assert_eq!(starts.load(Ordering::Relaxed), 8, "four generations, twice");
        assert_eq!(runtime.snapshot().agent("eldest").unwrap().restarts, 1);
        assert_eq!(runtime.living().len(), 4);
        runtime.stop_and_wait("eldest").await;
        assert!(runtime.living().is_empty());
    });
}

#[test]
fn a_child_that_ends_with_its_parents_incarnation_does_not_fail_the_next() {
    virtual_time(async |runtime| {
        let starts = Arc::<AtomicU32>::default();
        let kept = starts.clone();
        let parent =
            runtime.spawn("eldest", AgentOptions::default(), move || Generation(1, kept.clone())).unwrap();
        runtime.settle().await;
        // Drained by the restart of its parent, the child fails for good.
        runtime.find::<Do>("generation 0").unwrap().tell(Do::Fail).await.unwrap();
        parent.restart().unwrap();
        runtime.advance(Duration::from_secs(30)).await;
        assert_eq!(runtime.snapshot().agent("eldest").unwrap().restarts, 1);
        assert_eq!(starts.load(Ordering::Relaxed), 4);
        runtime.stop_and_wait("eldest").await;
    });
}
