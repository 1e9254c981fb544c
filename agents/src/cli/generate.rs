//! `statim generate`: synthetic data with known truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::GenerateArgs;
use super::output::Output;
use super::progress::Progress;
use super::{CliError, Doing, block_on};
use crate::generate::{GenerateError, Options, Truth, write_file_unless};

pub(super) fn generate(args: &GenerateArgs) -> Result<(), CliError> {
    let &GenerateArgs { kind, count, seed, first, duplicates, bad, force, json, ref output } = args;
    let options = Options { first, duplicates, bad, ..Options::new(count, seed) };
    let progress = Progress::new("generating", kind.name(), Some(count));
    let stop = stop_when_interrupted()?;
    let written = write_file_unless(kind, &options, output, force, &mut |done| progress.set(done), &stop);
    progress.finish();
    let truth = written.map_err(refused)?;

    let mut out = Output::new(json);
    out.line(format_args!("{}: {} {kind}", output.display(), truth.records))?;
    for (what, number) in details(&truth) {
        if number > 0 {
            out.line(format_args!("  {number:>10} {what}"))?;
        }
    }
    out.finish(&truth)
}

/// Is set when the process is told to end. What is half written is then removed, which dying would not do.
fn stop_when_interrupted() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let listen = async move {
        super::run::interrupted().await;
        told.store(true, Ordering::Relaxed);
        Ok(())
    };
    // Ends with the process.
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(|| block_on(listen))
        .doing("starting a thread")?;
    Ok(stop)
}

fn details(truth: &Truth) -> [(&'static str, u64); 13] {
    [
        ("distinct", truth.distinct),
        ("identical repeats", truth.identical_repeats),
        ("newer versions", truth.newer_versions),
        ("corrupted copies", truth.variants),
        ("deleted at the end", truth.deleted),
        ("broken", truth.bad.len() as u64),
        ("requests to permit", truth.permitted),
        ("requests to deny", truth.denied),
        ("locations", truth.locations),
        ("authors", truth.authors),
        ("headings", truth.mesh_headings),
        ("references", truth.references),
        ("products within", truth.products),
    ]
}

fn refused(error: GenerateError) -> CliError {
    let usage = matches!(
        error,
        GenerateError::Ratio { .. }
            | GenerateError::Ratios { .. }
            | GenerateError::TooMany { .. }
            | GenerateError::Extension { .. }
    );
    if usage {
        return CliError::usage(error.to_string());
    }
    match error {
        GenerateError::Exists { path } => CliError::failed(format!(
            "{} exists already; name another file, or replace it with --force",
            path.display()
        )),
        error => CliError::Failed { what: "nothing was generated".to_owned(), source: Some(error.into()) },
    }
}
