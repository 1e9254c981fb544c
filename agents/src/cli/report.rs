//! `statim report`: what limits a system.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use statim::analysis::{Evidence, analyse};
use statim::load::LoadResult;
use statim::load::html::document;

use super::args::ReportArgs;
use super::load::RESULT;
use super::output::Output;
use super::{CliError, Doing, block_on};

/// Largest snapshot or result that is read, in bytes.
const MOST: u64 = 512 << 20;

pub(super) fn report(args: &ReportArgs) -> Result<(), CliError> {
    let evidence = evidence(&args.from)?;
    let analysis = analyse(&evidence);
    let Some(path) = &args.output else {
        let mut output = Output::new(false);
        output.line(analysis.markdown().trim_end())?;
        return output.finish(&());
    };
    let html =
        path.extension().is_some_and(|it| it.eq_ignore_ascii_case("html") || it.eq_ignore_ascii_case("htm"));
    let text = if html { document(&analysis.title(), &analysis.html_body()) } else { analysis.markdown() };
    write(path, &text).doing("writing the report")
}

/// The analysis of a load test, in Markdown.
pub(super) fn of_run(result: &LoadResult) -> String {
    analyse(&Evidence::of_run(result)).markdown()
}

fn evidence(from: &str) -> Result<Evidence, CliError> {
    let text = if from.starts_with("http://") || from.starts_with("https://") {
        block_on(async { crate::load::snapshot(from).await.doing("asking the deployment for its snapshot") })?
    } else {
        read(Path::new(from))?
    };
    Evidence::read(&text).map_err(|error| CliError::Usage {
        what: format!("{from} is neither the result of a load test nor a snapshot"),
        source: Some(Box::new(error)),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let path = if path.is_dir() { &path.join(RESULT) } else { path };
    let refused = |what: String| CliError::usage(format!("{} cannot be read: {what}", path.display()));
    let size = fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MOST {
        return Err(refused("it is larger than 512 MiB".to_owned()));
    }
    fs::read(path).map_err(|error| refused(error.to_string()))
}

/// Whole, or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new().prefix(".statim-report-").tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
