//! `statim generate`: synthetic data with known truth.

use super::CliError;
use super::args::GenerateArgs;
use super::output::Output;
use super::progress::Progress;
use crate::generate::{GenerateError, Options, Truth, write_file};

pub(super) fn generate(args: &GenerateArgs) -> Result<(), CliError> {
    let &GenerateArgs { kind, count, seed, first, duplicates, bad, force, json, ref output } = args;
    let options = Options { first, duplicates, bad, ..Options::new(count, seed) };
    let progress = Progress::new("generating", kind.name(), Some(count));
    let written = write_file(kind, &options, output, force, &mut |done| progress.set(done));
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
