//! Whose trace a message belongs to.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::id::from_hex;

/// The trace that a message belongs to and the span that sent it: the `traceparent` of W3C Trace Context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    parent: u64,
    flags: u8,
}

impl TraceContext {
    /// Bytes of the binary form: trace, parent, flags.
    pub(super) const BYTES: usize = 25;

    /// A context of a trace's number, the number of the sending span, and the flags (1: sampled). `None` if either
    /// number is zero, which the standard gives no meaning.
    #[must_use]
    pub const fn new(trace: u128, parent: u64, flags: u8) -> Option<Self> {
        if trace == 0 || parent == 0 { None } else { Some(Self { trace, parent, flags }) }
    }

    /// The number of the trace.
    #[must_use]
    pub const fn trace(self) -> u128 {
        self.trace
    }

    /// The number of the span that sent the message.
    #[must_use]
    pub const fn parent(self) -> u64 {
        self.parent
    }

    /// The flags; bit 0 says that the trace is sampled.
    #[must_use]
    pub const fn flags(self) -> u8 {
        self.flags
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.trace.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.parent.to_be_bytes());
        bytes[24] = self.flags;
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (trace, rest) = bytes.split_first_chunk()?;
        let (parent, rest) = rest.split_first_chunk()?;
        let &[flags] = rest else { return None };
        Self::new(u128::from_be_bytes(*trace), u64::from_be_bytes(*parent), flags)
    }
}

impl fmt::Display for TraceContext {
    /// The value of the header `traceparent`, 55 characters of version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.parent, self.flags)
    }
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a traceparent of W3C Trace Context: 00-<32 digits>-<16 digits>-<2 digits>, hexadecimal and not all zero"
)]
pub struct TraceContextError;

impl FromStr for TraceContext {
    type Err = TraceContextError;

    /// Reads the value of the header `traceparent`. Of a later version than 00 it takes what version 00 has, as the
    /// standard asks.
    ///
    /// # Errors
    /// The text has another form, or an identifier is zero.
    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        parse(text.as_bytes()).ok_or(TraceContextError)
    }
}

fn parse(text: &[u8]) -> Option<TraceContext> {
    // The standard knows digits in lower case only.
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let (known, more) = text.split_at_checked(55)?;
    let version = hex(&known[..2])?;
    let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
    let whole = if version == 0 { more.is_empty() } else { more.is_empty() || more[0] == b'-' };
    if version == 0xff || !dashes || !whole {
        return None;
    }
    let parent = u64::try_from(hex(&known[36..52])?).ok()?;
    let flags = u8::try_from(hex(&known[53..])?).ok()?;
    TraceContext::new(hex(&known[3..35])?, parent, flags)
}

/// The number of these digits, up to 32 of them.
fn hex(digits: &[u8]) -> Option<u128> {
    let zeros = std::iter::repeat_n(b'0', 32_usize.saturating_sub(digits.len()));
    from_hex(zeros.chain(digits.iter().copied()))
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = TraceContext;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a traceparent")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TraceContext, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str("text"), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.trace(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((context.parent(), context.flags()), (0xb7ad_6b71_6920_3331, 1));
        assert_eq!(context.to_string(), EXAMPLE);
        assert_eq!(TraceContext::from_bytes(&context.to_bytes()), Some(context));
        assert_eq!(TraceContext::from_bytes(&context.to_bytes()[1..]), None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = format!("cc{}-what-the-future-brings", &EXAMPLE[2..]);
        assert_eq!(later.parse::<TraceContext>().unwrap().to_string(), EXAMPLE);
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let wrong = [
            String::new(),
            EXAMPLE[..54].to_owned(),
            format!("{EXAMPLE}0"),
            format!("{EXAMPLE}-00"),
            format!("ff{}", &EXAMPLE[2..]),
            format!("cc{}.", &EXAMPLE[2..]),
            EXAMPLE.to_uppercase(),
            EXAMPLE.replace('-', "_"),
            EXAMPLE.replace("af", "ag"),
            EXAMPLE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            EXAMPLE.replace("b7ad6b7169203331", &"0".repeat(16)),
            "é".repeat(40),
        ];
        for text in wrong {
            assert_eq!(text.parse::<TraceContext>(), Err(TraceContextError), "{text}");
        }
    }
}
