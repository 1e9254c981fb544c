//! `statim load` and `statim report`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{filled, load_duration, rate};

/// Put load on the agents, and measure what becomes of it
///
/// Messages are sent at their moment, whether or not earlier ones were answered, and latency counts from that moment. Without
/// --url a deployment with a database of its own is started in this process. light is 10 users with 2 messages a second each,
/// moderate 50 with 5, heavy 100 with 10; stress begins with 200 and 20 and goes on until it breaks. Exit status 99 if a
/// threshold does not hold, or a figure is worse than the baseline's beyond chance. An interrupt (Ctrl-C) ends it early, with
/// what was measured until then, and status 1.
///
/// Example: statim load light --report var/light
#[derive(Args)]
pub(in crate::cli) struct LoadArgs {
    /// light, moderate, heavy, stress, or a file like config/load/light.toml
    #[arg(value_name = "SCENARIO|FILE", value_parser = filled)]
    pub(in crate::cli) scenario: String,
    /// How long it sends: all stages are stretched or shortened to that; of one that raises the rate until it breaks, ten steps
    /// [example: 30s, 5m]
    #[arg(long, value_name = "D", value_parser = load_duration)]
    pub(in crate::cli) duration: Option<Duration>,
    /// The most users; those of every stage, and with them its rate, grow or shrink with it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) users: Option<u32>,
    /// Messages a second of each user
    #[arg(long, value_name = "R", value_parser = rate)]
    pub(in crate::cli) rate: Option<f64>,
    /// What arrivals and messages are drawn by [default: the scenario's]
    #[arg(long, value_name = "S")]
    pub(in crate::cli) seed: Option<u64>,
    /// Write result.json, report.html, report.md and HDR histograms into this folder; an earlier report there is replaced
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Compare with this result.json, or the report it is in
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Send to the deployment that serves its metrics here, such as http://127.0.0.1:9464, and has [messages] on; made-up
    /// patients and studies will be in its database
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// The environment variable that holds that deployment's token
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(in crate::cli) token_env: Option<String>,
    /// The database of the deployment that is started: empty, or an earlier load test's [default: SQLite in a temporary
    /// folder]
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub(in crate::cli) database: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Say what limits a system, and what to do about it
///
/// Response times against targets, resources, bottlenecks with their evidence and what removing them would gain, and a
/// capacity forecast, in Markdown; HTML if --output ends in .html.
///
/// Example: statim report var/light --output performance.md
#[derive(Args)]
pub(in crate::cli) struct ReportArgs {
    /// The folder or result.json of a load test, a snapshot in a file, or the address of a running deployment, such as
    /// http://127.0.0.1:9464
    #[arg(value_name = "FROM", value_parser = filled)]
    pub(in crate::cli) from: String,
    /// The file to write; one that exists is replaced [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}
