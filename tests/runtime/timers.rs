//! Messages an agent sends itself later.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

#[derive(Clone)]
enum Clockwork {
    Once,
    Tick,
    Block(Duration),
    Cancel,
}
impl Message for Clockwork {}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(&'static str, Duration)>>>);

struct Clock {
    log: Log,
    began: tokio::time::Instant,
    ticking: Option<statim::TimerHandle>,
}
impl Agent for Clock {
    type Message = Clockwork;
    type Error = std::convert::Infallible;

    async fn started(&mut self, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        ctx.send_after(Duration::from_secs(1), Clockwork::Once);
        self.ticking = Some(ctx.every(Duration::from_secs(10), || Clockwork::Tick));
        Ok(())
    }

    async fn handle(&mut self, message: Clockwork, _: &mut Context<Self>) -> Result<(), Self::Error> {
        let at = self.began.elapsed();
        let mut log = self.log.0.lock().unwrap();
        match message {
            Clockwork::Once => log.push(("once", at)),
            Clockwork::Tick => log.push(("tick", at)),
            Clockwork::Block(time) => {
                drop(log);
                tokio::time::sleep(time).await;
            }
            Clockwork::Cancel => self.ticking.take().unwrap().cancel(),
        }
        Ok(())
    }
}

fn spawn(runtime: &RuntimeHandle, options: AgentOptions) -> (AgentRef<Clockwork>, Log) {
    let log = Log::default();
    let kept = log.clone();
    let factory = move || Clock { log: kept.clone(), began: tokio::time::Instant::now(), ticking: None };
    (runtime.spawn("clock", options, factory).unwrap(), log)
}

#[test]
fn timers_fire_when_they_are_due_and_not_after_they_were_cancelled() {
    virtual_time(async |runtime| {
        let (agent, log) = spawn(runtime, AgentOptions::default());
        runtime.advance(Duration::from_secs(35)).await;
        agent.tell(Clockwork::Cancel).await.unwrap();
        runtime.advance(Duration::from_secs(100)).await;
        runtime.stop_and_wait("clock").await;
        let seconds: Vec<_> = log.0.lock().unwrap().iter().map(|(what, at)| (*what, at.as_secs())).collect();
        assert_eq!(seconds, [("once", 1), ("tick", 10), ("tick", 20), ("tick", 30)]);
    });
}

#[test]
fn ticks_obey_the_bound_and_those_missed_are_skipped() {
    virtual_time(async |runtime| {
        let (agent, log) = spawn(runtime, AgentOptions::default().capacity(1));
        agent.tell(Clockwork::Block(Duration::from_secs(1_000))).await.unwrap();
        for _ in 0..99 {
            runtime.advance(Duration::from_secs(10)).await;
            assert!(agent.depth() <= 1);
        }
        runtime.advance(Duration::from_secs(11)).await;
        agent.stop_now().unwrap();
        runtime.settle().await;
        let ticks = log.0.lock().unwrap().iter().filter(|(what, _)| *what == "tick").count();
        assert!(ticks <= 3, "{ticks} ticks were handled after the block");
    });
}

#[test]
fn a_restart_cancels_the_timers_of_the_incarnation_before() {
    virtual_time(async |runtime| {
        let (agent, log) = spawn(runtime, AgentOptions::default());
        runtime.advance(Duration::from_secs(5)).await;
        agent.restart().unwrap();
        runtime.advance(Duration::from_secs(12)).await;
        runtime.stop_and_wait("clock").await;
        let ticks = log.0.lock().unwrap().iter().filter(|(what, _)| *what == "tick").count();
        assert_eq!(ticks, 1, "one of the new incarnation, none of the old");
    });
}
