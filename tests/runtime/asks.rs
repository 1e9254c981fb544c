//! Questions: answered, refused, dropped, timed out, never circular.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do};

#[test]
fn an_ask_is_answered() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        assert_eq!(agent.ask(Do::Count).await, Ok(1));
        assert_eq!(agent.ask(Do::Count).await, Ok(2));
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_dropped_reply_tells_the_asker_at_once() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        let began = tokio::time::Instant::now();
        assert_eq!(agent.ask(Do::Ignore).timeout(Duration::from_secs(60)).await, Err(AskError::NoReply));
        assert!(began.elapsed() < Duration::from_secs(1));
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_question_nobody_waits_for_is_not_handled() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "agent", AgentOptions::default());
        agent.tell(Do::Hold(0)).await.unwrap();
        let timed_out = agent.ask(Do::Count).timeout(Duration::from_millis(10)).await;
        assert_eq!(timed_out, Err(AskError::Timeout));
        // Dropped before its answer.
        let asked = tokio::time::timeout(Duration::from_millis(10), agent.ask(Do::Count)).await;
        assert!(asked.is_err());
        desk.gate.add_permits(1);
        assert_eq!(agent.ask(Do::Count).await, Ok(2), "the held one and this one, not those in between");
        let reasons: Vec<_> = runtime.dead_letters().iter().map(|letter| letter.reason).collect();
        assert_eq!(reasons, [Reason::Cancelled, Reason::Cancelled]);
        runtime.stop_and_wait("agent").await;
    });
}

#[test]
fn a_purged_question_is_answered_with_the_reason() {
    struct Keyed(Reply<u64>);
    impl Message for Keyed {
        fn key(&self) -> Option<Key> {
            Some(Key::of("patient"))
        }
    }
    struct Never;
    impl Agent for Never {
        type Message = Keyed;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, asked: Keyed, _: &mut Context<Self>) -> Result<(), Self::Error> {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            asked.0.send(1);
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let agent = runtime.spawn("never", AgentOptions::default(), || Never).unwrap();
        let hold = agent.ask(Keyed);
        let purged = async {
            runtime.settle().await;
            let asked = agent.ask(Keyed);
            let purge = async {
                runtime.settle().await;
                runtime.purge(Key::of("patient"))
            };
            let (answer, count) = tokio::join!(asked, purge);
            assert_eq!(count, 1, "the one in hand is past purging");
            assert!(matches!(answer, Err(AskError::Dropped(Reason::Purged))));
        };
        tokio::select! {
            _ = hold => panic!("nothing is answered for an hour"),
            () = purged => {}
        }
        agent.stop_now().unwrap();
        runtime.advance(Duration::from_secs(3_601)).await;
    });
}

/// Asks the agent of this name, in its handler.
struct AskNext {
    next: &'static str,
    reply: Reply<Result<u64, Vec<String>>>,
}
impl Message for AskNext {}

struct Asker;
impl Agent for Asker {
    type Message = AskNext;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, ask: AskNext, ctx: &mut Context<Self>) -> Result<(), Self::Error> {
        let answer = match ctx.runtime().find::<AskNext>(ask.next) {
            Err(_) => Ok(0),
            Ok(next) => {
                // Each asks the next letter of the alphabet; `c` asks `a` again.
                let after = match ask.next {
                    "a" => "b",
                    "b" => "c",
                    "c" => "a",
                    other => other,
                };
                match next.ask(|reply| AskNext { next: after, reply }).await {
                    Ok(answer) => answer.map(|hops| hops + 1),
                    Err(AskError::Cycle(path)) => Err(path.iter().map(|name| name.to_string()).collect()),
                    Err(error) => panic!("{error}"),
                }
            }
        };
        ask.reply.send(answer);
        Ok(())
    }
}

#[test]
fn an_ask_that_would_wait_for_itself_fails_at_once_and_names_the_cycle() {
    virtual_time(async |runtime| {
        for name in ["a", "b", "c"] {
            runtime.spawn(name, AgentOptions::default(), || Asker).unwrap();
        }
        let a = runtime.find::<AskNext>("a").unwrap();
        let began = tokio::time::Instant::now();
        let answer = a.ask(|reply| AskNext { next: "b", reply }).await.unwrap();
        assert_eq!(answer, Err(["c", "a", "b", "c"].map(String::from).to_vec()));
        assert!(began.elapsed() < Duration::from_millis(10));
        // Nothing is left waiting, and the same agents still answer each other where there is no cycle.
        let answer = a.ask(|reply| AskNext { next: "nobody", reply }).await.unwrap();
        assert_eq!(answer, Ok(0));
        let itself = a.ask(|reply| AskNext { next: "a", reply }).await.unwrap();
        assert_eq!(itself, Err(["a", "a"].map(String::from).to_vec()));
        for name in ["a", "b", "c"] {
            runtime.stop_and_wait(name).await;
        }
    });
}

