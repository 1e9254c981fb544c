//! Costs that grow: `cargo bench -p statim-bench --bench growth -- [--quick] [--json FILE]`.
//!
//! Throughput, the wait of urgent messages and memory, as the backlog, the agents and the batch keys grow. Below each
//! table stands how much dearer the largest size is than the smallest, beside what a logarithm would have come to: a
//! figure that grew faster fails its line. This program counts its allocations, which costs Statim a little (it
//! allocates little), so its times are for comparison with each other and not with those of `peers`.

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use statim_bench::command::{self, Output};
use statim_bench::growth::{Extent, Fit, Point, STATIM, Series, series};
use statim_bench::machine::{self, Machine};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is alive on the heap.
#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures costs against sizes. Exit status: 0 measured, 1 a series failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// A tenth of the largest sizes, and less time for each: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Only series whose name contains this
    #[arg(long, value_name = "TEXT")]
    series: Option<String>,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    command::exit("growth", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let extent = if arguments.quick {
        Extent { backlog: 100_000, agents: 100_000, keys: 10_000, each: Duration::from_millis(500) }
    } else {
        Extent { backlog: 1_000_000, agents: 1_000_000, keys: 100_000, each: Duration::from_secs(5) }
    };
    let machine = Machine::look();
    print!("{}", machine.heading());
    let (mut results, mut fits, mut statims) = (Vec::new(), Vec::new(), None);
    let wanted = |series: &Series| arguments.series.as_deref().is_none_or(|part| series.name.contains(part));
    for series in series(extent).into_iter().filter(wanted) {
        let progress = |size| eprintln!("measuring {} {size} ...", series.name);
        let points =
            series.run(extent.each, progress).map_err(|fault| format!("{}: {fault}", series.name))?;
        table(&series, &points);
        results.extend(points.iter().map(|point| figure(&series, point)));
        for (figure, fit) in fitted(&points) {
            print_fit(figure, fit);
            fits.push(
                json!({ "workload": series.name, "system": series.system, "figure": figure, "fit": fit }),
            );
        }
        let fit = fitted(&points)[0].1;
        if series.system == STATIM {
            statims = fit;
        } else if let (Some(statims), Some(bare)) = (statims, fit) {
            print_share(statims, bare);
        }
    }
    if results.is_empty() {
        return Err("no series matches; leave out --series".to_owned());
    }
    arguments.output.write(|| json!({ "machine": machine, "results": results, "growth": fits }))
}

fn table(series: &Series, points: &[Point]) {
    println!("\n{} ({}): {}", series.name, series.system, series.about);
    println!(
        "  {:>9} {:>11} {:>11} {:>12} {:>12} {:>12} {:>12}  (waits and lag in us; bytes per {})",
        "size",
        "ns/message",
        "messages/s",
        "urgent p50",
        "urgent p99",
        "lag p99",
        "heap bytes",
        series.stored
    );
    for point in points {
        println!(
            "  {:>9} {:>11.1} {:>11.0} {:>12.1} {:>12.1} {:>12.1} {:>12.1}",
            point.size,
            point.ns_per_message,
            1e9 / point.ns_per_message,
            point.urgent_wait.p50 as f64 / 1e3,
            point.urgent_wait.p99 as f64 / 1e3,
            point.lag.p99 as f64 / 1e3,
            point.bytes_each,
        );
    }
}

/// How the cost of a message and the wait of an urgent one grew.
fn fitted(points: &[Point]) -> [(&'static str, Option<Fit>); 3] {
    let of = |figure: fn(&Point) -> f64| {
        Fit::of(&points.iter().map(|point| (point.size, figure(point))).collect::<Vec<_>>())
    };
    [
        ("ns per message", of(|point| point.ns_per_message)),
        ("urgent p50", of(|point| point.urgent_wait.p50 as f64)),
        ("urgent p99", of(|point| point.urgent_wait.p99 as f64)),
    ]
}

fn print_fit(figure: &str, fit: Option<Fit>) {
    let Some(fit) = fit else { return println!("  {figure}: too few points to tell") };
    println!(
        "  {figure}: largest over smallest {:.2}; a logarithm would give {:.2}; fits size^{:.3}: {}",
        fit.ratio,
        fit.logarithmic,
        fit.exponent,
        if fit.is_logarithmic() { "no faster than a logarithm" } else { "FASTER THAN A LOGARITHM" }
    );
}

/// What is left of Statim's growth when the machine's share is taken out.
fn print_share(statims: Fit, bare: Fit) {
    println!(
        "  statim's ns per message grew {:.2} times as much as that of bare tasks; a logarithm would give {:.2}",
        statims.ratio / bare.ratio,
        statims.logarithmic
    );
}

fn figure(series: &Series, point: &Point) -> Value {
    json!({
        "workload": series.name, "system": series.system, "ns_per_op": point.ns_per_message, "spread": null,
        "version": machine::version(series.system.split(' ').next().unwrap_or_default()), "size": point.size, "urgent_wait": point.urgent_wait,
        "lag": point.lag, "bytes_each": point.bytes_each, "bytes_of": series.stored,
    })
}
