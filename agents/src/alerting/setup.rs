//! Where the rules come from, and whether that has changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use statim::alert::service::AlertSetup;
use statim::alert::sink::Sink;

use super::sinks::sinks;
use crate::config::Faults;
use crate::config::alerts::AlertsConfig;

/// Where the rules come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RuleSource {
    /// The rules that the program was built with.
    #[default]
    BuiltIn,
    /// A rule file.
    File(PathBuf),
}

impl RuleSource {
    /// Reads the rules.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, or why it cannot be read.
    pub fn load(&self) -> Result<AlertsConfig, Faults> {
        match self {
            Self::BuiltIn => AlertsConfig::built_in(),
            Self::File(path) => AlertsConfig::load(path),
        }
    }

    /// Reads the rules and opens their sinks. Reads secrets and certificate authorities: blocks.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, and each secret that is missing. No value is repeated.
    pub fn open(&self) -> Result<AlertSetup, Faults> {
        let config = self.load()?;
        let sinks = sinks(&config)?;
        let AlertsConfig { evaluation, dispatch, rules, silences, .. } = config;
        Ok(AlertSetup { engine: evaluation, dispatch, rules, silences, sinks })
    }

    /// What tells one state of the file from another.
    fn stamp(&self) -> Option<Stamp> {
        let Self::File(path) = self else { return None };
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok(), found.len()))
    }
}

type Stamp = (Option<SystemTime>, u64);

/// The rules of a source, as they were when they were read last.
#[derive(Debug, Clone)]
pub struct Rules {
    source: RuleSource,
    /// Sinks of the program's own, besides those of the file.
    more: Vec<Arc<dyn Sink>>,
    seen: Option<Stamp>,
}

impl Rules {
    /// The rules of `source`, with sinks of the program's own besides its own. Nothing is read yet.
    #[must_use]
    pub fn new(source: RuleSource, more: Vec<Arc<dyn Sink>>) -> Self {
        Self { source, more, seen: None }
    }

    /// Reads them. Blocks.
    ///
    /// # Errors
    ///
    /// As [`RuleSource::open`].
    pub fn read(&mut self) -> Result<AlertSetup, Faults> {
        // Before the file is read: a change while it is read is one more to take up.
        self.seen = self.source.stamp();
        let mut setup = self.source.open()?;
        setup.sinks.extend(self.more.iter().cloned());
        Ok(setup)
    }

    /// Reads them again, if the file is not as it was. One that is gone for a moment, as while it is replaced, is as it
    /// was. Blocks.
    ///
    /// # Errors
    ///
    /// As [`RuleSource::open`], once for each change.
    pub fn read_if_changed(&mut self) -> Option<Result<AlertSetup, Faults>> {
        let now = self.source.stamp()?;
        (self.seen != Some(now)).then(|| self.read())
    }
}
