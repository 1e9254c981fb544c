//! Results as bytes, and their form in Redis.
//!
//! A result is MessagePack with the names of its fields, so that a type whose fields were renamed or moved does not
//! take the old bytes for its own. In Redis a header stands before it:
//!
//! ```text
//! "STQ1"  fingerprint (16)  checksum (16)  count of tags (2)  a generation (16) for each tag  payload
//! ```
//!
//! The version is in the magic. Whatever does not fit is a miss.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::{Namer, Print};

const MAGIC: &[u8; 4] = b"STQ1";
const FIXED_BYTES: usize = MAGIC.len() + 16 + 16 + 2;
const GENERATION_BYTES: usize = 16;
/// More tags than a query may reasonably have; as many as the header can count.
pub(super) const MOST_TAGS: usize = u16::MAX as usize;

/// The generation of a tag in Redis. Random, because a counter that Redis forgets (evicted, restarted, failed over)
/// would count to the same numbers again.
pub(super) type Generation = [u8; GENERATION_BYTES];

pub(super) fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    rmp_serde::to_vec_named(value).ok()
}

pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    rmp_serde::from_slice(payload).ok()
}

/// Whether a result is nothing at all: `None`, or `()`.
pub(super) fn is_nothing(payload: &[u8]) -> bool {
    const NIL: u8 = 0xc0;
    payload == [NIL]
}

/// The most bytes that a result of so many can take in Redis.
pub(super) fn longest_stored(payload: usize, tags: usize) -> usize {
    FIXED_BYTES + tags * GENERATION_BYTES + payload
}

/// A result as Redis keeps it. `generations` are at most [`MOST_TAGS`].
pub(super) fn to_stored(namer: &Namer, name: Print, generations: &[Generation], payload: &[u8]) -> Vec<u8> {
    let generations_bytes = generations.as_flattened();
    let name = name.to_bytes();
    let count = u16::try_from(generations.len()).unwrap_or(u16::MAX).to_le_bytes();
    let checksum = namer.checksum(&[&name, &count, generations_bytes, payload]);
    [MAGIC.as_slice(), &name, &checksum, &count, generations_bytes, payload].concat()
}

/// What [`to_stored`] made of a result of this name: its generations and its payload. Anything else is `None`.
pub(super) fn from_stored<'a>(
    namer: &Namer,
    name: Print,
    stored: &'a [u8],
) -> Option<(Vec<Generation>, &'a [u8])> {
    let rest = stored.strip_prefix(MAGIC)?.strip_prefix(&name.to_bytes())?;
    let (checksum, rest) = rest.split_first_chunk::<16>()?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let generations_bytes = usize::from(u16::from_le_bytes(*count)) * GENERATION_BYTES;
    let (generations, payload) = rest.split_at_checked(generations_bytes)?;
    if namer.checksum(&[&name.to_bytes(), count, generations, payload]) != *checksum {
        return None;
    }
    let (generations, _) = generations.as_chunks::<GENERATION_BYTES>();
    Some((generations.to_vec(), payload))
}
