//! Standard output: lines for people, or one JSON object for scripts.

use std::fmt::{Display, Write as _};
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

use serde::Serialize;

use super::CliError;

/// Standard output, which may be closed early (`statim … | head -1`): then the rest is dropped and the work goes on.
pub(crate) struct Output {
    json: bool,
    out: BufWriter<Stdout>,
    closed: bool,
}

impl Output {
    /// For people, or with `json` for scripts.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, out: BufWriter::new(io::stdout()), closed: false }
    }

    /// Prints a line for people.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), CliError> {
        if self.json { Ok(()) } else { self.print(line) }
    }

    /// Prints the object for scripts, on a line of its own, and everything that was not printed yet. Call it last.
    pub(crate) fn finish(mut self, object: &impl Serialize) -> Result<(), CliError> {
        if self.json {
            let text = serde_json::to_string(object).map_err(|error| CliError::Failed {
                what: "writing JSON failed".into(),
                source: Some(error.into()),
            })?;
            self.print(text)?;
        }
        let flushed = self.out.flush();
        self.settle(flushed)
    }

    fn print(&mut self, line: impl Display) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        let written = writeln!(self.out, "{line}");
        self.settle(written)
    }

    fn settle(&mut self, result: io::Result<()>) -> Result<(), CliError> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(CliError::Failed {
                what: "writing to standard output failed".to_owned(),
                source: Some(error.into()),
            }),
            Ok(()) => Ok(()),
        }
    }
}

/// Says something on standard error, around any progress bar.
pub(crate) fn note(note: impl Display) {
    super::progress::suspend(|| {
        let _ = writeln!(io::stderr().lock(), "{note}");
    });
}

/// A stored text as a terminal may be shown it: without its control characters, line ends and tabs excepted.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => {
                let _ = write!(shown, "{}", c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}
