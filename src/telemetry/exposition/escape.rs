//! Label values and help texts may hold anything; a scrape may not.

use std::borrow::Cow;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

/// Longest label value, in bytes. Agents are named by programs, and names may come from outside.
const LONGEST: usize = 200;

/// A label value of at most 200 bytes, as both text formats write it between quotes. What is cut off is replaced by a
/// fingerprint, so that two long names that begin alike stay two series.
pub(super) fn label(value: &str) -> Cow<'_, str> {
    if value.len() <= LONGEST {
        return escape(value);
    }
    let end = value.floor_char_boundary(LONGEST - 18);
    let mut hasher = SipHasher13::new();
    value.hash(&mut hasher);
    let mut short = escape(&value[..end]).into_owned();
    let _ = write!(short, "~{:016x}", hasher.finish());
    Cow::Owned(short)
}

/// The same for the text of a `# HELP` line; OpenMetrics wants quotes escaped there too, which the older format reads
/// as they are, so help texts are written without any.
pub(super) fn help(text: &str) -> Cow<'_, str> {
    let bare = if text.contains('"') { Cow::Owned(text.replace('"', "'")) } else { Cow::Borrowed(text) };
    match bare {
        Cow::Borrowed(text) => escape(text),
        Cow::Owned(text) => Cow::Owned(escape(&text).into_owned()),
    }
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_control() || byte == b'"' || byte == b'\\') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            // Allowed by the formats, but terminals obey them and some scrapers end a line at a carriage return.
            control if control.is_ascii_control() => {
                let _ = write!(escaped, "\\\\x{:02x}", control as u32);
            }
            plain => escaped.push(plain),
        }
    }
    Cow::Owned(escaped)
}
