//! Why a value was refused.

use thiserror::Error;

/// Why a value of the embedder's own metrics was refused. Never repeats a name or a tag: they may be what they must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The name is not one.
    #[error(
        "a metric's name is letters, digits and underscores, does not begin with a digit, `statim_` or `process_`, does not end in \
         _bucket, _sum, _count, _created or _info, and is not too long"
    )]
    Name,
    /// A tag is not one.
    #[error(
        "a tag's name is letters, digits and underscores, not `le`, does not begin with two underscores, occurs once, \
         and neither it nor its value is too long"
    )]
    Tag,
    /// There are too many tags.
    #[error("a metric has at most {most} tags")]
    TooManyTags {
        /// So many may be.
        most: usize,
    },
    /// There are too many series already.
    #[error("there are {most} series already; use tags with fewer values, or allow more in RegistryOptions")]
    TooManySeries {
        /// So many may be.
        most: usize,
    },
    /// The name is in use for another type or unit.
    #[error("a metric of this name has another type or unit; one name has one of each")]
    OtherType,
    /// The value cannot be recorded.
    #[error(
        "a gauge's value is finite, and a distribution's neither negative nor above 1e18 of its smallest unit"
    )]
    NotANumber,
}

impl RecordError {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Name => 0,
            Self::Tag => 1,
            Self::TooManyTags { .. } => 2,
            Self::TooManySeries { .. } => 3,
            Self::OtherType => 4,
            Self::NotANumber => 5,
        }
    }
}
