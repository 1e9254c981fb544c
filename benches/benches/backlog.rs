//! Does a message cost more when more are queued? `cargo bench -p statim-bench --bench backlog [-- --json FILE]`.
//!
//! Sends 1,000, 20,000 and 1,000,000 messages of mixed priorities to one agent that is held, so that the whole backlog
//! is there, lets go, and waits for the last. Reported per message, from the first send to the last handled, with the
//! order inside each priority checked: the Python processor that Statim replaces took ten times as long per message at
//! 20,000 as at 1,000, and broke the order 186 times in 200.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use statim::prelude::*;
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;

/// Depths of the backlog.
const DEPTHS: [u64; 3] = [1_000, 20_000, 1_000_000];
/// Each depth is repeated until this many messages have been sent.
const MESSAGES: u64 = 2_000_000;

/// Measures the cost of a message against the depth of its queue.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    output: Output,
}

enum Work {
    /// Holds the agent until the backlog is complete.
    Hold(mpsc::Receiver<()>),
    Count(Priority, u64),
    Finish(Reply<u64>),
}

impl Message for Work {
    fn priority(&self) -> Priority {
        match self {
            Work::Hold(_) => Priority::Critical,
            Work::Count(priority, _) => *priority,
            Work::Finish(_) => Priority::Low,
        }
    }
}

/// Counts how often a message came before one that was sent earlier at the same priority.
#[derive(Default)]
struct Counter {
    last: [u64; Priority::COUNT],
    inversions: u64,
}

impl Agent for Counter {
    type Message = Work;
    type Error = Infallible;

    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Infallible> {
        match work {
            // Blocking the thread is the point: nothing is taken while the backlog builds up.
            Work::Hold(until) => drop(until.recv()),
            Work::Count(priority, number) => {
                let last = &mut self.last[priority.lane()];
                self.inversions += u64::from(number < *last);
                *last = number;
            }
            Work::Finish(reply) => reply.send(self.inversions),
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let machine = Machine::look();
    println!("{:>10} {:>12} {:>12} {:>11}", "backlog", "ns/message", "messages/s", "inversions");
    let mut results = Vec::new();
    for depth in DEPTHS {
        let (nanos, inversions) = measure(depth);
        println!("{depth:>10} {nanos:>12.1} {:>12.0} {inversions:>11}", 1e9 / nanos);
        results.push(json!({
            "workload": format!("backlog_{depth}"), "system": "statim", "ns_per_op": nanos, "spread": null,
            "inversions": inversions,
        }));
    }
    let written = arguments.output.write(|| json!({ "machine": machine, "results": results }));
    command::exit("backlog", written)
}

/// Nanoseconds a message, and messages out of order, over as many rounds as make up [`MESSAGES`].
fn measure(depth: u64) -> (f64, u64) {
    let rounds = MESSAGES / depth;
    let (mut took, mut inversions) = (Duration::ZERO, 0);
    let runtime = Runtime::builder().arbiters(1).start().expect("threads can be started");
    for round in 0..rounds {
        let options = AgentOptions::default().capacity(depth as usize + 2).reserve(0);
        let name = format!("counter-{round}");
        let counter = runtime.spawn(&name, options, Counter::default).expect("the name is free");
        let (release, hold) = mpsc::channel();
        let began = Instant::now();
        counter.try_tell(Work::Hold(hold)).expect("there is room");
        for number in 1..=depth {
            let priority = Priority::ALL[number as usize % Priority::COUNT];
            counter.try_tell(Work::Count(priority, number)).expect("there is room");
        }
        drop(release);
        inversions += runtime.block_on(async { counter.ask(Work::Finish).await }).expect("it answers");
        took += began.elapsed();
        runtime.block_on(runtime.stop_and_wait(&name));
    }
    runtime.shutdown_blocking();
    (took.as_nanos() as f64 / (rounds * depth) as f64, inversions)
}
