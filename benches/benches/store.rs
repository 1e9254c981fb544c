//! Durable messages, cached queries and wire formats: `cargo bench -p statim-bench --bench store -- [--quick] [--json FILE]`.
//!
//! Each workload runs every system in turns, in one process, and ends in ratios to Statim's figure: above 1, the other is
//! slower. The servers are private and started for the run.

use std::process::ExitCode;

use clap::Parser;
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;
use statim_bench::measure::{self, Measured, Plan};
use statim_bench::report::Report;
use statim_bench::store::{cached_query, durable, wire};

/// Measures durable tells beside bare inserts, cached queries beside uncached ones, and the wire's formats. Exit status: 0
/// measured, 1 a case failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// A tenth of the work in fewer rounds: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Only workloads whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    command::exit("store", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let machine = Machine::look();
    let mut cases = durable::cases();
    cases.extend(cached_query::cases());
    cases.extend(wire::cases());
    cases.retain(|case| case.workload.contains(&arguments.only));
    let measured = measure::run(&cases, plan, |workload| eprintln!("measuring {workload} ..."))
        .map_err(|failed| failed.to_string())?;
    let report = Report::new(&machine, &measured, &[]);
    print!("{}", report.tables(&measured, &[]));
    println!("\nRatios to Statim in this run:");
    for group in measured.chunk_by(|a, b| a.case.workload == b.case.workload) {
        for other in &group[1..] {
            let ratio = other.median() / group[0].median();
            println!("  {:<22} {:<44} {ratio:>8.3}", group[0].case.workload, other.case.system);
        }
    }
    sizes()?;
    verdict(&measured);
    arguments.output.write(|| report)
}

fn sizes() -> Result<(), String> {
    println!("\nBytes of a message, alone and as a parcel:");
    for size in wire::sizes().map_err(|fault| fault.to_string())? {
        println!(
            "  {:<22} {:<12} {:>8} {:>8}",
            size.message,
            size.format.as_str(),
            size.bytes,
            size.parcel_bytes
        );
    }
    Ok(())
}

/// Whether a durable tell keeps its bars: 0.7 of a bare multi-row insert, and 20 times a commit each.
fn verdict(measured: &[Measured]) {
    for workload in ["durable_tell_sqlite", "durable_tell_postgres"] {
        let of: Vec<f64> =
            measured.iter().filter(|it| it.case.workload == workload).map(Measured::median).collect();
        let [tell, bare, alone] = of[..] else { continue };
        let word = |kept: bool| if kept { "kept" } else { "MISSED" };
        println!(
            "{workload}: {:.2} of the bare insert's rate (bar 0.7: {}), {:.0} times a commit each (bar 20: {})",
            bare / tell,
            word(bare / tell >= 0.7),
            alone / tell,
            word(alone / tell >= 20.0)
        );
    }
}
