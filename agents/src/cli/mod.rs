//! The command line.
//!
//! What scripts rely on: `--json` prints one JSON object as the last line of standard output; logs, notes and progress
//! bars go to standard error, and bars only to a terminal. Exit status: 0 done, 1 failed, 2 usage or configuration, 99 a
//! threshold failed.

mod alerts;
mod args;
mod check;
mod consent;
mod dead_letters;
mod error;
mod generate;
mod ingest;
mod load;
pub(crate) mod logging;
mod open_alerts;
pub(crate) mod output;
pub(crate) mod progress;
mod report;
mod run;

pub(crate) use self::args::{IngestArgs, RunArgs};
pub(crate) use self::error::{CliError, Doing};

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use self::args::{Cli, Command};
use crate::config::{Config, DatabaseUrl, LogFormat, LogLevel};

/// Does what the process was asked for, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refused) => {
            // Help and version are "refused" too, with status 0. A closed pipe is nobody's fault.
            let _ = refused.print();
            return ExitCode::from(u8::try_from(refused.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "{}", error.explain());
            error.exit_code()
        }
    }
}

fn dispatch(command: &Command) -> Result<(), CliError> {
    match command {
        // These two say themselves what is to be logged.
        Command::Run(args) => return run::run(args),
        Command::Ingest(args) => return ingest::ingest(args),
        // What an overload warns of is what is measured.
        Command::Load(_) => logging::init(LogLevel::Error, LogFormat::Pretty),
        _ => logging::init(LogLevel::Warn, LogFormat::Pretty),
    }
    match command {
        Command::Consent(args) => consent::consent(args),
        Command::Alerts(args) => alerts::alerts(args),
        Command::DeadLetters(args) => dead_letters::dead_letters(args),
        Command::Generate(args) => generate::generate(args),
        Command::Load(args) => load::load(args),
        Command::Report(args) => report::report(args),
        Command::Check(args) => check::check(args),
        Command::Run(_) | Command::Ingest(_) => Ok(()),
    }
}

/// The configuration to use: the file that is named, else the one in `$STATIM_CONFIG`, else `config/statim.toml` if it is
/// there, else the built-in defaults. Says on standard error which.
pub(crate) fn configuration(file: Option<&Path>) -> Result<Config, CliError> {
    const USUAL: &str = "config/statim.toml";
    let variable = std::env::var_os("STATIM_CONFIG").filter(|it| !it.is_empty());
    let (path, why) = match (file, &variable) {
        (Some(file), _) => (file, "--config"),
        (None, Some(file)) => (Path::new(file), "$STATIM_CONFIG"),
        (None, None) if Path::new(USUAL).exists() => (Path::new(USUAL), "found in the current directory"),
        (None, None) => {
            output::note(format_args!("no {USUAL} here: using the built-in defaults"));
            return Ok(Config::default());
        }
    };
    output::note(format_args!("using {} ({why})", path.display()));
    Ok(Config::load(path)?)
}

/// The database to use: the one that is named, else the one in `$STATIM_DATABASE`, else `sqlite://var/statim.db`.
pub(crate) fn database_url(named: Option<&str>) -> Result<DatabaseUrl, CliError> {
    let refused =
        |source| CliError::Usage { what: "the database cannot be used".to_owned(), source: Some(source) };
    let parse = |url: &str| DatabaseUrl::parse(url).map_err(|error| refused(Box::new(error)));
    match (named, std::env::var("STATIM_DATABASE")) {
        (Some(url), _) => parse(url),
        (None, Ok(url)) if !url.is_empty() => parse(&url),
        (None, Err(std::env::VarError::NotUnicode(_))) => {
            Err(CliError::usage("the environment variable STATIM_DATABASE is not UTF-8"))
        }
        (None, _) => Ok(DatabaseUrl::default()),
    }
}

/// Runs a command that waits for a database.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("starting the runtime")?
        .block_on(work)
}
