//! Ending in order.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use statim::prelude::*;

use crate::support::{Desk, Do, eventually};

/// Passes what it gets on to the next agent.
struct Relay {
    next: AgentRef<Do>,
}
impl Agent for Relay {
    type Message = Do;
    type Error = &'static str;
    async fn handle(&mut self, message: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        self.next.tell(message).await.map_err(|_| "the next agent is gone")
    }
}

#[test]
fn producers_drain_before_what_they_produce_for() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let desk = Desk::new();
    let sink = desk.spawn(&runtime, "sink", AgentOptions::default().stop_order(10).capacity(8));
    let relay =
        runtime.spawn("relay", AgentOptions::default(), move || Relay { next: sink.clone() }).unwrap();
    for n in 0..500 {
        relay.try_tell(Do::Note(Priority::Normal, n)).unwrap();
    }
    let report = runtime.shutdown_blocking();
    assert!(report.drained, "{report:?}");
    assert_eq!(report.undelivered, 0);
    assert_eq!(desk.notes(), (0..500).collect::<Vec<_>>());
}

#[test]
fn a_handler_that_does_not_end_is_cut_short_and_its_queue_accounted_for() {
    let runtime =
        Runtime::builder().arbiters(1).shutdown_deadline(Duration::from_millis(50)).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "stuck", AgentOptions::default());
    agent.try_tell(Do::Hold(0)).unwrap();
    eventually("the agent takes its first message", || agent.depth() == 0);
    for n in 0..7 {
        agent.try_tell(Do::Note(Priority::Normal, n)).unwrap();
    }
    let handle = runtime.handle().clone();
    let began = Instant::now();
    let report = runtime.shutdown_blocking();
    assert_eq!(report.cut_short, ["stuck"]);
    assert!(began.elapsed() < Duration::from_secs(10));
    let letters = handle.dead_letters();
    assert_eq!(letters.len(), 8, "the seven queued and the one in hand: {letters:?}");
    assert!(letters.iter().all(|letter| letter.reason == Reason::Undeliverable));
}

#[test]
fn a_runtime_that_shuts_down_takes_nothing_from_outside_and_spawns_nothing() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default());
    let handle = runtime.handle().clone();
    runtime.shutdown_blocking();
    assert!(matches!(agent.try_tell(Do::Fail), Err(TryTellError::Closed(_))));
    let desk = Desk::new();
    let spawned = handle.spawn("late", AgentOptions::default(), move || Late(desk.clone()));
    assert!(spawned.is_err());
}

struct Late(#[expect(dead_code, reason = "never made")] Desk);
impl Agent for Late {
    type Message = Do;
    type Error = &'static str;
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Goodbye(Arc<Mutex<Vec<&'static str>>>, &'static str);
impl Agent for Goodbye {
    type Message = Do;
    type Error = &'static str;
    async fn handle(&mut self, _: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
    async fn stopped(&mut self, _: &mut Context<Self>) {
        self.0.lock().unwrap().push(self.1);
    }
}

#[test]
fn agents_stop_by_their_order() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let log = Arc::<Mutex<Vec<&'static str>>>::default();
    for (name, order) in [("last", 5), ("first", -5), ("middle", 0)] {
        let log = log.clone();
        runtime
            .spawn(name, AgentOptions::default().stop_order(order), move || Goodbye(log.clone(), name))
            .unwrap();
    }
    runtime.shutdown_blocking();
    assert_eq!(*log.lock().unwrap(), ["first", "middle", "last"]);
}

#[test]
fn two_shutdowns_at_once_agree_on_what_happened() {
    let runtime =
        Runtime::builder().arbiters(1).shutdown_deadline(Duration::from_millis(50)).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "stuck", AgentOptions::default());
    agent.try_tell(Do::Hold(0)).unwrap();
    eventually("the agent takes its message", || agent.depth() == 0);
    for _ in 0..100 {
        runtime.request_shutdown();
    }
    eventually("the requested shutdown closes the agent", || agent.is_closed());
    let report = runtime.shutdown_blocking();
    assert_eq!(report.cut_short, ["stuck"]);
    assert_eq!(report.undelivered, 1, "the message in the stuck handler's hand");
}

#[test]
fn a_timer_that_falls_due_during_the_shutdown_is_work_from_inside() {
    struct Late(Desk);
    impl Agent for Late {
        type Message = Do;
        type Error = &'static str;
        async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
            ctx.send_after(Duration::from_millis(150), Do::Note(Priority::Normal, 1));
            let me = ctx.me().clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(150)).await;
                let _ = me.tell(Do::Note(Priority::Normal, 2)).await;
            });
            Ok(())
        }
        async fn handle(&mut self, message: Do, _: &mut Context<Self>) -> Result<(), Self::Error> {
            if let Do::Note(_, n) = message {
                self.0.note(n);
            }
            Ok(())
        }
    }
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let kept = desk.clone();
    let late = AgentOptions::default().stop_order(1);
    runtime.spawn("late", late, move || Late(kept.clone())).unwrap();
    let slow = desk.spawn(&runtime, "slow", AgentOptions::default());
    slow.try_tell(Do::Sleep(Duration::from_millis(400))).unwrap();
    eventually("the slow one is at it", || slow.depth() == 0);
    let report = runtime.shutdown_blocking();
    assert!(report.drained);
    let mut notes = desk.notes();
    notes.sort_unstable();
    assert_eq!(notes, [1, 2]);
}
