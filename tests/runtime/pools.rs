//! Several instances behind one address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::virtual_time;

use crate::support::{Desk, Do};

#[test]
fn a_shared_pool_works_on_as_many_messages_as_it_has_members() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "pool", AgentOptions::default().pool(Pool::Shared(4)));
        let began = tokio::time::Instant::now();
        for _ in 0..8 {
            agent.tell(Do::Sleep(Duration::from_secs(1))).await.unwrap();
        }
        runtime.stop_and_wait("pool").await;
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(2) && took < Duration::from_millis(2_100), "{took:?}");
    });
}

#[test]
fn a_pool_goes_on_when_one_member_fails() {
    virtual_time(async |runtime| {
        let desk = Desk::new();
        let agent = desk.spawn(runtime, "pool", AgentOptions::default().pool(Pool::Shared(2)));
        agent.tell(Do::Panic(u32::MAX)).await.unwrap();
        for n in 0..10 {
            agent.tell(Do::Note(Priority::Normal, n)).await.unwrap();
        }
        runtime.settle().await;
        assert_eq!(desk.notes(), (0..10).collect::<Vec<_>>());
        runtime.stop_and_wait("pool").await;
    });
}

struct Routed(&'static str, u32);
impl Message for Routed {
    fn key(&self) -> Option<Key> {
        Some(Key::of(self.0))
    }
}

type Seen = Arc<Mutex<HashMap<&'static str, Vec<(usize, u32)>>>>;

struct Member {
    seen: Seen,
    number: usize,
}
impl Agent for Member {
    type Message = Routed;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, m: Routed, _: &mut Context<Self>) -> Result<(), Self::Error> {
        tokio::time::sleep(Duration::from_millis(u64::from(m.1 % 7))).await;
        self.seen.lock().unwrap().entry(m.0).or_default().push((self.number, m.1));
        Ok(())
    }
}

#[test]
fn a_pool_by_key_keeps_each_key_with_one_member_and_in_order() {
    virtual_time(async |runtime| {
        let seen = Seen::default();
        let kept = seen.clone();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let agent = runtime
            .spawn("pool", AgentOptions::default().pool(Pool::ByKey(3)), move || Member {
                seen: kept.clone(),
                number: made.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            })
            .unwrap();
        let keys = ["ada", "ben", "cyd", "dee", "eva", "fay", "gil", "hal"];
        for n in 0..50 {
            for key in keys {
                agent.tell(Routed(key, n)).await.unwrap();
            }
        }
        runtime.stop_and_wait("pool").await;
        let seen = seen.lock().unwrap();
        let mut members = std::collections::HashSet::new();
        for key in keys {
            let of_key = &seen[key];
            members.insert(of_key[0].0);
            assert!(of_key.iter().all(|(member, _)| *member == of_key[0].0));
            assert!(of_key.iter().map(|(_, n)| *n).eq(0..50), "{key}");
        }
        assert_eq!(members.len(), 3, "eight keys reach all three members");
    });
}

#[test]
fn a_pool_under_a_stream_from_other_threads_stops_when_it_is_told_to() {
    let _machine = crate::support::the_machine();
    for _ in 0..20 {
        let runtime = Runtime::builder().arbiters(2).start().unwrap();
        let handled = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let count = handled.clone();
        let options = AgentOptions::default().pool(Pool::Shared(4));
        let pool = runtime.spawn("pool", options, move || crate::support::Counter(count.clone())).unwrap();
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                std::thread::spawn(move || while pool.tell_blocking(crate::support::Tick).is_ok() {})
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(5));
        let report = runtime.shutdown_blocking();
        assert!(report.drained, "{report:?}");
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    }
}
