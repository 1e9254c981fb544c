//! Random faults of receivers, restarts and values: whatever happens, each receiver hears in turn that something fires and
//! that it is over.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statim::alert::Status;
use statim::alert::sink::Sink;

use crate::bench::{Bench, Database, on_both, rule, setup};
use crate::receiver::{Answer, Line, Receiver, check_turns};

/// What a receiver that is told by its faults answers.
fn faulty(seed: u64) -> impl FnMut(&statim::alert::sink::Delivery) -> Answer + Send + 'static {
    let mut chance = StdRng::seed_from_u64(seed);
    move |_| match chance.random_range(0..10) {
        0 | 1 => Answer::Status(503, None),
        2 => Answer::Status(429, Some(Duration::from_millis(chance.random_range(0..20)))),
        3 | 4 => Answer::TakeAndBreak,
        _ => Answer::Take,
    }
}

fn lines(receiver: &Receiver) -> Vec<Line> {
    let taken = receiver.taken().into_iter();
    let lines = taken.flat_map(|it| {
        let new = it.notices.into_iter().filter(|(_, _, new)| *new);
        new.map(move |(key, status, _)| Line { id: it.id.clone(), key, status: status.as_str().to_owned() })
            .collect::<Vec<_>>()
    });
    lines.filter(|it| it.status != Status::Acknowledged.as_str()).collect()
}

on_both! {
    async fn whatever_fails_each_receiver_hears_of_beginnings_and_ends_in_turn(database: Database) {
        let rounds = std::env::var("STATIM_FAULT_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(4);
        let mut fired = 0;
        for seed in 0..rounds {
            fired += round(&database, seed).await;
        }
        assert!(fired > 20, "only {fired} fired");
    }
}

async fn round(database: &Database, seed: u64) -> usize {
    let mut chance = StdRng::seed_from_u64(seed ^ 0xA1E7);
    let receivers: Vec<_> = ["one", "other"].map(Receiver::new).into_iter().collect();
    for (index, receiver) in receivers.iter().enumerate() {
        receiver.answer(faulty(seed * 10 + index as u64));
    }
    let sinks = || receivers.iter().map(|it| Arc::clone(it) as Arc<dyn Sink>).collect::<Vec<_>>();
    let agents = ["a", "b", "c", "d"];
    let mut values = [1.0; 4];
    // Each round begins long after the one before it.
    let mut bench = Bench::open(database, setup(vec![rule()], sinks())).await.from(seed * 1_000_000);
    for _ in 0..60 {
        let which = chance.random_range(0..values.len());
        values[which] = if values[which] > 5.0 { 1.0 } else { 20.0 };
        let now: Vec<(&str, f64)> = agents.into_iter().zip(values).collect();
        bench.step(&now).await;
        if chance.random_range(0..3) == 0 {
            tokio::time::sleep(Duration::from_millis(chance.random_range(0..15))).await;
        }
        if chance.random_range(0..15) == 0 {
            let second = bench.close().await;
            bench = Bench::open(database, setup(vec![rule()], sinks())).await.from(second);
        }
    }
    for _ in 0..3 {
        bench.step(&agents.map(|agent| (agent, 1.0))).await;
    }
    bench.sent().await;
    bench.close().await;
    receivers.iter().map(|it| check_turns(&lines(it))).sum()
}
