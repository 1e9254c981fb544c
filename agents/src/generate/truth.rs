use serde::Serialize;

use super::fault::Planted;

/// What is really in a generated file.
///
/// `records = distinct + identical_repeats + newer_versions + variants + bad.len()`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// How many records were written, broken ones included.
    pub records: u64,
    /// How many of them are the first appearance of a record in the sequence; for people, how many people there are.
    pub distinct: u64,
    /// How many say exactly what the latest edition before them said.
    pub identical_repeats: u64,
    /// How many are a later edition of an earlier record: the same id, a later date or version, a changed content.
    pub newer_versions: u64,
    /// People only: how many are a corrupted copy of an earlier person.
    pub variants: u64,
    /// Articles only: how many distinct articles the file deletes at its end. They still count as distinct.
    pub deleted: u64,
    /// The records planted broken, in order. The only part of a truth that grows with the file.
    pub bad: Vec<Planted>,
    /// Consents only: how many access requests should be permitted.
    pub permitted: u64,
    /// Consents only: how many access requests should be denied.
    pub denied: u64,
    /// Studies only: locations over every record that is not broken, repeats and editions included.
    pub locations: u64,
    /// Articles only: authors, collective ones included, counted like `locations`.
    pub authors: u64,
    /// Articles only: MeSH headings, counted like `locations`.
    pub mesh_headings: u64,
    /// Articles only: references, counted like `locations`.
    pub references: u64,
    /// Products, and for applications the products listed in them; counted like `locations`.
    pub products: u64,
}
