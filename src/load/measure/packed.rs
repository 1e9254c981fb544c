//! A histogram in some hundred bytes.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use super::cell::{add, histogram};

/// A histogram by its serialised form, in which a run of empty buckets is one number.
#[derive(Debug, Clone, Default)]
pub(in crate::load) struct Packed(Box<[u8]>);

impl Packed {
    pub(in crate::load) fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let mut bytes = Vec::with_capacity(512);
        // Fails only for a writer that fails, and memory does not.
        let written = V2Serializer::new().serialize(histogram, &mut bytes);
        debug_assert!(written.is_ok(), "a histogram was not written");
        Self(bytes.into_boxed_slice())
    }

    pub(in crate::load) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::load) fn unpacked(&self) -> Histogram<u64> {
        let mut unpacked = histogram();
        if !self.0.is_empty() {
            let read: Result<Histogram<u64>, _> = Deserializer::new().deserialize(&mut &self.0[..]);
            debug_assert!(read.is_ok(), "what was packed here was not read");
            read.iter().for_each(|read| add(&mut unpacked, read));
        }
        unpacked
    }

    /// Adds what the other has recorded.
    pub(in crate::load) fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            *self = other.clone();
        } else if !other.is_empty() {
            let mut both = self.unpacked();
            add(&mut both, &other.unpacked());
            *self = Self::of(&both);
        }
    }
}
