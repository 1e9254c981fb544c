use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::{Compression, GzBuilder};

use super::driver::generate;
use super::error::GenerateError;
use super::kind::Kind;
use super::options::{Layout, Options};
use super::truth::Truth;

/// What is handed to the compressor at a time. Part of the format: another size gives other compressed bytes.
const CHUNK: usize = 64 * 1024;

/// Generates into a file, compressed when its name ends in `.gz`.
///
/// The rest of the name says the layout: `.ndjson` or `.jsonl` means a record a line, `.json` what
/// [`Options::layout`] says (a page where that says lines), `.xml` is for articles and `.csv` for people. The file
/// appears under its name only once it is complete: until then it lies beside it under a name that begins with a dot and
/// ends in `.partial`, which is removed on failure. `progress` is called as by [`generate`].
///
/// # Errors
/// As [`generate`]; and when the name has no fitting ending, when the file exists and `force` is false, or when it cannot
/// be made.
pub fn write_file(
    kind: Kind,
    options: &Options,
    path: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<Truth, GenerateError> {
    write_file_unless(kind, options, path, force, progress, &AtomicBool::new(false))
}

/// As [`write_file`], until `stop` is set by another thread.
///
/// # Errors
/// As [`write_file`]; and [`GenerateError::Stopped`], with nothing left behind.
pub fn write_file_unless(
    kind: Kind,
    options: &Options,
    path: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64),
    stop: &AtomicBool,
) -> Result<Truth, GenerateError> {
    let layout = match layout_of(kind, path)? {
        Layout::Page if options.layout == Layout::Array => Layout::Array,
        layout => layout,
    };
    let options = Options { layout, ..options.clone() };
    options.check(kind)?;
    if !force && path.exists() {
        return Err(GenerateError::Exists { path: path.to_owned() });
    }
    let failed = |source| GenerateError::File { path: path.to_owned(), source };
    let (partial, file) = Partial::beside(path).map_err(failed)?;
    let mut filled = |file: Stoppable<'_>| -> Result<Truth, GenerateError> {
        if !compressed(path) {
            let mut out = BufWriter::with_capacity(CHUNK, file);
            return generate(kind, &options, &mut out, progress);
        }
        // No time, no name, no operating system in the header: the same bytes everywhere.
        let encoder = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::default());
        let mut out = BufWriter::with_capacity(CHUNK, encoder);
        let truth = generate(kind, &options, &mut Unflushed(&mut out), progress)?;
        let encoder = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        encoder.finish()?;
        Ok(truth)
    };
    let truth = filled(Stoppable { file: &file, stop }).map_err(|error| match error {
        GenerateError::Write(_) if stop.load(Ordering::Relaxed) => GenerateError::Stopped,
        GenerateError::Write(source) => failed(source),
        other => other,
    })?;
    file.sync_all().map_err(failed)?;
    drop(file);
    partial.publish(path, force)?;
    Ok(truth)
}

/// The layout that the name of a file asks for.
///
/// # Errors
/// [`GenerateError::Extension`] when the ending does not fit the kind.
pub fn layout_of(kind: Kind, path: &Path) -> Result<Layout, GenerateError> {
    let stem = if compressed(path) { path.with_extension("") } else { path.to_owned() };
    let extension =
        stem.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let expected = match (kind, extension.as_str()) {
        (Kind::Articles, "xml") | (Kind::People, "csv") => return Ok(Layout::Page),
        (Kind::Articles, _) => ".xml",
        (Kind::People, _) => ".csv",
        (_, "ndjson" | "jsonl") => return Ok(Layout::Lines),
        (Kind::Consents, _) => ".ndjson or .jsonl",
        (_, "json") => return Ok(Layout::Page),
        _ => ".json, .ndjson or .jsonl",
    };
    Err(GenerateError::Extension { kind, path: path.to_owned(), expected })
}

fn compressed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
}

/// A file being filled, which goes away unless it is published.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn beside(path: &Path) -> io::Result<(Self, File)> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
        let mut attempt = 0;
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}.{attempt}.partial", std::process::id()));
            let path = path.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Partial { path }, file)),
                // Another thread's, or one that a killed process of the same number left behind.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name. Without `force` a file that appeared there in the meantime is left alone.
    fn publish(self, path: &Path, force: bool) -> Result<(), GenerateError> {
        let failed = |source| GenerateError::File { path: path.to_owned(), source };
        if force {
            return fs::rename(&self.path, path).map_err(failed);
        }
        match fs::hard_link(&self.path, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(GenerateError::Exists { path: path.to_owned() })
            }
            // Not every file system has links; there, looking first is the best that can be had.
            Err(_) if path.exists() => Err(GenerateError::Exists { path: path.to_owned() }),
            Err(_) => fs::rename(&self.path, path).map_err(failed),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is nothing here any more; that is no fault.
        let _ = fs::remove_file(&self.path);
    }
}

/// Refuses to write once it is told to stop.
struct Stoppable<'a> {
    file: &'a File,
    stop: &'a AtomicBool,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("told to stop"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Ignores flushes, each of which would end a block of compressed data early.
struct Unflushed<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Unflushed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
