//! From a message to bytes.

use std::io;

use serde::Serialize;

use super::format::Format;
use super::limits::Limits;
use super::survey::{Objection, survey};

/// Writes a message so that [`decode_message`](super::decode_message) reads it under the same limits.
///
/// * **bincode**: integers of variable length, little-endian; fields by position. No field may be left out
///   (`skip_serializing_if`), and both sides must have the same type: a variant may be appended, a field may not.
/// * **MessagePack**: structs as maps with their fields' names, variants by name.
/// * **JSON**: as serde writes it, without white space. NaN and infinities are refused here, where others write `null`.
///
/// Floating-point numbers keep every bit in all three, NaN in the two binary ones.
///
/// # Errors
/// The message exceeds the limits, has something the format cannot say, or refuses by itself. The error quotes nothing
/// of the message.
pub fn encode_message<M: Serialize + ?Sized>(
    message: &M,
    format: Format,
    limits: &Limits,
) -> Result<Vec<u8>, EncodeError> {
    survey(message, format, limits).map_err(|objection| EncodeError::of(objection, format, limits))?;
    let mut buffer = Buffer { bytes: Vec::new(), most: limits.max_bytes, full: false };
    match write(message, format, &mut buffer) {
        Ok(()) => Ok(buffer.bytes),
        Err(_) if buffer.full => Err(EncodeError::TooLarge { format, limit: limits.max_bytes }),
        Err(error) => Err(error),
    }
}

/// Why [`encode_message`] or [`Parcel::to_bytes`](super::Parcel::to_bytes) wrote nothing. Quotes nothing of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Longer than may be written.
    #[error(
        "the message has more than {limit} bytes in {format}; raise `max_bytes` here and at the receiver, or send less at once"
    )]
    TooLarge {
        /// What it was written as.
        format: Format,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// Nested more deeply than may be written.
    #[error("the message is nested more than {limit} deep")]
    TooDeep {
        /// [`Limits::max_depth`], or [`Limits::DEEPEST`].
        limit: usize,
    },
    /// More values than may be written.
    #[error(
        "the message has more than {limit} values; raise `max_values` here and at the receiver, or send less at once"
    )]
    TooManyValues {
        /// [`Limits::max_values`].
        limit: usize,
    },
    /// JSON has no NaN and no infinity.
    #[error(
        "the message has a number that is not finite, which JSON cannot say; use an option, or a binary format"
    )]
    NotFinite,
    /// A field was left out by `skip_serializing_if`, which bincode could not read back.
    #[error(
        "the message's type leaves a field out, which bincode cannot read back; use messagepack or json for it"
    )]
    FieldLeftOut,
    /// A sequence or map of unknown length, which bincode cannot write: a flattened struct, or an iterator.
    #[error(
        "the message has a sequence or map of unknown length, which bincode cannot write; use messagepack or json for it"
    )]
    UnknownLength,
    /// Something else that the format cannot say, such as a map in JSON whose keys are no texts.
    #[error("the message has something that {format} cannot say, such as a map's key that is no text")]
    Unsupported {
        /// What it was written as.
        format: Format,
    },
    /// The `Serialize` of the message's own type refused.
    #[error("the message's type refused to be written as {format}")]
    Refused {
        /// What it was written as.
        format: Format,
    },
    /// The fields beside the message are longer than a parcel's header may be.
    #[error("the parcel's header has more than {limit} bytes; shorten its names and keys")]
    HeaderTooLarge {
        /// What it may be.
        limit: usize,
    },
}

impl EncodeError {
    fn of(objection: Objection, format: Format, limits: &Limits) -> Self {
        match objection {
            Objection::TooDeep => Self::TooDeep { limit: limits.depth() },
            Objection::TooManyValues => Self::TooManyValues { limit: limits.max_values },
            Objection::NotFinite => Self::NotFinite,
            Objection::FieldLeftOut => Self::FieldLeftOut,
            Objection::UnknownLength => Self::UnknownLength,
            Objection::Refused => Self::Refused { format },
        }
    }
}

fn write<M: Serialize + ?Sized>(message: &M, format: Format, buffer: &mut Buffer) -> Result<(), EncodeError> {
    match format {
        Format::Bincode => {
            use bincode::error::EncodeError as Error;
            let written = bincode::serde::encode_into_writer(message, buffer, bincode::config::standard());
            written.map_err(|error| match error {
                Error::OtherString(_) => EncodeError::Refused { format },
                Error::Serde(_) => EncodeError::UnknownLength,
                _ => EncodeError::Unsupported { format },
            })
        }
        Format::MessagePack => {
            use rmp_serde::encode::Error;
            let mut writer = rmp_serde::Serializer::new(buffer).with_struct_map();
            message.serialize(&mut writer).map_err(|error| match error {
                Error::Syntax(_) => EncodeError::Refused { format },
                _ => EncodeError::Unsupported { format },
            })
        }
        Format::Json => serde_json::to_writer(buffer, message).map_err(|error| {
            if error.is_data() {
                EncodeError::Refused { format }
            } else {
                EncodeError::Unsupported { format }
            }
        }),
    }
}

/// Bytes up to a limit.
struct Buffer {
    bytes: Vec<u8>,
    most: usize,
    /// Something did not fit.
    full: bool,
}

impl Buffer {
    #[inline]
    fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len() <= self.most - self.bytes.len();
        if fits {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.full = true;
        }
        fits
    }
}

impl bincode::enc::write::Writer for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        if self.push(bytes) { Ok(()) } else { Err(bincode::error::EncodeError::UnexpectedEnd) }
    }
}

impl io::Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.push(bytes) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
