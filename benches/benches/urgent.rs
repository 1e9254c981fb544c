//! How long an urgent message waits: `cargo bench -p statim-bench --bench urgent -- [--quick] [--json FILE]`.
//!
//! Part one keeps a mailbox 100,000 bulk messages deep, each 20 microseconds of work, and sends an urgent message every
//! millisecond. Part two puts the urgent agent among neighbours that keep every shared arbiter busy, once on an arbiter
//! of its own and once among them. Latencies run from the moment a message was due, so a sender that is held up leaves
//! nothing out; its own lateness stands beside them. `ns_per_op` in the JSON is the 99th percentile until handling
//! began.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use statim_bench::command::{self, Output};
use statim_bench::machine::{self, Machine};
use statim_bench::systems::{self, Visitor};
use statim_bench::urgent::{Arbiter, Load, Observed, Quantiles, behind_backlog, beside_neighbours, wake_up};
use statim_bench::{Fault, Placement, System, Verb};

/// Measures the latency of urgent messages under load. Exit status: 0 measured, 1 a system failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// Two seconds for each system: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Seconds for each system; the default is 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50))]
    seconds: Option<u64>,
    /// Bulk messages kept queued
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    depth: u64,
    /// Microseconds of work for each message
    #[arg(long, value_name = "N", default_value_t = 20)]
    service: u64,
    /// Busy neighbours on each shared arbiter
    #[arg(long, value_name = "N", default_value_t = 2)]
    neighbours: usize,
    /// Only systems whose name contains this
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// One line of the tables.
struct Line {
    workload: &'static str,
    system: String,
    version: Option<&'static str>,
    observed: Observed,
}

fn main() -> ExitCode {
    command::exit("urgent", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let seconds = arguments.seconds.unwrap_or(if arguments.quick { 2 } else { 10 });
    let load = Load {
        duration: Duration::from_secs(seconds),
        every: Duration::from_millis(1),
        service: Duration::from_micros(arguments.service),
        depth: arguments.depth,
    };
    let machine = Machine::look();
    let wake = wake_up(500).map_err(|fault| fault.to_string())?;
    let mut backlog = Backlog { load, wanted: arguments.system.as_deref(), lines: Ok(Vec::new()) };
    systems::each(&mut backlog);
    let mut lines = backlog.lines?;
    if arguments.system.as_deref().is_none_or(|part| "statim".contains(part)) {
        lines.extend(neighbours(load, arguments.neighbours)?);
    }
    if lines.is_empty() {
        return Err("no system matches; leave out --system".to_owned());
    }
    print!("{}", tables(&machine, load, arguments.neighbours, wake, &lines));
    arguments.output.write(|| {
        let results: Vec<_> = lines.iter().map(figure).collect();
        json!({ "machine": machine, "results": results, "wake_up_ns": wake })
    })
}

/// Meets every system that sends without waiting for an answer.
struct Backlog<'a> {
    load: Load,
    wanted: Option<&'a str>,
    lines: Result<Vec<Line>, String>,
}

impl Visitor for Backlog<'_> {
    fn visit<S: System>(&mut self) {
        let name = S::name();
        let wanted = self.wanted.is_none_or(|part| name.contains(part));
        let Ok(lines) = &mut self.lines else { return };
        if !wanted || !S::offers(Verb::Tell, Placement::AcrossThreads) {
            return;
        }
        eprintln!("measuring {name} ...");
        match behind_backlog::<S>(self.load) {
            Ok(observed) => {
                let version = machine::version(S::package());
                lines.push(Line { workload: "urgent_behind_backlog", system: name, version, observed });
            }
            Err(fault) => self.lines = Err(format!("{name}: {fault}")),
        }
    }
}

fn neighbours(load: Load, neighbours: usize) -> Result<Vec<Line>, String> {
    let line = |arbiter, system: &str| -> Result<Line, Fault> {
        eprintln!("measuring {system} ...");
        let observed = beside_neighbours(load, arbiter, neighbours)?;
        let version = machine::version("statim");
        Ok(Line { workload: "urgent_beside_neighbours", system: system.to_owned(), version, observed })
    };
    let own = line(Arbiter::Own, "statim (arbiter of its own)").map_err(|fault| fault.to_string())?;
    let shared = line(Arbiter::Shared, "statim (among them)").map_err(|fault| fault.to_string())?;
    Ok(vec![own, shared])
}

fn tables(machine: &Machine, load: Load, neighbours: usize, wake: Quantiles, lines: &[Line]) -> String {
    let mut text = machine.heading();
    let _ = writeln!(text, "waking a thread: p50 {}, p99 {}", time(wake.p50), time(wake.p99));
    for group in lines.chunk_by(|a, b| a.workload == b.workload) {
        let about = match group[0].workload {
            "urgent_behind_backlog" => format!("{} bulk messages kept queued", load.depth),
            _ => format!("{neighbours} busy agents on each shared arbiter, no backlog of its own"),
        };
        let _ = writeln!(
            text,
            "\n{}: {about}; {:?} of work for each message, an urgent one every {:?} for {:?}",
            group[0].workload, load.service, load.every, load.duration
        );
        let _ = writeln!(
            text,
            "  {:<32} {:>9} {:>9} {:>9} {:>9} | {:>9} {:>9} | {:>9} {:>9} | {:>9} {:>9} {:>8}",
            "until handling began",
            "p50",
            "p99",
            "p99.9",
            "max",
            "end p50",
            "end p99",
            "lag p99",
            "lag max",
            "unhandled",
            "min depth",
            "others/s"
        );
        for line in group {
            let Observed { start, end, lag, .. } = line.observed;
            let _ = writeln!(
                text,
                "  {:<32} {:>9} {:>9} {:>9} {:>9} | {:>9} {:>9} | {:>9} {:>9} | {:>9} {:>9} {:>8.0}",
                line.system,
                time(start.p50),
                time(start.p99),
                time(start.p999),
                time(start.max),
                time(end.p50),
                time(end.p99),
                time(lag.p99),
                time(lag.max),
                format!("{}/{}", line.observed.unhandled, line.observed.sent),
                line.observed.shallowest,
                line.observed.others_per_second
            );
        }
    }
    text.push_str(&verdict(load, wake, lines));
    text
}

/// Whether Statim keeps its promise: within two running handlers and the wake of a thread.
fn verdict(load: Load, wake: Quantiles, lines: &[Line]) -> String {
    let bar = load.service.as_nanos() as u64 * 2 + wake.p99;
    let statim = lines.iter().find(|line| line.system == "statim");
    let Some(Observed { start, from_sending, lag, .. }) = statim.map(|line| &line.observed) else {
        return String::new();
    };
    let kept = if start.p99 < bar { "kept" } else { "NOT KEPT" };
    format!(
        "\nstatim's promise (p99 until handling began below two handlers and a wake, {}): {}, {kept}\n\
         counted from the moment of sending it was {}; the sender itself was late by {} (p99)\n",
        time(bar),
        time(start.p99),
        time(from_sending.p99),
        time(lag.p99)
    )
}

fn figure(line: &Line) -> Value {
    let observed = serde_json::to_value(&line.observed).unwrap_or_default();
    let mut figure = json!({
        "workload": line.workload, "system": line.system, "ns_per_op": line.observed.start.p99, "spread": null,
        "version": line.version,
    });
    if let (Some(figure), Value::Object(observed)) = (figure.as_object_mut(), observed) {
        figure.extend(observed);
    }
    figure
}

/// A time in the unit that reads best.
fn time(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} us", nanos as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        _ => format!("{:.2} s", nanos as f64 / 1e9),
    }
}
