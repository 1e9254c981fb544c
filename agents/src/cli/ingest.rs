//! `statim ingest`: files into the catalogue, and out.

use std::path::PathBuf;

use statim::{Runtime, ShutdownReport};

use super::output::{Output, note};
use super::progress::Progress as Bar;
use super::{CliError, Doing, IngestArgs, block_on, database_url, logging};
use crate::config::{LogFormat, LogLevel};
use crate::deployment::{IngestReport, Pipeline, PipelineOptions, Progress};
use crate::formats::discover;

/// Quarantine notes shown to a person; the rest is in the database.
const SHOWN: usize = 20;

pub(crate) fn ingest(args: &IngestArgs) -> Result<(), CliError> {
    logging::init(LogLevel::Warn, LogFormat::Pretty);
    let database = database_url(args.database.as_deref())?;
    let files = discover(&args.paths).map_err(|error| CliError::Usage {
        what: "there is nothing to ingest".to_owned(),
        source: Some(error.into()),
    })?;
    let mut options = PipelineOptions::new(database.as_str());
    if let Some(workers) = args.workers {
        options.workers = workers;
    }
    let runtime = Runtime::builder().start().doing("starting the agents")?;
    let (report, shutdown) = block_on(run(runtime, &options, files))?;
    let mut output = Output::new(args.json);
    output.line(summary(&report, &database.to_string()))?;
    output.finish(&report)?;
    if report.is_complete() && shutdown.drained {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "not everything was ingested: {} files could not be read, {} were interrupted, {} records could not be stored; \
         put that right and run the same command again, which takes in only what is missing",
        report.unreadable.len(),
        report.interrupted,
        report.not_stored,
    )))
}

async fn run(
    runtime: Runtime,
    options: &PipelineOptions,
    files: Vec<PathBuf>,
) -> Result<(IngestReport, ShutdownReport), CliError> {
    let pipeline = Pipeline::spawn(&runtime, options).doing("starting the agents")?;
    let bar = Bar::new("ingesting", "files", Some(files.len() as u64));
    let mut show = |progress: Progress| {
        bar.set(progress.files as u64);
        bar.message(&format!("{} records", progress.records));
    };
    let mut ingesting = Box::pin(pipeline.ingest(files, &mut show));
    let report = tokio::select! {
        report = &mut ingesting => report,
        () = super::run::interrupted() => {
            note("statim: stopping (interrupt again to stop at once)");
            pipeline.interrupt();
            tokio::select! {
                report = &mut ingesting => report,
                () = super::run::interrupted() => return Err(super::run::stopped_at_once()),
            }
        }
    };
    drop(ingesting);
    bar.finish();
    let report = report.doing("the ingestion")?;
    Ok((report, runtime.shutdown().await))
}

/// What a person wants to know of an ingestion.
pub(super) fn summary(report: &IngestReport, database: &str) -> String {
    let counts = &report.counts;
    let mut lines = vec![
        format!(
            "{} files, {} records in {:.1} s ({:.0} records/s): {} new, {} updated, {} unchanged, {} older than known",
            report.files,
            report.records,
            report.seconds,
            report.records_per_second,
            report.inserted,
            report.updated,
            report.unchanged,
            report.superseded,
        ),
        format!(
            "  {} studies ({} locations), {} articles ({} authors, {} MeSH headings, {} references), {} applications, {} \
             labels, {} events, {} products; {} articles deleted",
            counts.studies,
            counts.locations,
            counts.articles,
            counts.authors,
            counts.mesh_headings,
            counts.references,
            counts.applications,
            counts.labels,
            counts.events,
            counts.products,
            counts.deleted,
        ),
    ];
    if report.possible_duplicates > 0 {
        lines.push(format!(
            "  {} pairs share an identifier and may be duplicates",
            report.possible_duplicates
        ));
    }
    if let Some(bytes) = report.peak_rss_bytes {
        lines.push(format!("  peak memory {} MiB", bytes >> 20));
    }
    if report.quarantined > 0 {
        lines.push(format!(
            "{} in the quarantine, from {} files:",
            entries(report.quarantined),
            report.quarantine.len()
        ));
        lines.extend(report.quarantine.iter().take(SHOWN).map(|note| {
            format!("  {}: {}, {} read", note.file, entries(note.entries), records(note.records))
        }));
        if report.quarantine.len() > SHOWN {
            lines.push(format!("  and {} more files", report.quarantine.len() - SHOWN));
        }
    }
    lines.extend(
        report.unreadable.iter().map(|file| format!("not read: {}: {}", file.path.display(), file.reason)),
    );
    lines.push(format!("stored in {database}"));
    lines.join("\n")
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
