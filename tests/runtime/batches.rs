//! Messages of one key, handed over together.

use std::time::Duration;

use statim::prelude::*;
use statim::testing::{Probe, virtual_time};

#[derive(Debug, PartialEq)]
struct Row(&'static str, u32);
impl Message for Row {
    fn priority(&self) -> Priority {
        if self.0 == "urgent" { Priority::Critical } else { Priority::Low }
    }
    fn batch_key(&self) -> Option<Key> {
        (self.0 != "urgent").then(|| Key::of(self.0))
    }
}

#[test]
fn a_batch_waits_for_its_linger_or_until_it_is_full() {
    virtual_time(async |runtime| {
        let batch = BatchOptions::up_to(4).linger(Duration::from_millis(100));
        let (agent, log) = Probe::spawn(runtime, "rows", AgentOptions::default().batch(batch)).unwrap();
        for n in 0..3 {
            agent.tell(Row("a", n)).await.unwrap();
        }
        runtime.advance(Duration::from_millis(99)).await;
        assert!(log.is_empty(), "its time is not up and it is not full");
        runtime.advance(Duration::from_millis(2)).await;
        assert_eq!(log.take(), [Row("a", 0), Row("a", 1), Row("a", 2)]);
        for n in 0..4 {
            agent.tell(Row("b", n)).await.unwrap();
        }
        runtime.advance(Duration::from_millis(2)).await;
        assert_eq!(log.take_batch_sizes(), [3, 4], "a full batch does not wait");
        runtime.stop_and_wait("rows").await;
    });
}

#[test]
fn keys_do_not_mix_and_keep_their_order() {
    virtual_time(async |runtime| {
        let batch = BatchOptions::up_to(10);
        let (agent, log) = Probe::spawn(runtime, "rows", AgentOptions::default().batch(batch)).unwrap();
        agent.pause().unwrap();
        runtime.settle().await;
        for n in 0..12 {
            agent.tell(Row(["a", "b", "c"][n as usize % 3], n)).await.unwrap();
        }
        agent.resume().unwrap();
        runtime.stop_and_wait("rows").await;
        assert_eq!(log.take_batch_sizes(), [4, 4, 4]);
        let rows = log.take();
        for key in ["a", "b", "c"] {
            let of_key: Vec<_> = rows.iter().filter(|row| row.0 == key).map(|row| row.1).collect();
            assert!(of_key.is_sorted(), "{rows:?}");
        }
    });
}

#[test]
fn a_lingering_batch_is_handed_over_when_its_agent_drains() {
    virtual_time(async |runtime| {
        let batch = BatchOptions::up_to(100).linger(Duration::from_secs(3_600));
        let (agent, log) = Probe::spawn(runtime, "rows", AgentOptions::default().batch(batch)).unwrap();
        agent.tell(Row("a", 1)).await.unwrap();
        runtime.advance(Duration::from_secs(60)).await;
        assert!(log.is_empty());
        runtime.stop_and_wait("rows").await;
        assert_eq!(log.take(), [Row("a", 1)]);
    });
}

/// Handles one by one, slowly, by the default of `handle_batch`.
struct Slow(std::sync::Arc<std::sync::Mutex<Vec<(&'static str, u32)>>>);
impl Agent for Slow {
    type Message = Row;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, row: Row, _: &mut Context<Self>) -> Result<(), Self::Error> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.0.lock().unwrap().push((row.0, row.1));
        Ok(())
    }
}

#[test]
fn an_urgent_message_comes_between_the_messages_of_a_batch() {
    virtual_time(async |runtime| {
        let log = std::sync::Arc::<std::sync::Mutex<Vec<_>>>::default();
        let kept = log.clone();
        let batch = AgentOptions::default().batch(BatchOptions::up_to(100));
        let agent = runtime.spawn("slow", batch, move || Slow(kept.clone())).unwrap();
        for n in 0..10 {
            agent.tell(Row("a", n)).await.unwrap();
        }
        runtime.advance(Duration::from_millis(25)).await;
        agent.tell(Row("urgent", 0)).await.unwrap();
        runtime.stop_and_wait("slow").await;
        let order = log.lock().unwrap().clone();
        assert_eq!(order[3], ("urgent", 0), "{order:?}");
        let rest: Vec<_> = order.iter().filter(|row| row.0 == "a").map(|row| row.1).collect();
        assert_eq!(rest, (0..10).collect::<Vec<_>>(), "and nothing is lost or out of order");
    });
}
