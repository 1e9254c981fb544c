//! Stop, pause, resume, restart, inspect.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;
use statim::{AgentState, ControlError, Restart, Supervision};

use crate::support::{Desk, Do};

#[test]
fn a_paused_agent_handles_nothing_until_it_is_resumed() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.pause().unwrap();
        runtime.settle().await;
        agent.tell(Do::Note(Priority::Critical, 1)).await.unwrap();
        runtime.advance(Duration::from_secs(60)).await;
        assert!(desk.notes().is_empty());
        assert_eq!(agent.inspect().await.unwrap()[0].state, AgentState::Paused);
        agent.resume().unwrap();
        runtime.settle().await;
        assert_eq!(desk.notes(), [1]);
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_restart_rebuilds_the_state_and_keeps_the_mailbox() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        assert_eq!(agent.ask(Do::Count).await, Ok(1));
        agent.tell(Do::Hold(1)).await.unwrap();
        runtime.settle().await;
        agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
        agent.restart().unwrap();
        desk.gate.add_permits(1);
        runtime.settle().await;
        assert_eq!(desk.notes(), [1, 2]);
        assert_eq!(agent.ask(Do::Count).await, Ok(2), "the new incarnation handled one before this");
        assert_eq!(runtime.snapshot().agent("agent").unwrap().restarts, 1);
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn stop_handles_what_is_queued_and_stop_now_does_not() {
    virtual_time(async |runtime| {
        for (name, now, handled) in [("gentle", false, vec![0, 1, 2]), ("hard", true, vec![0])] {
            let desk = Desk::new();
            let agent = desk.spawn(runtime, name, AgentOptions::default());
            agent.tell(Do::Hold(0)).await.unwrap();
            runtime.settle().await;
            agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
            agent.tell(Do::Note(Priority::Normal, 2)).await.unwrap();
            if now { agent.stop_now() } else { agent.stop() }.unwrap();
            desk.gate.add_permits(1);
            runtime.settle().await;
            assert_eq!(desk.notes(), handled, "{name}");
            let refused = agent.try_tell(Do::Note(Priority::Normal, 3));
            assert!(matches!(refused, Err(TryTellError::Closed(_))));
            assert_eq!(agent.pause(), Err(ControlError::Ended));
            assert!(agent.inspect().await.is_err());
        }
        let reasons: Vec<_> = runtime.dead_letters().iter().map(|letter| letter.reason).collect();
        assert_eq!(reasons, [Reason::Undeliverable; 2]);
    });
}

#[test]
fn inspect_shows_the_agents_own_account() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Note(Priority::Normal, 1)).await.unwrap();
        runtime.settle().await;
        let found = agent.inspect().await.unwrap();
        assert_eq!(found[0].agent, serde_json::json!({ "handled": 1 }));
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_name_is_taken_while_its_agent_lives_and_free_afterwards() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        desk.spawn(runtime, "agent", AgentOptions::default());
        let again = runtime
            .spawn("agent", AgentOptions::default(), || crate::support::Counter(std::sync::Arc::default()));
        assert!(again.is_err());
        assert!(matches!(
            runtime.find::<crate::support::Tick>("agent"),
            Err(statim::FindError::OtherType { .. })
        ));
        assert_eq!(runtime.find_all::<Do>().len(), 1);
        runtime.stop_and_wait("agent").await;
        desk.spawn(runtime, "agent", AgentOptions::default());
        runtime.stop_and_wait("agent").await;
    });
}

struct Once;
impl Agent for Once {
    type Message = Do;
    type Error = &'static str;
    async fn handle(&mut self, message: Do, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        if let Do::Count(reply) = message {
            reply.send(0);
        }
        ctx.stop();
        Ok(())
    }
}

#[test]
fn an_agent_that_stops_itself_is_restarted_only_if_always_says_so() {
    virtual_time(async |runtime| {
        let always = Supervision { restart: Restart::Always, ..Supervision::default() };
        let options = AgentOptions::default().supervision(always);
        let stays = runtime.spawn("stays", options, || Once).unwrap();
        let goes = runtime.spawn("goes", AgentOptions::default(), || Once).unwrap();
        for _ in 0..3 {
            stays.ask(Do::Count).await.unwrap();
        }
        goes.ask(Do::Count).await.unwrap();
        runtime.settle().await;
        assert!(goes.is_closed() && !stays.is_closed());
        runtime.stop_and_wait("stays").await;
        assert!(stays.is_closed(), "a stop from outside is final");
    });
}
