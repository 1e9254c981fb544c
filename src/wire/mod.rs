//! Messages as bytes: for a disk, for another machine, for another language.
//!
//! [`encode_message`] and [`decode_message`] write and read a message in one of three [`Format`]s. A [`Parcel`] is a
//! message with the [`Header`] that travels with it, in bytes that name their format and version themselves.
//!
//! What arrives is not trusted: any bytes end in a message or an error, within the [`Limits`], and no error quotes what
//! it found. Which format to choose, and how types may change, is in the book's chapter on the wire.

mod decode;
mod encode;
mod fault;
mod format;
mod guard;
mod header;
mod id;
mod limits;
mod named;
mod parcel;
mod survey;
mod tagged;
mod time;
mod trace;

pub use self::decode::{DecodeError, Place, decode_message};
pub use self::encode::{EncodeError, encode_message};
pub use self::fault::Fault;
pub use self::format::{Format, FormatError};
pub use self::header::Header;
pub use self::id::{MessageId, MessageIdError};
pub use self::limits::Limits;
pub use self::parcel::{Parcel, ParcelError};
pub use self::time::Timestamp;
pub use self::trace::{TraceContext, TraceContextError};
