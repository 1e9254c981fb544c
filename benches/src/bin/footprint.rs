//! Weighs the agents of one system and prints one JSON object; the benchmark `peers` runs it, once for each figure.

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use statim_bench::footprint;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is alive on the heap; too slow and too unfair to take times with.
#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Starts agents, asks each one question, and says what they occupy. Exit status: 0 weighed, 1 failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// The system's name, as in the tables
    #[arg(long)]
    system: String,
    /// How many agents
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    agents: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("footprint: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let scales = footprint::scales();
    let Some(scale) = scales.iter().find(|scale| scale.system == arguments.system) else {
        let names: Vec<_> = scales.iter().map(|scale| scale.system.as_str()).collect();
        return Err(format!("no system is called {}; there are {}", arguments.system, names.join(", ")));
    };
    let weighed = scale.weigh_here(arguments.agents).map_err(|fault| fault.to_string())?;
    serde_json::to_string(&weighed).map_err(|error| error.to_string())
}
