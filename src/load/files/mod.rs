//! A result as files, and back.

mod error;
mod hgrm;
mod hlog;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::measured::Measured;
use super::result::LoadResult;

pub use self::error::{ReadError, WriteError};

/// Most that is read of a result, in bytes.
const LARGEST: u64 = 256 << 20;

impl Measured {
    /// Writes into a directory, which is made if need be: `result.json`; `latency.hlog`, an HDR interval log with a
    /// tag for each priority; `latency.hgrm` and `latency-uncorrected.hgrm`, percentile distributions in milliseconds for
    /// HdrHistogram's plotter. Files of these names are replaced. Says what it wrote.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: the directory or a file could not be written.
    pub fn write(&self, directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, WriteError> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory).map_err(|source| WriteError { path: directory.to_owned(), source })?;
        let json = |out: &mut dyn Write| {
            serde_json::to_writer_pretty(&mut *out, &self.result)?;
            out.write_all(b"\n")
        };
        Ok(vec![
            file(directory.join("result.json"), json)?,
            file(directory.join("latency.hlog"), |out| hlog::write(self.started_at, &self.series, out))?,
            file(directory.join("latency.hgrm"), |out| hgrm::write(&self.corrected, out))?,
            file(directory.join("latency-uncorrected.hgrm"), |out| hgrm::write(&self.uncorrected, out))?,
        ])
    }
}

impl LoadResult {
    /// Reads a `result.json`.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: the file could not be read, is larger than 256 MiB, or holds no result.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let failed = |source| ReadError::Read { path: path.to_owned(), source };
        let mut text = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(LARGEST + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > LARGEST {
            return Err(ReadError::TooLarge { path: path.to_owned() });
        }
        serde_json::from_slice(&text).map_err(|source| ReadError::NoResult { path: path.to_owned(), source })
    }
}

fn file(path: PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<PathBuf, WriteError> {
    let written = File::create(&path).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    });
    match written {
        Ok(()) => Ok(path),
        Err(source) => Err(WriteError { path, source }),
    }
}
