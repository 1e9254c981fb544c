//! Which of two copies is newer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PartialDate;

/// The age of one copy of a record: totally ordered, and the greatest is the newest.
///
/// Only revisions of one identity may be compared. The text form has a fixed width, so that it sorts as the value does
/// when it is stored in a database column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    first: u64,
    second: u64,
}

impl Revision {
    /// What is known of a copy that carries neither a version nor a date: older than everything else.
    pub const UNKNOWN: Self = Self { first: 0, second: 0 };

    /// Ranked by version, then by date.
    pub(super) fn versioned(version: u64, date: Option<&PartialDate>) -> Self {
        Self { first: version, second: rank(date) }
    }

    /// Ranked by one date, then by another.
    pub(super) fn dated(first: Option<&PartialDate>, second: Option<&PartialDate>) -> Self {
        Self { first: rank(first), second: rank(second) }
    }

    /// Ranked by a date, then by a size.
    pub(super) fn grown(date: Option<&PartialDate>, size: u64) -> Self {
        Self { first: rank(date), second: size }
    }
}

fn rank(date: Option<&PartialDate>) -> u64 {
    date.map_or(0, PartialDate::rank)
}

/// A version written as text; one that is no number counts as none.
pub(super) fn version_number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}.{:020}", self.first, self.second)
    }
}

impl FromStr for Revision {
    type Err = BadRevision;

    fn from_str(text: &str) -> Result<Self, BadRevision> {
        let (first, second) = text.split_once('.').ok_or(BadRevision)?;
        Ok(Self {
            first: first.parse().map_err(|_| BadRevision)?,
            second: second.parse().map_err(|_| BadRevision)?,
        })
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a revision; expected two numbers of twenty digits with a full stop between them")]
pub struct BadRevision;
