use std::io;
use std::path::PathBuf;

use super::kind::Kind;

/// Why nothing, or only a part, was generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A ratio is not a share that can be planted.
    #[error("the ratio `{name}` is {ratio}; give a number from 0 to 0.9")]
    Ratio {
        /// Which ratio.
        name: &'static str,
        /// Its value.
        ratio: f64,
    },
    /// The ratios leave too few whole, original records.
    #[error("`duplicates` and `bad` add up to {sum}; together they may be at most 0.9")]
    Ratios {
        /// Their sum.
        sum: f64,
    },
    /// There are not that many distinct ids.
    #[error("{kind} can be generated up to position {capacity}; ask for fewer, or begin earlier")]
    TooMany {
        /// What was asked for.
        kind: Kind,
        /// How many there can be.
        capacity: u64,
    },
    /// The file's name does not say a format this kind has.
    #[error("{} does not name a format for {kind}; end it in {expected}, with .gz after it to compress", path.display())]
    Extension {
        /// What was asked for.
        kind: Kind,
        /// The file named.
        path: PathBuf,
        /// The endings that would do.
        expected: &'static str,
    },
    /// The file is there already.
    #[error("{} exists already; name another file, or say that it may be replaced", path.display())]
    Exists {
        /// The file named.
        path: PathBuf,
    },
    /// The file could not be made, filled or put in its place.
    #[error("could not write {}: {source}", path.display())]
    File {
        /// The file that failed.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody told it to stop. Nothing was left behind.
    #[error("stopped before the end; nothing was written")]
    Stopped,
    /// The writer refused.
    #[error("could not write what was generated: {0}")]
    Write(#[from] io::Error),
}
