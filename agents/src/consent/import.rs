//! Provisions from a file of one JSON object a line.

use std::io::{self, BufRead};
use std::iter::FusedIterator;

use super::error::ProvisionFault;
use super::model::Provision;

/// Longest line, in bytes. A longer one is skipped without being kept.
const LONGEST_LINE: usize = 1 << 20;

/// The names that may stand in a provision, and so may be shown in an error. Anything else is the patient's.
const FIELDS: [&str; 11] = [
    "id",
    "patient",
    "issued",
    "effect",
    "purposes",
    "data_types",
    "actors",
    "period",
    "exceptions",
    "start",
    "end",
];

/// A line that gave no provision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct BadLine {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What is wrong with a line. Nothing of its content is repeated but the names of known fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// Reading failed; there are no further lines.
    #[error("reading failed: {0}")]
    Read(io::ErrorKind),
    /// More than 1 MiB.
    #[error("longer than 1 MiB")]
    TooLong,
    /// Not JSON, or not only one JSON value.
    #[error("not one JSON object, at byte {column}")]
    NotJson {
        /// How far into the line it is, from 1.
        column: usize,
    },
    /// A field that must be there is not.
    #[error("{} lacks the field {field}", place(.within))]
    Missing {
        /// The field.
        field: &'static str,
        /// The path of the rule that lacks it; empty for the provision.
        within: String,
    },
    /// A field that is not known. Refused, because a misspelt list would read as an absent one, which matches anything.
    #[error("{} has a field that is not known", place(.within))]
    Unknown {
        /// The path of the rule that has it; empty for the provision.
        within: String,
    },
    /// A value that cannot be read.
    #[error("the value at {} is not of the expected form", place(.path))]
    Value {
        /// The path of the value.
        path: String,
    },
    /// It reads, and makes no sense.
    #[error("{0}")]
    Provision(#[from] ProvisionFault),
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the provision" } else { path }
}

/// Reads provisions, one JSON object a line; see [`Provision`] for its fields. Blank lines are passed over. A bad line
/// is an error in its place and does not stop the rest. At most 1 MiB of the input is held at a time.
pub fn read_provisions<R: BufRead>(reader: R) -> impl Iterator<Item = Result<Provision, BadLine>> {
    Provisions { reader, line: 0, ended: false }
}

struct Provisions<R> {
    reader: R,
    line: u64,
    ended: bool,
}

impl<R: BufRead> Iterator for Provisions<R> {
    type Item = Result<Provision, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        while !self.ended {
            self.line += 1;
            let line = self.line;
            let whole = match self.read_line(&mut bytes) {
                Ok(whole) => whole,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(BadLine { line, fault: LineFault::Read(error.kind()) }));
                }
            };
            if !whole {
                return Some(Err(BadLine { line, fault: LineFault::TooLong }));
            }
            let mut text = bytes.trim_ascii();
            if line == 1 {
                text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
            }
            if !text.is_empty() {
                return Some(parse(text).map_err(|fault| BadLine { line, fault }));
            }
        }
        None
    }
}

impl<R: BufRead> FusedIterator for Provisions<R> {}

impl<R: BufRead> Provisions<R> {
    /// Reads up to the next line feed. False if the line was too long to keep.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        bytes.clear();
        let mut whole = true;
        loop {
            let piece = match self.reader.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if piece.is_empty() {
                self.ended = true;
                return Ok(whole);
            }
            let feed = piece.iter().position(|&byte| byte == b'\n');
            let used = feed.map_or(piece.len(), |at| at + 1);
            whole &= bytes.len() + used <= LONGEST_LINE;
            if whole {
                bytes.extend_from_slice(&piece[..used]);
            }
            self.reader.consume(used);
            if feed.is_some() {
                return Ok(whole);
            }
        }
    }
}

fn parse(text: &[u8]) -> Result<Provision, LineFault> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let provision: Provision = serde_path_to_error::deserialize(&mut json).map_err(|error| fault(&error))?;
    json.end().map_err(|error| LineFault::NotJson { column: error.column() })?;
    provision.check()?;
    Ok(provision)
}

/// Says what happened in our own words: serde's would repeat the value it did not like.
fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> LineFault {
    let inner = error.inner();
    if !inner.is_data() {
        return LineFault::NotJson { column: inner.column() };
    }
    let (path, known) = shown(error.path());
    let said = inner.to_string();
    if let Some(rest) = said.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or_default();
        if let Some(field) = FIELDS.into_iter().find(|it| *it == name) {
            return LineFault::Missing { field, within: path };
        }
    }
    if !known || said.starts_with("unknown field") {
        return LineFault::Unknown { within: path };
    }
    LineFault::Value { path }
}

/// The path up to the first name that is not ours, and whether that is all of it.
fn shown(path: &serde_path_to_error::Path) -> (String, bool) {
    use serde_path_to_error::Segment;
    use std::fmt::Write as _;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => write!(text, "[{index}]").unwrap_or_default(),
            Segment::Map { key } if FIELDS.contains(&key.as_str()) => {
                let dot = if text.is_empty() { "" } else { "." };
                write!(text, "{dot}{key}").unwrap_or_default();
            }
            _ => return (text, false),
        }
    }
    (text, true)
}
