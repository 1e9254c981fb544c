//! From bytes to a message.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed};

use super::fault::{Cause, Fault};
use super::format::Format;
use super::guard::Guard;
use super::limits::Limits;

/// Reads a message that [`encode_message`](super::encode_message) wrote.
///
/// Any bytes end in a message or in an error: what is allocated is bounded by `limits`, and all bytes must belong to the
/// message. Bytes that were damaged may still read as another message, most easily in bincode: keep them in a
/// [`Parcel`](super::Parcel), which has a checksum, or in a database that has.
///
/// # Errors
/// The bytes exceed the limits or are no message of this type in this format. The error says where and what class of
/// fault, and quotes nothing of the bytes.
///
/// # Examples
///
/// ```
/// use statim::wire::{DecodeError, Format, Limits, decode_message, encode_message};
///
/// let limits = Limits::default();
/// let bytes = encode_message(&("bed", 3), Format::Json, &limits)?;
/// assert_eq!(bytes, br#"["bed",3]"#);
/// let back: (String, u32) = decode_message(&bytes, Format::Json, &limits)?;
/// assert_eq!(back, ("bed".to_owned(), 3));
///
/// let wrong: Result<(u32, u32), DecodeError> = decode_message(&bytes, Format::Json, &limits);
/// assert_eq!(
///     wrong.unwrap_err().to_string(),
///     "not readable as json: another value stands where the type has something else (line 1, column 6)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_message<M: DeserializeOwned>(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
) -> Result<M, DecodeError> {
    decode(bytes, format, limits)
}

/// Why [`decode_message`] has no message. Quotes nothing of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Longer than may be read; nothing was looked at.
    #[error("{bytes} bytes and the limit is {limit}; raise `max_bytes` if it is meant to be so long")]
    TooLarge {
        /// Length of the input.
        bytes: usize,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// Nested more deeply than may be read.
    #[error("nested, in {format}, more than {limit} deep ({place})")]
    TooDeep {
        /// What it was read as.
        format: Format,
        /// [`Limits::max_depth`], or [`Limits::DEEPEST`].
        limit: usize,
        /// Where.
        place: Place,
    },
    /// More values than may be read.
    #[error("more than {limit} values, in {format}; raise `max_values` if it is meant to")]
    TooManyValues {
        /// What it was read as.
        format: Format,
        /// [`Limits::max_values`].
        limit: usize,
    },
    /// Not a message of this type in this format.
    #[error("not readable as {format}: {fault} ({place})")]
    Malformed {
        /// What it was read as.
        format: Format,
        /// The class of what is wrong.
        fault: Fault,
        /// Where.
        place: Place,
    },
}

/// Where in a message a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a text: lines and bytes of the line, from 1.
    Line {
        /// The line.
        line: usize,
        /// The byte in it.
        column: usize,
    },
    /// In a binary format: so many values (elements, keys, fields, variants) were begun.
    Value(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column } => write!(f, "line {line}, column {column}"),
            Self::Value(number) => write!(f, "at value {number}"),
        }
    }
}

pub(super) fn decode<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    format: Format,
    limits: &Limits,
) -> Result<T, DecodeError> {
    if bytes.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge { bytes: bytes.len(), limit: limits.max_bytes });
    }
    let guard = Guard::new(limits, bytes.len());
    let failed = match format {
        Format::Bincode => bincode(bytes, &guard),
        Format::MessagePack => message_pack(bytes, &guard),
        Format::Json => json(bytes, &guard),
    };
    failed.map_err(|(cause, place)| {
        let place = place.unwrap_or_else(|| Place::Value(guard.begun()));
        match cause {
            Cause::TooDeep => DecodeError::TooDeep { format, limit: limits.depth(), place },
            Cause::TooManyValues => DecodeError::TooManyValues { format, limit: limits.max_values },
            Cause::Fault(fault) => DecodeError::Malformed { format, fault, place },
        }
    })
}

/// What went wrong, and where if the reader says it.
type Failed = (Cause, Option<Place>);

const fn failed(fault: Fault) -> Failed {
    (Cause::Fault(fault), None)
}

fn bincode<'de, T: Deserialize<'de>>(bytes: &'de [u8], guard: &Guard) -> Result<T, Failed> {
    let seed = guard.around(PhantomData::<T>);
    match bincode::serde::seed_decode_from_slice(seed, bytes, bincode::config::standard()) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok(_) => Err(failed(Fault::Trailing)),
        Err(error) => Err((of_bincode(&error, guard), None)),
    }
}

fn of_bincode(error: &bincode::error::DecodeError, guard: &Guard) -> Cause {
    use bincode::error::DecodeError;
    Cause::Fault(match error {
        DecodeError::OtherString(_) => return guard.cause().unwrap_or(Cause::Fault(Fault::WrongValue)),
        DecodeError::UnexpectedEnd { .. } => Fault::Truncated,
        DecodeError::Utf8 { .. } => Fault::Text,
        DecodeError::Serde(_) => Fault::NotSelfDescribing,
        DecodeError::UnexpectedVariant { .. } | DecodeError::EmptyEnum { .. } => Fault::UnknownVariant,
        DecodeError::ArrayLengthMismatch { .. } => Fault::WrongLength,
        DecodeError::InvalidIntegerType { .. } => Fault::Syntax,
        _ => Fault::WrongValue,
    })
}

fn message_pack<'de, T: Deserialize<'de>>(bytes: &'de [u8], guard: &Guard) -> Result<T, Failed> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    // Counts fewer levels than the guard does, so the guard speaks first.
    reader.set_max_depth(Limits::DEEPEST + 8);
    let value = guard.around(PhantomData::<T>).deserialize(&mut reader);
    let value = value.map_err(|error| (of_message_pack(&error, guard), None))?;
    match bool::deserialize(&mut reader) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(failed(Fault::Trailing)),
    }
}

fn of_message_pack(error: &rmp_serde::decode::Error, guard: &Guard) -> Cause {
    use rmp_serde::decode::Error;
    Cause::Fault(match error {
        Error::Syntax(_) => return guard.cause().unwrap_or(Cause::Fault(Fault::WrongValue)),
        Error::DepthLimitExceeded => return Cause::TooDeep,
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => Fault::Truncated,
        Error::TypeMismatch(_) => Fault::WrongType { found: "another value" },
        Error::OutOfRange => Fault::WrongValue,
        Error::LengthMismatch(_) => Fault::WrongLength,
        Error::Utf8Error(_) => Fault::Text,
        Error::Uncategorized(_) => Fault::Syntax,
    })
}

fn json<'de, T: Deserialize<'de>>(bytes: &'de [u8], guard: &Guard) -> Result<T, Failed> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let place = |error: &serde_json::Error| Some(Place::Line { line: error.line(), column: error.column() });
    let value = guard.around(PhantomData::<T>).deserialize(&mut reader);
    let value = value.map_err(|error| (of_json(&error, guard), place(&error)))?;
    reader.end().map_err(|error| (Cause::Fault(Fault::Trailing), place(&error)))?;
    Ok(value)
}

fn of_json(error: &serde_json::Error, guard: &Guard) -> Cause {
    use serde_json::error::Category;
    Cause::Fault(match error.classify() {
        Category::Data => {
            let found = Fault::WrongType { found: "another value" };
            return guard.cause().unwrap_or(Cause::Fault(found));
        }
        Category::Eof => Fault::Truncated,
        Category::Syntax | Category::Io => Fault::Syntax,
    })
}
