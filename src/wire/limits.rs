//! What a message may cost whoever reads it.

/// Bounds that hold while a message is written and while it is read, so that nobody can write what nobody may read.
///
/// What decoding allocates is bounded by these alone: texts and bytes hold no more than `max_bytes` in sum, sequences and
/// maps no more than `max_values` elements. What a length in the input claims is never allocated: room is made for at
/// most as many elements as the input has bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest encoded message, in bytes. 1 MiB by default, which is what a NATS server takes by default.
    pub max_bytes: usize,
    /// Deepest nesting of sequences, maps, structs, enums and options. 64 by default; more than
    /// [`DEEPEST`](Self::DEEPEST) counts as that.
    pub max_depth: usize,
    /// Most values in one message: elements, keys, fields and variants. 2²² by default, four for each byte of the
    /// default size, so that a message of that size meets it only when its elements take no bytes at all.
    pub max_values: usize,
}

impl Limits {
    /// The nesting that no setting exceeds: what every format's own reader takes, and what fits the stack of a thread of
    /// 2 MiB in a build without optimisation.
    pub const DEEPEST: usize = 120;

    /// The default.
    pub const DEFAULT: Self = Self { max_bytes: 1 << 20, max_depth: 64, max_values: 1 << 22 };

    pub(super) fn depth(&self) -> usize {
        self.max_depth.min(Self::DEEPEST)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
