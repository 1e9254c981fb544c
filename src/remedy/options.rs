//! How remedies are done.

use std::path::PathBuf;
use std::time::Duration;

/// How remedies are done.
#[derive(Debug, Clone, PartialEq)]
pub struct RemedyOptions {
    /// The folder for diagnostic bundles, made if it is not there; `None`: none are written. Default: `None`.
    pub bundles: Option<PathBuf>,
    /// Agents that are never chosen as the worst offender. One that a rule names is restarted all the same. Default: none.
    pub spared: Vec<String>,
    /// How long [`fired`](super::Remedies::fired) waits for a restart, which goes on afterwards. Default: 10 s.
    pub patience: Duration,
    /// From which share of its limit the process's memory counts as short, from 0 to 1. Default: 0.8.
    pub memory_short: f64,
}

impl Default for RemedyOptions {
    fn default() -> Self {
        Self { bundles: None, spared: Vec::new(), patience: Duration::from_secs(10), memory_short: 0.8 }
    }
}
