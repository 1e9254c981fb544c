//! Statim beside its peers: `cargo bench -p statim-bench --bench peers -- [--quick] [--json FILE]`.
//!
//! Times are taken in this process; `idle_bytes` and `a_million_agents` are weighed by the program `footprint`, which
//! counts its allocations, in a fresh process for each figure.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use statim_bench::command::{self, Output};
use statim_bench::footprint;
use statim_bench::machine::Machine;
use statim_bench::measure::{self, Plan};
use statim_bench::report::Report;
use statim_bench::workloads;

/// Measures the same work on every system, in turns, in one process. Exit status: 0 measured, 1 a case failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// A tenth of the work in fewer rounds: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Measured rounds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Only workloads whose name contains this
    #[arg(long, value_name = "TEXT")]
    workload: Option<String>,
    /// Only systems whose name contains this
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    command::exit("peers", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    if let Some(rounds) = arguments.rounds {
        plan.rounds = rounds.into();
    }
    let wanted = |workload: &str, system: &str| {
        let has = |part: &Option<String>, name: &str| part.as_deref().is_none_or(|p| name.contains(p));
        has(&arguments.workload, workload) && has(&arguments.system, system)
    };
    let mut cases = workloads::cases();
    cases.retain(|case| wanted(case.workload, &case.system));
    let machine = Machine::look();
    let progress = |workload: &str| eprintln!("measuring {workload} ...");
    let measured = measure::run(&cases, plan, progress).map_err(|failed| failed.to_string())?;
    let scale = Path::new(env!("CARGO_BIN_EXE_footprint"));
    let weighed = footprint::run(scale, plan, wanted, progress)?;
    if measured.is_empty() && weighed.is_empty() {
        return Err("no workload and system match; leave out --workload, --system or --quick".to_owned());
    }
    let report = Report::new(&machine, &measured, &weighed);
    print!("{}", report.tables(&measured, &weighed));
    arguments.output.write(|| report)
}
