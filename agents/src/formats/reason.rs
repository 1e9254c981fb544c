//! Why something was refused, in words that show no value.

use std::io;

use super::meter::Ceiling;
use super::quarantine::{Position, Stop};

/// Longest field path that is shown, in bytes. A path is made of names that the file chose.
const PATH_BYTES: usize = 400;

/// What an I/O error means: the operating system failed, or the content is damaged.
pub(super) fn of_io(error: &io::Error, position: Position) -> Stop {
    if let Some(code) = error.raw_os_error() {
        return Stop::Disk(io::Error::from_raw_os_error(code));
    }
    let ceiling = error.get_ref().and_then(|inner| inner.downcast_ref::<Ceiling>());
    let reason = match (ceiling, error.kind()) {
        (Some(ceiling), _) => ceiling.to_string(),
        (None, io::ErrorKind::UnexpectedEof) => {
            "the compressed data ends too early; the file is truncated".to_owned()
        }
        (None, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            "the compressed data is damaged".to_owned()
        }
        (None, kind) => format!("cannot be read: {kind}"),
    };
    Stop::fault(position, reason)
}

/// What serde_json says, without the values that it quotes.
pub(super) fn of_json(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => "not valid JSON: it ends too early".to_owned(),
        Category::Io => "cannot be read".to_owned(),
        Category::Syntax if is_too_deep(error) => "nested too deeply".to_owned(),
        Category::Syntax => {
            format!("not valid JSON at line {}, column {} of the record", error.line(), error.column())
        }
        Category::Data => of_data(&error.to_string()),
    }
}

/// Whether serde_json refused the depth of a text that is otherwise valid.
fn is_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit exceeded")
}

/// Keeps from a message of serde what our own code wrote: the sort of value found and what was expected.
fn of_data(message: &str) -> String {
    const FOUND: [&str; 12] = [
        "map",
        "sequence",
        "string",
        "integer",
        "floating point",
        "boolean",
        "null",
        "unit value",
        "character",
        "newtype struct",
        "Option value",
        "byte array",
    ];
    for prefix in ["missing field `", "duplicate field `"] {
        let name = message.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
        if let Some(name) = name {
            return format!("{prefix}{name}`");
        }
    }
    let invalid = ["invalid type: ", "invalid value: "].into_iter().find_map(|prefix| {
        let rest = message.strip_prefix(prefix)?;
        let found = FOUND.into_iter().find(|found| rest.starts_with(found))?;
        // The text after the last mark is ours; a quoted value can only stand before it.
        let (_, expected) = rest.rsplit_once(", expected ")?;
        let expected = expected.rsplit_once(" at line ").map_or(expected, |(text, _)| text);
        Some(format!("{prefix}{found}, expected {expected}"))
    });
    invalid.unwrap_or_else(|| "a value has the wrong form".to_owned())
}

/// A field path of a length that can be shown.
pub(super) fn shown_path(path: &str) -> Option<String> {
    if path.is_empty() || path == "." {
        return None;
    }
    if path.len() <= PATH_BYTES {
        return Some(path.to_owned());
    }
    let end = (0..=PATH_BYTES).rev().find(|&end| path.is_char_boundary(end)).unwrap_or(0);
    Some(format!("{}…", &path[..end]))
}
