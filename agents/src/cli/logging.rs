//! The log, on standard error.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::output::note;
use super::progress;
use crate::config::{LogFormat, LogLevel};

/// Begins to log. The environment variable `RUST_LOG` overrides `level`. A second call does nothing.
pub(crate) fn init(level: LogLevel, format: LogFormat) {
    let fallback = EnvFilter::new(match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    });
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text).unwrap_or_else(|error| {
            note(format_args!("RUST_LOG is ignored: {error}"));
            fallback
        }),
        _ => fallback,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(AroundBars);
    let begun = match format {
        LogFormat::Pretty => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            log.with_ansi(colours).try_init()
        }
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    // There is a log already, which is as good.
    drop(begun);
}

/// Writes each event in one go, with the progress bars out of the way.
struct AroundBars;

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for AroundBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
