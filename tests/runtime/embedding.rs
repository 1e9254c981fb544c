//! A runtime inside somebody else's program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use statim::prelude::*;

use crate::support::{Counter, Desk, Do, Tick, eventually};

const fn is_send_sync_clone<T: Send + Sync + Clone>() {}
const fn is_send<T: Send>() {}
const _: () = {
    is_send_sync_clone::<AgentRef<Do>>();
    is_send_sync_clone::<RuntimeHandle>();
    is_send::<Runtime>();
    is_send::<statim::Tell<'static, Do>>();
    is_send::<statim::Ask<'static, Do, u64>>();
    is_send::<Reply<u64>>();
    is_send::<AskError<Do>>();
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_starts_and_ends_inside_a_multi_threaded_tokio_program() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default());
    let asks = (0..100).map(|_| {
        let agent = agent.clone();
        tokio::spawn(async move { agent.ask(Do::Count).await.unwrap() })
    });
    let mut answers = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        answers.push(ask.await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers, (1..=100).collect::<Vec<_>>());
    assert!(runtime.shutdown().await.drained);
}

#[tokio::test]
async fn a_runtime_starts_and_ends_inside_a_single_threaded_tokio_program() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default());
    assert_eq!(agent.ask(Do::Count).await, Ok(1));
    assert!(runtime.shutdown().await.drained);
}

#[test]
fn a_runtime_in_a_plain_main_needs_no_tokio() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default());
    assert_eq!(runtime.block_on(async { agent.ask(Do::Count).await }), Ok(1));
    // Timers work on an executor that has none.
    let slow = agent.ask(Do::Ignore).timeout(std::time::Duration::from_secs(5));
    assert_eq!(runtime.block_on(slow), Err(AskError::NoReply));
    assert!(runtime.shutdown_blocking().drained);
}

#[test]
fn several_runtimes_in_one_process_do_not_know_of_each_other() {
    let runtimes: Vec<_> = (0..4).map(|_| Runtime::builder().arbiters(1).start().unwrap()).collect();
    let counts: Vec<_> = runtimes
        .iter()
        .map(|runtime| {
            let count = Arc::new(AtomicU64::new(0));
            let kept = count.clone();
            let agent =
                runtime.spawn("same", AgentOptions::default(), move || Counter(kept.clone())).unwrap();
            agent.try_tell(Tick).unwrap();
            count
        })
        .collect();
    for count in &counts {
        eventually("its own agent counts", || count.load(Ordering::Relaxed) == 1);
    }
    for runtime in runtimes {
        runtime.shutdown_blocking();
    }
}

#[test]
fn a_dropped_runtime_ends_its_threads_and_tells_those_who_wait() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "agent", AgentOptions::default().capacity(1).reserve(0));
    agent.try_tell(Do::Hold(0)).unwrap();
    eventually("the agent takes its first message", || agent.depth() == 0);
    let asker = {
        let agent = agent.clone();
        std::thread::spawn(move || {
            let program = tokio::runtime::Builder::new_current_thread().build().unwrap();
            program.block_on(async { agent.ask(Do::Count).await })
        })
    };
    eventually("the question is queued", || agent.depth() == 1);
    drop(runtime);
    assert!(asker.join().unwrap().is_err());
    eventually("the agent is closed", || agent.is_closed());
}
