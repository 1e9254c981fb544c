use super::error::GenerateError;
use super::kind::Kind;

/// How much to generate, from which seed, and with how many planted duplicates and faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many records the file holds, duplicates and broken ones included.
    pub count: u64,
    /// The seed. Another seed gives other records.
    pub seed: u64,
    /// Where in the seed's endless sequence the file begins; 0 unless it continues an earlier file.
    ///
    /// A file of `first: 60` continues one of `count: 60` that was made with the same seed and ratios: its duplicates
    /// may repeat or revise records of the earlier file, and the truths of both add up to the truth of the whole.
    /// Positions in [`Truth::bad`](super::Truth::bad) still count from the beginning of the file.
    pub first: u64,
    /// The share of records that are duplicates of an earlier one, 0 to 0.9.
    pub duplicates: f64,
    /// The share of records that are broken, 0 to 0.9; together with `duplicates` at most 0.9.
    pub bad: f64,
    /// How JSON records are laid out. Articles are always XML, people CSV and consents JSON lines.
    pub layout: Layout,
}

impl Options {
    /// `count` records from `seed`, a tenth of them duplicates, none broken, as a page.
    #[must_use]
    pub fn new(count: u64, seed: u64) -> Self {
        Options { count, seed, first: 0, duplicates: 0.1, bad: 0.0, layout: Layout::Page }
    }

    /// The layout that `kind` really gets.
    pub(super) fn layout_for(&self, kind: Kind) -> Layout {
        match kind {
            Kind::Consents => Layout::Lines,
            Kind::Articles | Kind::People => Layout::Page,
            _ => self.layout,
        }
    }

    pub(super) fn check(&self, kind: Kind) -> Result<(), GenerateError> {
        for (name, ratio) in [("duplicates", self.duplicates), ("bad", self.bad)] {
            if !(0.0..=0.9).contains(&ratio) {
                return Err(GenerateError::Ratio { name, ratio });
            }
        }
        if self.duplicates + self.bad > 0.9 {
            return Err(GenerateError::Ratios { sum: self.duplicates + self.bad });
        }
        match self.first.checked_add(self.count) {
            Some(end) if end <= kind.capacity() => Ok(()),
            _ => Err(GenerateError::TooMany { kind, capacity: kind.capacity() }),
        }
    }
}

/// How JSON records are laid out in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One object around them, as the source's interface answers: `{"studies":[…],"nextPageToken":…}` or
    /// `{"meta":{…},"results":[…]}`.
    #[default]
    Page,
    /// A bare array of records, as ClinicalTrials.gov's download button gives.
    Array,
    /// One record a line.
    Lines,
}
