//! What the command lines of all benchmarks have in common.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

/// Where the figures go besides the terminal.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Passed by cargo, and without meaning here
    #[arg(long, hide = true)]
    bench: bool,
}

impl Output {
    /// Writes the report that `make` makes, if a file was named.
    ///
    /// # Errors
    /// The file cannot be written; says which and why.
    pub fn write<R: Serialize>(&self, make: impl FnOnce() -> R) -> Result<(), String> {
        let Some(path) = &self.json else { return Ok(()) };
        let mut text = serde_json::to_string_pretty(&make()).map_err(|error| error.to_string())?;
        text.push('\n');
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

/// The exit status of the benchmark of this name, with what went wrong on standard error.
pub fn exit(name: &str, outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{name}: {message}");
            ExitCode::FAILURE
        }
    }
}
