//! The three formats, and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a message is written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Small and fast, without the names of fields: both sides must have the same message type.
    Bincode,
    /// Small, with the names of fields, and read by other languages: old and new message types understand each other.
    MessagePack,
    /// Text that people and every language read; numbers that are not finite cannot be written.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Bincode, Self::MessagePack, Self::Json];

    /// The format's name in lower case, as configuration, a database row and an error write it. Never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            Self::MessagePack => "messagepack",
            Self::Json => "json",
        }
    }

    /// The byte that names the format in a parcel. Never changes.
    pub(crate) const fn letter(self) -> u8 {
        match self {
            Self::Bincode => b'b',
            Self::MessagePack => b'm',
            Self::Json => b'j',
        }
    }

    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.letter() == letter)
    }

    /// Whether text stands in the place of bytes: `Serializer::is_human_readable`.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Json)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    /// The format of this name, exactly as [`as_str`](Self::as_str) writes it.
    ///
    /// # Errors
    /// No format has this name.
    fn from_str(name: &str) -> Result<Self, FormatError> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or(FormatError)
    }
}

/// A name that is none of a [`Format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a wire format: the formats are bincode, messagepack and json")]
pub struct FormatError;
