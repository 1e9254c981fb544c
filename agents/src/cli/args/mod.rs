//! What can be asked for, and how the help explains it.

mod alerts;
mod consent;
mod dead_letters;
mod load;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(super) use self::alerts::{AlertsArgs, AlertsCommand, SilenceArgs};
pub(super) use self::consent::{ConsentArgs, ConsentCommand, DecideArgs, GrantArgs, HistoryArgs, RevokeArgs};
pub(super) use self::dead_letters::{DeadLettersArgs, DeadLettersCommand, ListArgs, PurgeArgs};
pub(super) use self::load::{LoadArgs, ReportArgs};
use self::values::{kind, workers};
use crate::generate::Kind;

/// Agents that may not make urgent messages wait, over health data.
///
/// Exit status: 0 done, 1 failed, 2 usage or configuration, 99 a threshold failed. With --json the last line of standard
/// output is one JSON object; notes, logs and progress bars go to standard error.
#[derive(Parser)]
#[command(name = "statim", version, arg_required_else_help = true, subcommand_required = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Run(RunArgs),
    Ingest(IngestArgs),
    Consent(ConsentArgs),
    Alerts(AlertsArgs),
    DeadLetters(DeadLettersArgs),
    Generate(GenerateArgs),
    Load(LoadArgs),
    Report(ReportArgs),
    Check(CheckArgs),
}

/// Start the deployment
///
/// Starts every agent, reads the sources and goes on looking for new files until it is interrupted (Ctrl-C), which stops
/// it in order: intake closes, the mailboxes are emptied, and what cannot be handled in time goes to the dead letters.
///
/// Example: statim run --config config/statim.toml --until-idle --json
#[derive(Args)]
pub(crate) struct RunArgs {
    /// The configuration; without it $STATIM_CONFIG, else config/statim.toml if it is there, else built-in defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read the sources to their end, let every agent finish, and stop
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Read files into the database
///
/// Reads ClinicalTrials.gov JSON, PubMed XML and openFDA JSON; plain, .gz or .zip. A folder stands for every such file in
/// it. A record that cannot be read is put into quarantine with its file, position and reason, and stops no other. Reading
/// a file twice changes nothing.
///
/// Example: statim ingest data/sample --json
#[derive(Args)]
pub(crate) struct IngestArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The database [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Threads that read, 1 to 256 [default: the processors less one]
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(crate) workers: Option<usize>,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make synthetic health data, with known duplicates and faults
///
/// The same command gives the same bytes on every machine. Nobody in it exists. The name of the file says its format: .json,
/// .ndjson or .jsonl (a record a line), .xml for articles, .csv for people; .gz after it compresses.
///
/// Example: statim generate studies --count 1000 --seed 1 --output studies.ndjson.gz
#[derive(Args)]
pub(super) struct GenerateArgs {
    /// What to make
    #[arg(value_parser = kind())]
    pub(super) kind: Kind,
    /// How many records, repeats and broken ones included
    #[arg(long, value_name = "N")]
    pub(super) count: u64,
    /// Which of all possible worlds: another seed gives other records
    #[arg(long, value_name = "S")]
    pub(super) seed: u64,
    /// The file; its folder must exist
    #[arg(long, value_name = "PATH")]
    pub(super) output: PathBuf,
    /// Where in the endless sequence of the seed to begin; 60 continues a file of --count 60
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) first: u64,
    /// The share of records that repeat or revise an earlier one, 0 to 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(super) duplicates: f64,
    /// The share of records that are broken, 0 to 0.9; with --duplicates at most 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(super) bad: f64,
    /// Replace the file if it exists
    #[arg(long)]
    pub(super) force: bool,
    /// Print what is really in the file as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Check a configuration, and say everything that is wrong with it at once
///
/// Each fault comes with its line, its field and what would be right. Exit status 2 if there is one.
///
/// Example: statim check --config config/statim.toml
#[derive(Args)]
pub(super) struct CheckArgs {
    /// The configuration; without it $STATIM_CONFIG, else config/statim.toml if it is there, else built-in defaults
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}
