//! What becomes of an agent that is offered more than it can handle: `cargo bench -p statim-bench --bench overload
//! [-- --quick] [--json FILE]`.
//!
//! One agent, whose messages take 20 microseconds of processor time each, is offered 1, 2 and 10 times what it can
//! handle, mostly bulk, by an open-model sender: a slow agent does not slow it down. Each load is run against a mailbox
//! that refuses what does not fit, against one with admission control, and against that one behind a guarded link. Every
//! message is accounted for; a run whose account does not add up fails.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hint::spin_loop;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use serde::Serialize;
use serde_json::json;
use statim::link::LinkEnd;
use statim::prelude::*;
use statim::resilience::{AdmissionOptions, BreakerOptions};
use statim::{Link, LinkOptions};
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;

/// What a message takes.
const SERVICE: Duration = Duration::from_micros(20);
/// What is offered, in multiples of what can be handled.
const LOADS: [u64; 3] = [1, 2, 10];
/// Of Critical, High, Normal and Low, in hundredths. Ten times the load leaves Critical and High at half of what can be
/// handled.
const MIX: [u64; Priority::COUNT] = [1, 4, 15, 80];
/// A message that took longer is handled too late to be of use.
const IN_TIME: Duration = Duration::from_millis(100);
/// Not measured: until then it may settle.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measures goodput, latency and what is refused under overload. Exit status: 0 measured, 1 an account does not add up.
#[derive(Debug, Parser)]
struct Arguments {
    /// One second a run instead of five: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Reject,
    Admission,
    Linked,
}

impl System {
    const ALL: [Self; 3] = [Self::Reject, Self::Admission, Self::Linked];

    fn name(self) -> &'static str {
        match self {
            Self::Reject => "statim, a bounded mailbox",
            Self::Admission => "statim, admission control",
            Self::Linked => "statim, admission control and a link",
        }
    }

    fn options(self) -> AgentOptions {
        let options = AgentOptions::default().overflow(Overflow::Reject).placement(Placement::Own);
        match self {
            Self::Reject => options,
            Self::Admission | Self::Linked => options.admission(AdmissionOptions::default()),
        }
    }
}

/// One run. Scripts rely on the first four keys.
#[derive(Debug, Serialize)]
struct Figure {
    workload: String,
    system: &'static str,
    /// Of a message handled.
    ns_per_op: f64,
    spread: Option<f64>,
    /// Messages handled a second.
    goodput: f64,
    /// Of these, handled within [`IN_TIME`] of being sent.
    in_time: f64,
    /// Goodput in terms of the best of this system's runs.
    of_peak: f64,
    offered: u64,
    handled: u64,
    dropped: BTreeMap<Reason, u64>,
    refused_by_link: u64,
    /// The share of each priority that was refused.
    refused: BTreeMap<Priority, f64>,
    latency_ms: BTreeMap<Priority, Latency>,
    /// How far the sender fell behind its plan, at worst. Above a few milliseconds, the load was not what it says.
    lag_ms: f64,
}

/// From the send to the end of handling.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

struct Job {
    priority: Priority,
    sent_at: Instant,
}

impl Message for Job {
    fn priority(&self) -> Priority {
        self.priority
    }
}

struct Server {
    in_time: Arc<AtomicU64>,
}

impl Agent for Server {
    type Message = Job;
    type Error = Infallible;

