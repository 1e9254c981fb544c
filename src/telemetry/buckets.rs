//! Counting values in the buckets of an HDR histogram.
//!
//! The buckets are `hdrhistogram`'s own for two significant digits (values to 255 one by one, and from there each
//! doubling in 128 steps), so its quantiles can be taken from these counts unchanged. Counting is ours because it
//! happens three times a message: one index and one addition.

use hdrhistogram::Histogram;

/// Two significant digits: a reported quantile is within 1 % of a measured value.
const SIGNIFICANT_DIGITS: u8 = 2;
/// Steps of a doubling, as a power of two.
const STEP_BITS: u32 = 7;
const STEPS: usize = 1 << STEP_BITS;

/// How often each value was met, to within its bucket.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    counts: Vec<u64>,
}

impl Buckets {
    #[inline]
    pub(super) fn record(&mut self, value: u64) {
        let index = index_of(value);
        match self.counts.get_mut(index) {
            Some(count) => *count += 1,
            None => self.add_at(index, 1),
        }
    }

    /// Counts a value so often.
    pub(super) fn record_n(&mut self, value: u64, times: u64) {
        self.add_at(index_of(value), times);
    }

    /// Adds everything that `other` has counted.
    pub(super) fn add(&mut self, other: &Self) {
        other.filled().for_each(|(index, count)| self.add_at(index, count));
    }

    fn add_at(&mut self, index: usize, count: u64) {
        if index >= self.counts.len() {
            // A whole doubling more at a time.
            self.counts.resize((index / STEPS + 1) * STEPS, 0);
        }
        self.counts[index] += count;
    }

    /// The filled buckets: number and count, ascending.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        /// Most buckets are empty: looked at so many at a time, which processors do at once.
        const AT_ONCE: usize = 16;
        let chunks = self.counts.chunks(AT_ONCE).enumerate();
        chunks.filter(|(_, counts)| counts.iter().fold(0, |all, count| all | count) > 0).flat_map(
            |(chunk, counts)| {
                let numbered = counts.iter().enumerate();
                numbered
                    .map(move |(place, count)| (chunk * AT_ONCE + place, *count))
                    .filter(|(_, count)| *count > 0)
            },
        )
    }

    /// The histogram, to take quantiles from.
    pub(super) fn histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("two digits are in range");
        histogram.auto(true);
        for (index, count) in self.filled() {
            // Refused would be only what no number of buckets holds, which 64 bits of nanoseconds are not.
            let recorded = histogram.record_n(lowest_of(index), count);
            debug_assert!(recorded.is_ok(), "bucket {index} was refused");
        }
        histogram
    }
}

#[inline]
fn index_of(value: u64) -> usize {
    let doublings = (u64::BITS - 1 - STEP_BITS).saturating_sub(value.leading_zeros());
    doublings as usize * STEPS + (value >> doublings) as usize
}

fn lowest_of(index: usize) -> u64 {
    let doublings = (index / STEPS).saturating_sub(1);
    ((index - doublings * STEPS) as u64) << doublings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for index in 1..57 * STEPS {
            let lowest = lowest_of(index);
            assert_eq!((index_of(lowest - 1), index_of(lowest)), (index - 1, index));
        }
        assert_eq!(lowest_of(index_of(u64::MAX)), u64::MAX << 56);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_a_histogram_that_was_given_each_value(
            values in proptest::collection::vec((0_u32..63, any::<u64>()), 1..200),
        ) {
            let (mut counted, mut halves) = (Buckets::default(), [Buckets::default(), Buckets::default()]);
            let mut histogram: Histogram<u64> = Histogram::new(SIGNIFICANT_DIGITS).unwrap();
            histogram.auto(true);
            for (n, (bits, value)) in values.into_iter().enumerate() {
                let value = value >> (63 - bits) >> 1;
                counted.record(value);
                halves[n % 2].record(value);
                histogram.record(value).unwrap();
            }
            let [mut both, other] = halves;
            both.add(&other);
            for counted in [counted.histogram(), both.histogram()] {
                prop_assert_eq!(counted.len(), histogram.len());
                prop_assert_eq!(counted.max(), histogram.max());
                prop_assert!((counted.mean() - histogram.mean()).abs() <= histogram.mean() * 1e-9);
                for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 1.0] {
                    prop_assert_eq!(counted.value_at_quantile(quantile), histogram.value_at_quantile(quantile));
                }
            }
        }
    }
}
