//! The bound holds, whoever sends and however.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use statim::prelude::*;

use crate::support::{Desk, Do, eventually};

/// An agent of capacity 16 in a handler that does not end.
fn blocked(runtime: &RuntimeHandle, desk: &Desk, options: AgentOptions) -> AgentRef<Do> {
    let agent = desk.spawn(runtime, "blocked", options.capacity(16).reserve(0));
    agent.try_tell(Do::Hold(0)).unwrap();
    eventually("the agent takes its first message", || agent.depth() == 0);
    agent
}

#[test]
fn a_blocked_agent_holds_exactly_its_capacity_under_try_tell_and_clones() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default());
    let accepted = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (agent, accepted) = (agent.clone(), Arc::clone(&accepted));
            std::thread::spawn(move || {
                for n in 0..1_000 {
                    // A fresh clone each time: a clone must not bring a place of its own.
                    if agent.clone().try_tell(Do::Note(Priority::Normal, n)).is_ok() {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(accepted.load(Ordering::Relaxed), 16);
    assert_eq!(agent.depth(), 16);
    desk.gate.add_permits(1);
    runtime.shutdown_blocking();
    assert_eq!(desk.notes().len(), 17, "the sixteen and the one in hand");
}

#[test]
fn a_thousand_waiting_tells_never_exceed_the_capacity_and_all_get_in() {
    let runtime = Runtime::builder().arbiters(2).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default());
    let senders = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tells: Vec<_> = (0..1_000)
        .map(|n| {
            let agent = agent.clone();
            senders.spawn(async move { agent.tell(Do::Note(Priority::Normal, n)).await.is_ok() })
        })
        .collect();
    eventually("the mailbox fills", || agent.depth() == 16);
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(agent.depth(), 16);
    }
    desk.gate.add_permits(1);
    let watcher = agent.clone();
    let watched = std::thread::spawn(move || {
        let mut deepest = 0;
        while !watcher.is_closed() {
            deepest = deepest.max(watcher.depth());
        }
        deepest
    });
    for tell in tells {
        assert!(senders.block_on(tell).unwrap());
    }
    let report = runtime.shutdown_blocking();
    assert!(report.drained, "{report:?}");
    assert!(watched.join().unwrap() <= 16);
    assert_eq!(desk.notes().len(), 1_001);
}

#[test]
fn bulk_never_fills_the_reserve() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = desk.spawn(&runtime, "reserved", AgentOptions::default().capacity(16).reserve(4));
    agent.try_tell(Do::Hold(0)).unwrap();
    eventually("the agent takes its first message", || agent.depth() == 0);
    let count = |priority| (0..100).filter(|n| agent.try_tell(Do::Note(priority, *n)).is_ok()).count();
    assert_eq!(count(Priority::Low), 12);
    assert_eq!(count(Priority::Normal), 0);
    assert_eq!(count(Priority::High), 4);
    assert_eq!(count(Priority::Critical), 0, "full is full");
    desk.gate.add_permits(1);
    runtime.shutdown_blocking();
}

#[test]
fn a_refused_message_comes_back() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default().overflow(Overflow::Reject));
    for n in 0..16 {
        agent.try_tell(Do::Note(Priority::Normal, n)).unwrap();
    }
    let refused = runtime.block_on(async { agent.tell(Do::Note(Priority::Normal, 99)).await });
    match refused {
        Err(TellError::Full(Do::Note(_, 99))) => {}
        other => panic!("{other:?}"),
    }
    desk.gate.add_permits(1);
    runtime.shutdown_blocking();
}

#[test]
fn shedding_removes_the_newest_of_the_least_urgent_and_says_so() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default().overflow(Overflow::ShedLeastUrgent));
    for n in 0..8 {
        agent.try_tell(Do::Note(Priority::Normal, 100 + n)).unwrap();
        agent.try_tell(Do::Note(Priority::Low, 200 + n)).unwrap();
    }
    agent.try_tell(Do::Note(Priority::Critical, 1)).unwrap();
    agent.try_tell(Do::Note(Priority::High, 2)).unwrap();
    let low = agent.try_tell(Do::Note(Priority::Low, 3));
    assert!(matches!(low, Err(TryTellError::Full(_))), "nothing is less urgent than Low");
    assert_eq!(agent.depth(), 16);
    desk.gate.add_permits(1);
    let letters = runtime.handle().clone();
    runtime.shutdown_blocking();
    let notes = desk.notes();
    assert!(!notes.contains(&207) && !notes.contains(&206), "{notes:?}");
    assert!(notes.contains(&205));
    let shed: Vec<_> = letters.dead_letters().into_iter().map(|letter| letter.reason).collect();
    assert_eq!(shed, [Reason::Shed, Reason::Shed]);
}

#[test]
fn a_sender_whose_deadline_passes_while_it_waits_has_its_message_back() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default());
    for n in 0..16 {
        agent.try_tell(Do::Note(Priority::Normal, n)).unwrap();
    }
    let late = agent.tell(Do::Note(Priority::Normal, 77)).deadline(Duration::from_millis(20));
    // On an executor that has no timers of its own.
    match futures_util::future::FutureExt::now_or_never(async {}).map(|()| wait(late)) {
        Some(Err(TellError::Expired(Do::Note(_, 77)))) => {}
        other => panic!("{other:?}"),
    }
    desk.gate.add_permits(1);
    runtime.shutdown_blocking();
    assert!(!desk.notes().contains(&77));
}

/// A bare executor: no Tokio, no timers.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn tell_blocking_waits_for_room() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let desk = Desk::new();
    let agent = blocked(&runtime, &desk, AgentOptions::default());
    for n in 0..16 {
        agent.try_tell(Do::Note(Priority::Normal, n)).unwrap();
    }
    let sender = {
        let agent = agent.clone();
        std::thread::spawn(move || agent.tell_blocking(Do::Note(Priority::Normal, 50)).is_ok())
    };
    std::thread::sleep(Duration::from_millis(20));
    assert!(!sender.is_finished());
    desk.gate.add_permits(1);
    assert!(sender.join().unwrap());
    runtime.shutdown_blocking();
    assert!(desk.notes().contains(&50));
}