    async fn handle(&mut self, job: Job, _: &mut Context<Self>) -> Result<(), Infallible> {
        let began = Instant::now();
        while began.elapsed() < SERVICE {
            spin_loop();
        }
        if job.sent_at.elapsed() <= IN_TIME {
            self.in_time.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    command::exit("overload", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let machine = Machine::look();
    let time = Duration::from_secs(if arguments.quick { 1 } else { 5 });
    let mut figures = Vec::new();
    for system in System::ALL {
        let began = figures.len();
        for load in LOADS {
            eprintln!("measuring {} at {load} times its capacity ...", system.name());
            figures.push(measure(system, load, time)?);
        }
        let peak = figures[began..].iter().map(|figure: &Figure| figure.goodput).fold(0.0, f64::max);
        figures[began..].iter_mut().for_each(|figure| figure.of_peak = figure.goodput / peak);
    }
    print(&figures);
    arguments.output.write(|| json!({ "machine": machine, "results": figures }))
}

fn measure(system: System, load: u64, time: Duration) -> Result<Figure, String> {
    let runtime = Runtime::builder().arbiters(1).start().map_err(|error| error.to_string())?;
    let in_time = Arc::new(AtomicU64::new(0));
    let its = Arc::clone(&in_time);
    let agent = runtime
        .spawn("server", system.options(), move || Server { in_time: Arc::clone(&its) })
        .map_err(|error| error.to_string())?;
    let link = match system {
        System::Linked => {
            let options = LinkOptions::default().breaker(BreakerOptions::default());
            Some(agent.guarded("load", &options).map_err(|error| error.to_string())?)
        }
        System::Reject | System::Admission => None,
    };
    let done = || {
        let handled = runtime.snapshot().agent("server").map_or(0, |agent| agent.handled);
        (handled, in_time.load(Ordering::Relaxed), Instant::now())
    };
    let mut sender = Sender::new(&agent, link.as_ref(), load);
    sender.send_for(WARM_UP);
    let before = done();
    sender.send_for(time);
    let after = done();
    // What was admitted is handled, so that the account can be closed.
    while agent.depth() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let Sender { offered, refused, lag, .. } = sender;
    // The last message may be in the handler's hands.
    std::thread::sleep(Duration::from_millis(20));
    let snapshot = runtime.snapshot().agent("server").cloned().ok_or("the agent is gone")?;
    let link = link.as_ref().map(Link::snapshot);
    let refused_by_link = link.as_ref().map_or(0, |link| link.refused());
    let sum = snapshot.handled + snapshot.dropped.values().sum::<u64>() + refused_by_link;
    let all: u64 = offered.iter().sum();
    if sum != all || link.as_ref().is_some_and(|link| link.ended(LinkEnd::Passed) != snapshot.handled) {
        return Err(format!("of {all} messages {sum} are accounted for: {snapshot:?}, {link:?}"));
    }
    let seconds = (after.2 - before.2).as_secs_f64();
    let goodput = (after.0 - before.0) as f64 / seconds;
    let millis = |nanos: u64| nanos as f64 / 1e6;
    let figure = Figure {
        workload: format!("overload_{load}x"),
        system: system.name(),
        ns_per_op: 1e9 / goodput,
        spread: None,
        goodput,
        in_time: (after.1 - before.1) as f64 / seconds,
        of_peak: 1.0,
        offered: all,
        handled: snapshot.handled,
        dropped: snapshot.dropped,
        refused_by_link,
        refused: Priority::ALL
            .map(|it| (it, refused[it.lane()] as f64 / offered[it.lane()].max(1) as f64))
            .into(),
        latency_ms: snapshot
            .latency
            .iter()
            .map(|(priority, latency)| {
                let it = &latency.end_to_end;
                (*priority, Latency { p50: millis(it.p50), p99: millis(it.p99), max: millis(it.max) })
            })
            .collect(),
        lag_ms: lag.as_secs_f64() * 1e3,
    };
    runtime.shutdown_blocking();
    Ok(figure)
}

/// Sends by the clock, a burst each millisecond, whatever becomes of it.
struct Sender<'a> {
    agent: &'a AgentRef<Job>,
    link: Option<&'a Link<Job>>,
    burst: u64,
    next: Instant,
    number: u64,
    offered: [u64; Priority::COUNT],
    refused: [u64; Priority::COUNT],
    lag: Duration,
}

impl<'a> Sender<'a> {
    fn new(agent: &'a AgentRef<Job>, link: Option<&'a Link<Job>>, load: u64) -> Self {
        let burst = load * (Duration::from_millis(1).as_nanos() / SERVICE.as_nanos()) as u64;
        let (offered, refused) = ([0; Priority::COUNT], [0; Priority::COUNT]);
        Self { agent, link, burst, next: Instant::now(), number: 0, offered, refused, lag: Duration::ZERO }
    }

    fn send_for(&mut self, time: Duration) {
        let ends = Instant::now() + time;
        self.next = Instant::now();
        while self.next < ends {
            let now = Instant::now();
            std::thread::sleep(self.next.saturating_duration_since(now));
            self.lag = self.lag.max(Instant::now().saturating_duration_since(self.next));
            (0..self.burst).for_each(|_| self.send());
            self.next += Duration::from_millis(1);
        }
    }

    fn send(&mut self) {
        // Each hundred in the shares of the mix, well mixed: 37 has no factor in common with it.
        self.number += 1;
        let place = self.number * 37 % 100;
        let lane = (0..Priority::COUNT).find(|&lane| place < MIX[..=lane].iter().sum()).unwrap_or(3);
        let job = Job { priority: Priority::ALL[lane], sent_at: Instant::now() };
        let refused = match self.link {
            Some(link) => link.try_tell(job).is_err(),
            None => self.agent.try_tell(job).is_err(),
        };
        self.offered[lane] += 1;
        self.refused[lane] += u64::from(refused);
    }
}

fn print(figures: &[Figure]) {
    println!("\nLatency is from the send to the end of handling. In time: within {IN_TIME:?}.");
    for group in figures.chunk_by(|a, b| a.system == b.system) {
        println!("\n{}", group[0].system);
        println!(
            "  {:<14} {:>11} {:>8} {:>11} {:>13} {:>13} {:>13} {:>13} {:>8}",
            "load",
            "handled/s",
            "of peak",
            "in time/s",
            "critical p99",
            "high p99",
            "normal p99",
            "low p99",
            "lag ms"
        );
        for figure in group {
            let p99 = |priority| figure.latency_ms.get(&priority).map_or(f64::NAN, |it: &Latency| it.p99);
            let [critical, high, normal, low] = Priority::ALL.map(p99);
            println!(
                "  {:<14} {:>11.0} {:>8.3} {:>11.0} {critical:>10.3} ms {high:>10.3} ms {normal:>10.3} ms {low:>10.3} ms {:>8.1}",
                figure.workload, figure.goodput, figure.of_peak, figure.in_time, figure.lag_ms
            );
            let share = |priority| figure.refused.get(&priority).map_or(0.0, |share: &f64| share * 100.0);
            let [critical, high, normal, low] = Priority::ALL.map(share);
            println!(
                "  {:<14} {critical:.1} % of Critical, {high:.1} % of High, {normal:.1} % of Normal, {low:.1} % of Low; {:?}",
                "  refused", figure.dropped
            );
        }
    }
}