#[test]
fn two_agents_that_ask_each_other_at_the_same_moment_on_two_threads_do_not_hang() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    for name in ["a", "b"] {
        runtime.spawn(name, AgentOptions::default().placement(Placement::Own), || Asker).unwrap();
    }
    let (a, b) = (runtime.find::<AskNext>("a").unwrap(), runtime.find::<AskNext>("b").unwrap());
    for round in 0..2_000 {
        let (from_a, from_b) = runtime.block_on(async {
            let ask_a = a.ask(|reply| AskNext { next: "b", reply });
            let ask_b = b.ask(|reply| AskNext { next: "a", reply });
            tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(ask_a, ask_b) })
                .await
                .unwrap_or_else(|_| panic!("round {round} hangs"))
        });
        // Whoever saw the cycle says so; nobody waits for ever.
        assert!(from_a.is_ok() && from_b.is_ok());
    }
    runtime.shutdown_blocking();
}

#[test]
fn a_pool_with_a_free_member_can_be_asked_by_one_of_its_own() {
    virtual_time(async |runtime| {
        let pool = AgentOptions::default().pool(Pool::Shared(2));
        let a = runtime.spawn("a", pool, || Asker).unwrap();
        // "a" asks itself with `next: b`, which does not exist: the other member answers.
        let answer = a.ask(|reply| AskNext { next: "a", reply }).await.unwrap();
        assert_eq!(answer, Ok(1));
        runtime.stop_and_wait("a").await;
    });
}

#[test]
fn an_answer_may_come_from_another_task_late_or_too_late() {
    struct Later;
    struct In(Duration, Reply<&'static str>);
    impl Message for In {}
    impl Agent for Later {
        type Message = In;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, In(delay, reply): In, _: &mut Context<Self>) -> Result<(), Self::Error> {
            tokio::task::spawn_local(async move {
                tokio::time::sleep(delay).await;
                reply.send("here");
            });
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let agent = runtime.spawn("agent", AgentOptions::default(), || Later).unwrap();
        let ask = |millis| {
            let delay = Duration::from_millis(millis);
            agent.ask(move |reply| In(delay, reply)).timeout(Duration::from_millis(100))
        };
        assert!(matches!(ask(90).await, Ok("here")));
        assert!(matches!(ask(110).await, Err(AskError::Timeout)));
        // The one that came too late harms nobody.
        runtime.advance(Duration::from_millis(100)).await;
        assert!(matches!(ask(10).await, Ok("here")));
        assert!(runtime.dead_letters().is_empty(), "all were handled");
        runtime.stop_and_wait("agent").await;
        assert!(matches!(ask(10).await, Err(AskError::Closed(_))));
    });
}

#[test]
fn a_question_can_be_asked_from_any_thread() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default());
    let plain = agent.clone();
    let plain = std::thread::spawn(move || {
        let ask = plain.ask(Do::Count).timeout(Duration::from_secs(20));
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ask)
    });
    assert!(plain.join().unwrap().is_ok());
    let program = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = program.handle().clone();
    let blocking = program.spawn_blocking(move || {
        handle.block_on(async { agent.ask(Do::Count).timeout(Duration::from_secs(20)).await })
    });
    assert_eq!(program.block_on(blocking).unwrap(), Ok(2));
    runtime.shutdown_blocking();
}

#[test]
fn what_outlives_its_asker_is_handled_although_nobody_waits() {
    struct Must(Reply<()>);
    impl Message for Must {
        fn outlives_its_asker(&self) -> bool {
            true
        }
    }
    struct Doer(std::sync::Arc<std::sync::atomic::AtomicU32>);
    impl Agent for Doer {
        type Message = Must;
        type Error = std::convert::Infallible;
        async fn handle(&mut self, must: Must, _: &mut Context<Self>) -> Result<(), Self::Error> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            must.0.send(());
            Ok(())
        }
    }
    virtual_time(async |runtime| {
        let done = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let kept = done.clone();
        let agent = runtime.spawn("doer", AgentOptions::default(), move || Doer(kept.clone())).unwrap();
        agent.pause().unwrap();
        runtime.settle().await;
        let timed_out = agent.ask(Must).timeout(Duration::from_millis(5)).await;
        assert!(matches!(timed_out, Err(AskError::Timeout)));
        agent.resume().unwrap();
        runtime.stop_and_wait("doer").await;
        assert_eq!(done.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert!(runtime.dead_letters().is_empty());
    });
}
