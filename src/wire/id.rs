//! Identifiers of 128 bits.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What tells a message from every other: a UUID.
///
/// Written as text where the format is text (`018f3a5c-…`), and as 16 bytes otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u128);

impl MessageId {
    /// A new one: a UUID of version 7, so that later ones sort after earlier ones to the millisecond, which keeps an
    /// index over them small and local.
    #[must_use]
    pub fn generate() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // 48 bits of milliseconds last until the year 10889.
        let milliseconds = now.as_millis() & 0xffff_ffff_ffff;
        let random = rand::random::<u128>() & 0xfff_3fff_ffff_ffff_ffff;
        Self(milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | random)
    }

    /// The identifier of this number.
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// The identifier as a number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The 16 bytes of the UUID, the most significant first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The identifier of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, bits: u32| (self.0 >> shift) & ((1 << bits) - 1);
        let (a, b, c, d, e) = (part(96, 32), part(80, 16), part(64, 16), part(48, 16), part(0, 48));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`MessageId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message id: a message id is a UUID, 36 characters of hexadecimal digits and hyphens")]
pub struct MessageIdError;

impl FromStr for MessageId {
    type Err = MessageIdError;

    /// Reads the hyphenated form of a UUID, in digits of either case.
    ///
    /// # Errors
    /// The text has another form.
    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let hyphens = [8, 13, 18, 23];
        if text.len() != 36 || hyphens.iter().any(|at| text.as_bytes()[*at] != b'-') {
            return Err(MessageIdError);
        }
        let digits = text.bytes().enumerate().filter(|(at, _)| !hyphens.contains(at)).map(|(_, digit)| digit);
        from_hex(digits).map(Self).ok_or(MessageIdError)
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.to_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_bits(deserializer, |text| text.parse().ok().map(Self::as_u128)).map(Self)
    }
}

/// 128 bits without a meaning of their own, as 32 hexadecimal digits or 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits(pub(super) [u8; 16]);

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = deserialize_bits(deserializer, |text| from_hex(text.bytes()))?;
        Ok(Self(bits.to_be_bytes()))
    }
}

/// The number of exactly 32 hexadecimal digits.
pub(super) fn from_hex(digits: impl Iterator<Item = u8>) -> Option<u128> {
    let (mut number, mut count) = (0_u128, 0);
    for digit in digits.take(33) {
        number = number << 4 | u128::from(char::from(digit).to_digit(16)?);
        count += 1;
    }
    (count == 32).then_some(number)
}

fn deserialize_bits<'de, D: Deserializer<'de>>(
    deserializer: D,
    parse: fn(&str) -> Option<u128>,
) -> Result<u128, D::Error> {
    let visitor = BitsVisitor { parse };
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(visitor)
    } else {
        deserializer.deserialize_bytes(visitor)
    }
}

struct BitsVisitor {
    parse: fn(&str) -> Option<u128>,
}

impl Visitor<'_> for BitsVisitor {
    type Value = u128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("128 bits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u128, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str("text"), &self))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<u128, E> {
        let bytes = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(u128::from_be_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_a_uuid_of_version_7_and_sorts_by_time() {
        let first = MessageId::generate();
        assert_eq!((first.0 >> 76) & 0xf, 7);
        assert_eq!((first.0 >> 62) & 0b11, 0b10);
        std::thread::sleep(std::time::Duration::from_millis(2));
        let second = MessageId::generate();
        assert!(first < second, "{first} {second}");
        assert_ne!(first.0 << 66, second.0 << 66, "the random part");
    }

    #[test]
    fn an_id_is_written_as_a_uuid_and_read_back() {
        let id = MessageId::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(id.to_string(), "01234567-89ab-cdef-0011-223344556677");
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        assert_eq!(MessageId::from_bytes(id.to_bytes()), id);
        for wrong in [
            "",
            "0123456789abcdef0011223344556677",
            "01234567-89ab-cdef-0011-22334455667",
            "01234567-89ab-cdef-0011-2233445566777",
            "01234567-89ab-cdef-0011-22334455667g",
            "+1234567-89ab-cdef-0011-223344556677",
            "0123456é-89ab-cdef-0011-22334455667",
            "------------------------------------",
        ] {
            assert_eq!(wrong.parse::<MessageId>(), Err(MessageIdError), "{wrong}");
        }
    }
}
