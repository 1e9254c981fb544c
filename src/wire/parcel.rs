//! A message on its way between machines or to a disk.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::decode::{DecodeError, decode_message};
use super::encode::{EncodeError, encode_message};
use super::format::Format;
use super::header::Header;
use super::limits::Limits;
use crate::Message;

/// An envelope for the wire: a message as bytes, with the [`Header`] that travels with it.
///
/// Its bytes say by themselves what they are: 20 bytes of preamble, the same in every format and version, then the
/// header and then the message, both in the format that the preamble names.
///
/// | Bytes | What |
/// |---|---|
/// | 0 to 3 | `89 53 54 4d`: no text, and no MessagePack or JSON of another program |
/// | 4, 5 | major and minor version |
/// | 6 | format: `b`, `m` or `j` |
/// | 7 | 0; a reader refuses what it does not know |
/// | 8 to 11 | length of the header, little-endian |
/// | 12 to 15 | length of the message, little-endian |
/// | 16 to 19 | CRC-32 (as in zlib) of bytes 0 to 15 and of all that follows, little-endian |
///
/// The checksum finds damage, not forgery: who may send is the transport's business.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use statim::prelude::*;
/// use statim::wire::{Format, Limits, Parcel};
///
/// #[derive(Serialize, Deserialize)]
/// enum Ward {
///     Alarm { bed: u32 },
/// }
///
/// impl Message for Ward {
///     fn priority(&self) -> Priority {
///         Priority::Critical
///     }
/// }
///
/// let limits = Limits::default();
/// let bytes = Parcel::pack("ward", &Ward::Alarm { bed: 3 }, Format::Json, &limits)?.to_bytes(&limits)?;
///
/// // Elsewhere: a router needs no message type, and the receiver no configuration.
/// let parcel = Parcel::from_bytes(&bytes, &limits)?;
/// assert_eq!((parcel.header.receiver.as_str(), parcel.header.priority), ("ward", Priority::Critical));
/// let Ward::Alarm { bed } = parcel.unpack(&limits)?;
/// assert_eq!(bed, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel<'a> {
    /// What travels with the message.
    pub header: Header,
    /// How both the header and the message are written.
    pub format: Format,
    /// The message as [`encode_message`] wrote it.
    pub payload: Cow<'a, [u8]>,
}

impl<'a> Parcel<'a> {
    /// Major version of the envelope: a reader refuses every other.
    pub const MAJOR: u8 = 1;
    /// Minor version of the envelope: a newer one has fields that may be ignored.
    pub const MINOR: u8 = 0;

    /// The message, encoded, with a header for this receiver.
    ///
    /// # Errors
    /// The message cannot be encoded; see [`encode_message`].
    pub fn pack<M: Message + Serialize>(
        receiver: impl Into<String>,
        message: &M,
        format: Format,
        limits: &Limits,
    ) -> Result<Self, EncodeError> {
        let payload = encode_message(message, format, limits)?.into();
        Ok(Self { header: Header::of(receiver, message), format, payload })
    }

    /// The message.
    ///
    /// # Errors
    /// The payload is no message of this type; see [`decode_message`].
    pub fn unpack<M: DeserializeOwned>(&self, limits: &Limits) -> Result<M, DecodeError> {
        decode_message(&self.payload, self.format, limits)
    }

    /// The parcel as bytes.
    ///
    /// # Errors
    /// The message is longer than `limits` say, or the header than [`Header::MAX_BYTES`].
    pub fn to_bytes(&self, limits: &Limits) -> Result<Vec<u8>, EncodeError> {
        let limit = longest(limits);
        let too_large = EncodeError::TooLarge { format: self.format, limit };
        let payload = u32::try_from(self.payload.len()).ok().filter(|_| self.payload.len() <= limit);
        let payload = payload.ok_or(too_large)?;
        let mut bytes = Vec::with_capacity(PREAMBLE + 256 + self.payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[Self::MAJOR, Self::MINOR, self.format.letter(), FLAGS]);
        bytes.extend_from_slice(&[0; PREAMBLE - 8]);
        self.header.write(self.format, &mut bytes)?;
        let header = u32::try_from(bytes.len() - PREAMBLE);
        let header = header.map_err(|_| EncodeError::HeaderTooLarge { limit: Header::MAX_BYTES })?;
        bytes.extend_from_slice(&self.payload);
        bytes[8..12].copy_from_slice(&header.to_le_bytes());
        bytes[12..16].copy_from_slice(&payload.to_le_bytes());
        let checksum = checksum(&bytes);
        bytes[16..PREAMBLE].copy_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }

