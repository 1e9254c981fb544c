//! How a command fails.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::config::Faults;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command makes no sense as it was given: exit status 2.
    #[error("{what}")]
    Usage { what: String, source: Option<Cause> },
    /// The configuration is wrong: exit status 2.
    #[error(transparent)]
    Configuration(#[from] Faults),
    /// It was tried and failed: exit status 1.
    #[error("{what}")]
    Failed { what: String, source: Option<Cause> },
    /// It was done, and was not good enough: exit status 99.
    #[error("{what}")]
    ThresholdFailed { what: String },
}

impl CliError {
    /// A usage error without a deeper cause.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), source: None }
    }

    /// A failure without a deeper cause.
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), source: None }
    }

    /// The error with its causes, a line each.
    pub(super) fn explain(&self) -> String {
        let mut last = self.to_string();
        let mut text = format!("error: {last}");
        let mut cause = self.source();
        while let Some(error) = cause {
            let what = error.to_string();
            // Some errors repeat their cause in their own message.
            if !last.ends_with(&what) {
                let _ = write!(text, "\n  because: {what}");
                last = what;
            }
            cause = error.source();
        }
        text
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed { .. } => 1,
            Self::Usage { .. } | Self::Configuration(_) => 2,
            Self::ThresholdFailed { .. } => 99,
        })
    }
}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    /// Turns an error into [`CliError::Failed`]: "`what` failed".
    fn doing(self, what: &str) -> Result<T, CliError>;
}

impl<T, E: Into<Cause>> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, CliError> {
        self.map_err(|error| CliError::Failed { what: format!("{what} failed"), source: Some(error.into()) })
    }
}
