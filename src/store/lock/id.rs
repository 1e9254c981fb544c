//! What a lock is known by.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// What a lock is known by, in every process that uses the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(i64);

impl LockId {
    /// Taking in clinical trials in bulk.
    pub const CLINICAL_TRIALS: Self = Self(12_345);
    /// Building search vectors.
    pub const SEARCH_VECTORS: Self = Self(12_346);
    /// Deduplication.
    pub const DEDUPLICATION: Self = Self(12_347);

    /// A lock by number: PostgreSQL's own key, which programs in other languages may share.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// A lock by name: the same number for the same name in every process and release.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(name.as_bytes());
        Self(hasher.finish().cast_signed())
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}