    /// Reads a parcel, of any format. The message itself is neither copied nor looked at.
    ///
    /// # Errors
    /// The bytes are no parcel, of a version that this program does not read, damaged, or longer than `limits` say.
    pub fn from_bytes(bytes: &'a [u8], limits: &Limits) -> Result<Self, ParcelError> {
        let (preamble, rest) = bytes.split_first_chunk::<PREAMBLE>().ok_or(ParcelError::NotAParcel)?;
        let [m0, m1, m2, m3, major, minor, letter, flags, lengths @ ..] = *preamble;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(ParcelError::NotAParcel);
        }
        if major != Self::MAJOR {
            return Err(ParcelError::OtherVersion { major, minor });
        }
        let format = Format::of_letter(letter).ok_or(ParcelError::UnknownFormat { minor })?;
        if flags != FLAGS {
            return Err(ParcelError::UnknownFlags { minor });
        }
        let length = |at: usize| {
            let length = u32::from_le_bytes([lengths[at], lengths[at + 1], lengths[at + 2], lengths[at + 3]]);
            usize::try_from(length).unwrap_or(usize::MAX)
        };
        let (header, payload) = (length(0), length(4));
        if header > Header::MAX_BYTES {
            return Err(ParcelError::HeaderTooLarge { bytes: header, limit: Header::MAX_BYTES });
        }
        let limit = longest(limits);
        if payload > limit {
            return Err(ParcelError::TooLarge { bytes: payload, limit });
        }
        if rest.len() != header.saturating_add(payload) {
            return Err(ParcelError::WrongLength {
                claimed: header.saturating_add(payload),
                bytes: rest.len(),
            });
        }
        if checksum(bytes).to_le_bytes() != lengths[8..] {
            return Err(ParcelError::Damaged);
        }
        let (header, payload) = rest.split_at(header);
        Ok(Self { header: Header::read(header, format)?, format, payload: payload.into() })
    }

    /// The same parcel with a payload of its own.
    #[must_use]
    pub fn into_owned(self) -> Parcel<'static> {
        Parcel { header: self.header, format: self.format, payload: self.payload.into_owned().into() }
    }
}

impl fmt::Debug for Parcel<'_> {
    /// Everything but the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("header", &self.header)
            .field("format", &self.format)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

/// Why [`Parcel::from_bytes`] has no parcel. Quotes nothing of the bytes but version numbers and lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParcelError {
    /// Something else, or less than a preamble.
    #[error("the bytes are no parcel")]
    NotAParcel,
    /// Written by a program whose envelope this one does not know.
    #[error(
        "the parcel is of version {major}.{minor} and this program reads version {}; update the older side",
        Parcel::MAJOR
    )]
    OtherVersion {
        /// Major version of the parcel.
        major: u8,
        /// Minor version of the parcel.
        minor: u8,
    },
    /// Written in a format that this program does not know.
    #[error(
        "the parcel, of minor version {minor}, is in a format that this program does not read; update it, or send another"
    )]
    UnknownFormat {
        /// Minor version of the parcel.
        minor: u8,
    },
    /// Written in a way that this program does not know.
    #[error("the parcel, of minor version {minor}, has flags that this program does not know; update it")]
    UnknownFlags {
        /// Minor version of the parcel.
        minor: u8,
    },
    /// The header is longer than any may be.
    #[error("the parcel's header has {bytes} bytes and the limit is {limit}")]
    HeaderTooLarge {
        /// Length of the header, as it claims.
        bytes: usize,
        /// [`Header::MAX_BYTES`].
        limit: usize,
    },
    /// The message is longer than may be read.
    #[error(
        "the parcel's message has {bytes} bytes and the limit is {limit}; raise `max_bytes` if it is meant to"
    )]
    TooLarge {
        /// Length of the message, as it claims.
        bytes: usize,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// Bytes are missing or left over.
    #[error("the parcel claims {claimed} bytes after its preamble and has {bytes}")]
    WrongLength {
        /// Bytes that there should be.
        claimed: usize,
        /// Bytes that there are.
        bytes: usize,
    },
    /// The checksum does not fit.
    #[error("the parcel is damaged: its checksum does not fit")]
    Damaged,
    /// The header cannot be read.
    #[error("the parcel's header is faulty: {0}")]
    Header(#[from] DecodeError),
}

/// A first byte that begins no text in UTF-8, then the letters of a name.
const MAGIC: [u8; 4] = *b"\x89STM";
/// Length of the preamble.
const PREAMBLE: usize = 20;
/// No flag has a meaning yet.
const FLAGS: u8 = 0;

/// Longest message of a parcel under these limits.
fn longest(limits: &Limits) -> usize {
    limits.max_bytes.min(u32::MAX as usize)
}

/// Of everything but the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..PREAMBLE - 4]);
    hasher.update(&bytes[PREAMBLE..]);
    hasher.finalize()
}
