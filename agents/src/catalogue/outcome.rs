//! What became of a batch.

use std::ops::AddAssign;

use super::incoming::SourcePosition;
use crate::record::{Identity, Scheme};

/// What became of a batch. Each record that arrived is counted once, as is each deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Records of which nothing was known.
    pub inserted: u64,
    /// Records that are current now in place of an earlier version, or again after a deletion.
    pub updated: u64,
    /// Records whose content was known already and changed nothing.
    pub unchanged: u64,
    /// Records with new content that is not current: an older revision, or already deleted. Kept as history.
    pub superseded: u64,
    /// Deletions that took a record away.
    pub deleted: u64,
    /// Deletions of something unknown, newer or already deleted. They are kept for what may still come.
    pub deletions_without_effect: u64,
    /// Records that turned out to be an earlier life of another one and went into its history.
    pub merged: u64,
    /// What cannot be stored, by reason.
    pub refused: Vec<Refused>,
    /// Pairs that share an identifier, the first thousand.
    pub possible_duplicates: Vec<PossibleDuplicate>,
    /// How many such pairs there were.
    pub possible_duplicates_found: u64,
}

/// Something that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it was read.
    pub source: SourcePosition,
    /// Why; says nothing of its content.
    pub reason: &'static str,
}

/// Two records that share an identifier that ought to be one record's alone. Evidence, not proof: they stay two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PossibleDuplicate {
    /// The one that was stored.
    pub record: Identity,
    /// One that was there.
    pub other: Identity,
    /// The register of what they share.
    pub scheme: Scheme,
    /// What they share.
    pub value: String,
}

impl Outcome {
    /// Most pairs that are listed.
    pub const MOST_DUPLICATES: usize = 1_000;

    pub(super) fn duplicate(&mut self, pair: PossibleDuplicate) {
        self.possible_duplicates_found += 1;
        if self.possible_duplicates.len() < Self::MOST_DUPLICATES {
            self.possible_duplicates.push(pair);
        }
    }
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.superseded += other.superseded;
        self.deleted += other.deleted;
        self.deletions_without_effect += other.deletions_without_effect;
        self.merged += other.merged;
        self.refused.extend(other.refused);
        let room = Self::MOST_DUPLICATES.saturating_sub(self.possible_duplicates.len());
        self.possible_duplicates.extend(other.possible_duplicates.into_iter().take(room));
        self.possible_duplicates_found += other.possible_duplicates_found;
    }
}
