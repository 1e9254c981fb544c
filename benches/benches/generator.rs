//! How many messages a second the load generator makes: `cargo bench -p statim-bench --bench generator -- [--quick]
//! [--workers N] [--json FILE]`.
//!
//! Three targets: one that ends every message at once through its completion, one whose future is ready at once, and one
//! agent whose messages carry their completion. Each is offered a constant rate for a while, then twice as much, until
//! the generator no longer keeps up: until its lag's 99th percentile is above its bound, or something failed, was
//! dropped or was not completed. What it kept up with last is the figure.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde::Serialize;
use statim::load::{
    Arrivals, Completion, ErrorClass, Kind, Load, LoadResult, Outcome, Request, Scenario, Target,
};
use statim::prelude::*;
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;

/// Measures the load generator. Exit status: 0 measured, 1 something failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// Two seconds a rate instead of five: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Threads that send
    #[arg(long, value_name = "N", default_value_t = 1)]
    workers: usize,
    /// Messages a second of the first rate
    #[arg(long, value_name = "RATE", default_value_t = 250_000.0)]
    from: f64,
    /// Draw arrivals by chance instead of at equal distances
    #[arg(long)]
    poisson: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    workers: usize,
    poisson: bool,
    seconds: u64,
    results: Vec<Figure>,
}

#[derive(Debug, Serialize)]
struct Figure {
    target: &'static str,
    /// Messages a second that it kept up with last; 0 if with none.
    sustained: f64,
    runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Run {
    offered: f64,
    completed: f64,
    dropped: u64,
    lag_p99_ms: f64,
    latency_p50_us: f64,
    latency_p99_us: f64,
    cpu_percent: Option<f64>,
    kept_up: bool,
}

fn main() -> ExitCode {
    command::exit("generator", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let machine = Machine::look();
    print!("{}", machine.heading());
    let runtime = Runtime::builder().start().map_err(|error| error.to_string())?;
    let agent = runtime
        .spawn("counter", AgentOptions::default().capacity(200_000), || Counter)
        .map_err(|error| error.to_string())?;
    let results = vec![
        climb(arguments, "completion", || AtOnce)?,
        climb(arguments, "future", || Ready)?,
        climb(arguments, "agent", || One(agent.clone()))?,
    ];
    runtime.shutdown_blocking();
    let (workers, poisson, seconds) = (arguments.workers, arguments.poisson, seconds(arguments));
    arguments.output.write(|| Report { machine, workers, poisson, seconds, results })
}

fn seconds(arguments: &Arguments) -> u64 {
    if arguments.quick { 2 } else { 5 }
}

fn climb<T: Target>(
    arguments: &Arguments,
    name: &'static str,
    target: impl Fn() -> T,
) -> Result<Figure, String> {
    println!("\n{name}");
    println!("  offered/s  completed/s  dropped  lag p99 ms  p50 us   p99 us   cpu %");
    let mut figure = Figure { target: name, sustained: 0.0, runs: Vec::new() };
    let mut rate = arguments.from;
    loop {
        let run = Run::of(&measure(arguments, rate, target())?);
        println!(
            "{:11.0} {:12.0} {:8} {:11.3} {:7.1} {:8.1} {:7.0}{}",
            run.offered,
            run.completed,
            run.dropped,
            run.lag_p99_ms,
            run.latency_p50_us,
            run.latency_p99_us,
            run.cpu_percent.unwrap_or(f64::NAN),
            if run.kept_up { "" } else { "  did not keep up" },
        );
        let kept_up = run.kept_up;
        if kept_up {
            figure.sustained = run.completed;
        }
        figure.runs.push(run);
        if !kept_up || rate > 5e7 {
            return Ok(figure);
        }
        rate *= 2.0;
    }
}

fn measure<T: Target>(arguments: &Arguments, rate: f64, target: T) -> Result<LoadResult, String> {
    let mut scenario = Scenario::new("generator", rate, Duration::from_secs(seconds(arguments) + 1));
    scenario.warm_up = Duration::from_secs(1);
    scenario.in_flight = 100_000;
    scenario.arrivals = if arguments.poisson { Arrivals::Poisson } else { Arrivals::Constant };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = tokio.map_err(|error| error.to_string())?;
    let measured = tokio.block_on(Load::new(scenario, target).workers(arguments.workers).run());
    Ok(measured.map_err(|error| error.to_string())?.result)
}

impl Run {
    fn of(result: &LoadResult) -> Self {
        let all = &result.results.all;
        let cpu: Vec<f64> = result
            .series
            .iter()
            .filter(|it| !it.warm_up && it.span_seconds >= 1.0)
            .filter_map(|it| it.cpu_percent)
            .collect();
        Self {
            offered: result.results.offered_rate,
            completed: all.throughput,
            dropped: result.results.dropped_sends,
            lag_p99_ms: result.generator.lag_ms.p99,
            latency_p50_us: all.percentiles.p50 * 1e3,
            latency_p99_us: all.percentiles.p99 * 1e3,
            cpu_percent: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
            kept_up: result.generator.passed && all.failed_requests == 0,
        }
    }
}

fn kind() -> Vec<Kind> {
    vec![Kind::new("message", Priority::Normal)]
}

/// Ends every message through its completion.
struct AtOnce;

impl Target for AtOnce {
    fn kinds(&self) -> Vec<Kind> {
        kind()
    }

    async fn send(&self, _: Request) -> Outcome {
        Outcome::Done
    }

    fn start(&self, _: Request, completion: Completion) -> Result<(), Completion> {
        completion.finish(Outcome::Done);
        Ok(())
    }
}

/// Has every message's end ready at once.
struct Ready;

impl Target for Ready {
    fn kinds(&self) -> Vec<Kind> {
        kind()
    }

    async fn send(&self, request: Request) -> Outcome {
        std::hint::black_box(request);
        Outcome::Done
    }
}

/// Tells an agent.
struct One(AgentRef<Count>);

struct Count(Completion);

impl Message for Count {}

struct Counter;

impl Agent for Counter {
    type Message = Count;
    type Error = Infallible;

    async fn handle(&mut self, Count(completion): Count, _: &mut Context<Self>) -> Result<(), Infallible> {
        completion.finish(Outcome::Done);
        Ok(())
    }
}

impl Target for One {
    fn kinds(&self) -> Vec<Kind> {
        kind()
    }

    async fn send(&self, _: Request) -> Outcome {
        Outcome::Failed(ErrorClass::Other)
    }

    fn start(&self, _: Request, completion: Completion) -> Result<(), Completion> {
        if let Err(
            TryTellError::Full(count) | TryTellError::Overloaded(count) | TryTellError::Closed(count),
        ) = self.0.try_tell(Count(completion))
        {
            count.0.finish(Outcome::Failed(ErrorClass::Overloaded));
        }
        Ok(())
    }
}
