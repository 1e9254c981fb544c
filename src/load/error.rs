//! Why a load test could not be run.

use std::io;

use thiserror::Error;

use super::scenario::ScenarioError;

/// A load test that could not be run, or was not finished.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The mix has a kind that the target does not know.
    #[error("scenario {scenario}: the target cannot be sent `{kind}`; it knows {known}")]
    UnknownKind {
        /// The scenario's name.
        scenario: String,
        /// The kind.
        kind: String,
        /// Those that the target knows.
        known: String,
    },
    /// It was not called inside a Tokio runtime.
    #[error("a load test needs a Tokio runtime around it")]
    NoRuntime,
    /// A thread could not be started.
    #[error("a thread of the load test could not be started")]
    Thread(#[source] io::Error),
    /// The target, or whoever is told of progress, panicked. Nothing was measured that could be trusted.
    #[error("the load test was ended by a panic in {place}")]
    Panicked {
        /// `the target` or `what watches the run`.
        place: &'static str,
    },
}
