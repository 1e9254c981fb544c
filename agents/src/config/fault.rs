//! What is wrong with a configuration.

use std::fmt;

use super::lines::Position;

/// Most faults that are kept of one file; more would only be scrolled past.
const MOST: usize = 100;

/// One thing that is wrong. Never repeats a value that may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where; `None` when it is about the file as a whole or about a default.
    pub position: Option<Position>,
    /// The path of the field, such as `ingestion.workers`, where it is about one.
    pub field: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    pub(crate) fn at(position: Position, field: Option<String>, message: impl Into<String>) -> Self {
        Self { position: Some(position), field, message: message.into() }
    }

    /// About a value that no line gives.
    pub(crate) fn unwritten(field: String, message: String) -> Self {
        Self { position: None, field: Some(field), message }
    }

    /// About the file as a whole.
    pub(crate) fn file(message: String) -> Self {
        Self { position: None, field: None, message }
    }
}

/// Everything that is wrong with a configuration, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    origin: String,
    faults: Vec<Fault>,
    more: usize,
}

impl Faults {
    pub(crate) fn of(origin: String, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|it| it.position);
        let more = faults.len().saturating_sub(MOST);
        faults.truncate(MOST);
        Self { origin, faults, more }
    }

    /// The file, as it was named.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The faults: at least one, and the first 100.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, faults, more } = self;
        match faults.len() + more {
            1 => write!(f, "the configuration has a fault")?,
            count => write!(f, "the configuration has {count} faults")?,
        }
        for Fault { position, field, message } in faults {
            write!(f, "\n  {origin}:")?;
            if let Some(position) = position {
                write!(f, "{position}:")?;
            }
            if let Some(field) = field {
                write!(f, " {field}:")?;
            }
            write!(f, " {message}")?;
        }
        if *more > 0 {
            write!(f, "\n  … and {more} more")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
