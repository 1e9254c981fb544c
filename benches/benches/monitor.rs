//! What watching costs: `cargo bench -p statim-bench --bench monitor -- [--quick] [--json FILE]`.
//!
//! A thousand agents pass tokens around a ring, as fast as the machine allows and so that every agent handles something
//! between any two looks. Rounds without a monitor and rounds with one at its default interval take turns, each round on
//! the same agents. Two figures come of it: the processor time of the monitor's thread as a share of one core, and
//! the throughput with the monitor over that without.
//!
//! A look is cheap, and one in thirty reads every histogram and is not. So a round that is not a whole number of those
//! intervals says too much or too little. Looks of both kinds are measured by themselves too, and the share that they
//! come to at the default intervals is the figure to quote; what the rounds show stands beside it, and so does what a scrape
//! of all histograms costs.

use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use clap::Parser;
use serde::Serialize;
use statim::monitor::{Monitor, MonitorOptions};
use statim::prelude::*;
use statim::telemetry::exposition::Format;
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;

/// Measures the monitor's cost. Exit status: 0 measured, 1 something failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds of a second: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Agents in the ring
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    agents: u32,
    /// Messages under way
    #[arg(long, value_name = "N", default_value_t = 64)]
    tokens: u32,
    /// Pairs of rounds, one with and one without the monitor
    #[arg(long, value_name = "N", default_value_t = 2)]
    pairs: usize,
    /// Seconds of a round; the default is the interval at which histograms are read, so that each round has one such look
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Measure each agent's processor time too: what that costs shows in the rate without the monitor
    #[arg(long)]
    cpu_time: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    agents: u32,
    /// Whether each agent's processor time was measured.
    cpu_time: bool,
    round_seconds: f64,
    /// Messages a second in each round without the monitor.
    without: Vec<f64>,
    /// The same with it.
    with: Vec<f64>,
    /// Median with over median without.
    throughput_ratio: f64,
    /// Processor time of the monitor's thread over time, in percent of one core, of each round with it.
    monitor_cpu_percent: Vec<f64>,
    /// Processor time of a look that reads no histograms, in milliseconds.
    look_cpu_ms: f64,
    /// The same of one that does.
    histogram_look_cpu_ms: f64,
    /// What these come to at the default intervals, in percent of one core.
    steady_cpu_percent: f64,
    /// Wall time of a look in the rounds, the mean of both kinds, in milliseconds.
    look_ms: f64,
    /// Wall time of a scrape of every histogram while the agents are at work, in milliseconds.
    scrape_ms: f64,
    /// How large that scrape is.
    scrape_bytes: usize,
}

struct Pass;

impl Message for Pass {
    fn priority(&self) -> Priority {
        Priority::Normal
    }
}

struct Member {
    number: usize,
    ring: Arc<OnceLock<Vec<AgentRef<Pass>>>>,
}

