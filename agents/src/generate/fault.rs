use serde::Serialize;

/// In what way a planted record is broken.
///
/// The document around it stays well formed, so that a reader loses this record and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The field that names the record is absent or empty.
    MissingId,
    /// The field that names the record is there, with a value of the wrong type.
    WrongType,
    /// Something else stands where the record should: a string, an empty element, a row of too few fields.
    NotARecord,
    /// The line ends in the middle of the record. Only where each record has a line of its own.
    Truncated,
}

/// One record that was planted broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// Its place among the file's records, from 0; in CSV the header is not counted.
    pub position: u64,
    /// What is wrong with it.
    pub fault: Fault,
}