impl Agent for Member {
    type Message = Pass;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, pass: Pass, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if let Some(ring) = self.ring.get() {
            // There is always room: fewer messages are under way than a mailbox holds.
            let _ = ring[(self.number + 1) % ring.len()].try_tell(pass);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    command::exit("monitor", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let default = if arguments.quick { 1 } else { MonitorOptions::default().latency_interval.as_secs() };
    let round = Duration::from_secs(arguments.seconds.unwrap_or(default));
    let machine = Machine::look();
    let builder = Runtime::builder().cpu_time(arguments.cpu_time);
    let runtime = builder.start().map_err(|error| error.to_string())?;
    start(&runtime, arguments)?;
    // Histograms take their final size, and caches fill.
    std::thread::sleep(Duration::from_secs(1));

    let monitor = Monitor::new(&runtime, MonitorOptions::default());
    let (mut without, mut with, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.pairs.max(1) {
        without.push(rate(&runtime, round));
        let looking = monitor.start().map_err(|error| error.to_string())?;
        let before = monitor_cpu();
        let began = Instant::now();
        with.push(rate(&runtime, round));
        if let (Some(before), Some(after)) = (before, monitor_cpu()) {
            cpu.push((after - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0);
        }
        drop(looking);
    }
    let summary = monitor.scrape(Format::OpenMetrics);
    let began = Instant::now();
    let scrape = monitor.scrape(Format::OpenMetrics);
    let scrape_ms = began.elapsed().as_secs_f64() * 1e3;
    let look_cpu_ms = look_cpu(&runtime, Duration::MAX)?;
    let histogram_look_cpu_ms = look_cpu(&runtime, Duration::ZERO)?;
    let defaults = MonitorOptions::default();
    let more = histogram_look_cpu_ms - look_cpu_ms;
    let per_second =
        look_cpu_ms / defaults.interval.as_secs_f64() + more / defaults.latency_interval.as_secs_f64();
    let report = Report {
        look_cpu_ms,
        histogram_look_cpu_ms,
        steady_cpu_percent: per_second / 10.0,
        throughput_ratio: median(&with) / median(&without),
        look_ms: per_look(&summary),
        scrape_ms,
        scrape_bytes: scrape.len(),
        machine,
        agents: arguments.agents,
        cpu_time: arguments.cpu_time,
        round_seconds: round.as_secs_f64(),
        without,
        with,
        monitor_cpu_percent: cpu,
    };
    print!("{}", told(&report));
    drop(runtime);
    arguments.output.write(|| report)
}

fn start(runtime: &Runtime, arguments: &Arguments) -> Result<(), String> {
    let ring = Arc::new(OnceLock::new());
    let member = |number: usize| {
        let ring = Arc::clone(&ring);
        runtime.spawn(&format!("member-{number}"), AgentOptions::default(), move || Member {
            number,
            ring: Arc::clone(&ring),
        })
    };
    let members: Vec<_> =
        (0..arguments.agents as usize).map(member).collect::<Result<_, _>>().map_err(|it| it.to_string())?;
    let members = ring.get_or_init(|| members);
    for token in 0..arguments.tokens as usize {
        let place = token * members.len() / arguments.tokens.max(1) as usize;
        members[place].try_tell(Pass).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Processor time of a look, in milliseconds: the mean of some, after a first one, which reads all that there ever was. In
/// between the agents do what they do between two looks of the default interval.
fn look_cpu(runtime: &Runtime, latency_interval: Duration) -> Result<f64, String> {
    const LOOKS: u32 = 5;
    let monitor = Monitor::new(runtime, MonitorOptions { latency_interval, ..MonitorOptions::default() });
    let looks = std::thread::Builder::new().name("statim-looks".to_owned()).spawn(move || {
        monitor.look();
        let mut spent = Duration::ZERO;
        for _ in 0..LOOKS {
            std::thread::sleep(MonitorOptions::default().interval);
            let before = thread_cpu("statim-looks");
            monitor.look();
            spent += thread_cpu("statim-looks")
                .zip(before)
                .map_or(Duration::ZERO, |(after, before)| after - before);
        }
        spent
    });
    let spent = looks.map_err(|error| error.to_string())?.join().map_err(|_| "a look panicked".to_owned())?;
    Ok(spent.as_secs_f64() * 1e3 / f64::from(LOOKS))
}

/// Messages a second over a round.
fn rate(runtime: &Runtime, round: Duration) -> f64 {
    let handled = || runtime.snapshot().agents.iter().map(|agent| agent.handled).sum::<u64>();
    let (began, before) = (Instant::now(), handled());
    std::thread::sleep(round);
    let after = handled();
    (after - before) as f64 / began.elapsed().as_secs_f64()
}

fn monitor_cpu() -> Option<Duration> {
    thread_cpu("statim-monitor")
}

/// Processor time of the threads of this name, by the kernel's scheduler. Linux only.
fn thread_cpu(name: &str) -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?.filter_map(|thread| Some(thread.ok()?.path()));
    let named =
        threads.filter(|thread| fs::read_to_string(thread.join("comm")).is_ok_and(|it| it.trim() == name));
    let nanos = named.filter_map(|thread| {
        let text = fs::read_to_string(thread.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanos.sum()))
}

/// By the monitor's own metrics.
fn per_look(scrape: &str) -> f64 {
    let number =
        |name: &str| scrape.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    let seconds = number("statim_monitor_busy_seconds_total").unwrap_or(f64::NAN);
    seconds / number("statim_monitor_looks_total").unwrap_or(f64::NAN) * 1e3
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

fn told(report: &Report) -> String {
    let list = |values: &[f64], places: usize| {
        values.iter().map(|value| format!("{value:.places$}")).collect::<Vec<_>>().join(", ")
    };
    let millions = |values: &[f64]| list(&values.iter().map(|value| value / 1e6).collect::<Vec<_>>(), 3);
    format!(
        "{}\n{} agents in a ring, rounds of {} s\n\
         without the monitor   {} million messages a second\n\
         with the monitor      {} million messages a second\n\
         throughput ratio      {:.4}\n\
         monitor's processor   {} % of one core in the rounds\n\
         a look                {:.2} ms of a processor, {:.2} ms with histograms\n\
         at default intervals  {:.3} % of one core\n\
         a look                {:.2} ms (wall)\n\
         a scrape              {:.1} ms (wall), {} bytes\n",
        report.machine.heading(),
        report.agents,
        report.round_seconds,
        millions(&report.without),
        millions(&report.with),
        report.throughput_ratio,
        list(&report.monitor_cpu_percent, 3),
        report.look_cpu_ms,
        report.histogram_look_cpu_ms,
        report.steady_cpu_percent,
        report.look_ms,
        report.scrape_ms,
        report.scrape_bytes,
    )
}
