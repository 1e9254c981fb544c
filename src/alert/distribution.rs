//! Many measured values at once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::{Counter, Histogram};
use serde::{Deserialize, Serialize};

/// Values measured since the sample before: those of an HDR histogram without its empty places, in base units.
///
/// Takes 16 bytes for each place of the histogram that something was counted in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Ascending; no value twice.
    places: Vec<(Exact, u64)>,
}

impl Distribution {
    /// What `histogram` counted, each value times `scale`: 1e-9 for a histogram of nanoseconds, since seconds are the base
    /// unit. Each value is the largest of its place, as in the histogram's own quantiles.
    #[must_use]
    pub fn of<C: Counter>(histogram: &Histogram<C>, scale: f64) -> Self {
        let places = histogram
            .iter_recorded()
            .map(|it| (it.value_iterated_to() as f64 * scale, it.count_at_value().as_u64()));
        Self::from_counts(places)
    }

    /// Values and how often each was measured. Values that are not finite and counts of 0 are left out.
    #[must_use]
    pub fn from_counts(counts: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut merged = Merged::default();
        for (value, count) in counts {
            if value.is_finite() && count > 0 {
                merged.add_place(Exact(value), count);
            }
        }
        Self { places: merged.places.into_iter().collect() }
    }

    /// How many values were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.places.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// How many different values there are.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places.len()
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution")
            .field("count", &self.count())
            .field("places", &self.places.len())
            .finish()
    }
}

/// The distributions of a window, merged; one can be taken out again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Merged {
    places: BTreeMap<Exact, u64>,
    count: u64,
}

impl Merged {
    pub(super) fn add(&mut self, distribution: &Distribution) {
        for (value, count) in &distribution.places {
            self.add_place(*value, *count);
        }
    }

    fn add_place(&mut self, value: Exact, count: u64) {
        // What a place has no room for is in the sum neither, so that both can be taken out again.
        let place = self.places.entry(value).or_default();
        let count = count.min(u64::MAX - self.count);
        *place += count;
        self.count += count;
    }

    /// Takes out what was added before.
    pub(super) fn remove(&mut self, distribution: &Distribution) {
        for (value, count) in &distribution.places {
            let Some(place) = self.places.get_mut(value) else { continue };
            let taken = (*count).min(*place);
            *place -= taken;
            self.count -= taken;
            if *place == 0 {
                self.places.remove(value);
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The least value that so large a share of the values (0 to 1) does not exceed.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = rank(share, self.count);
        let mut seen = 0;
        for (value, count) in &self.places {
            seen += count;
            if seen >= rank {
                return Some(value.0);
            }
        }
        None
    }

    pub(super) fn mean(&self) -> Option<f64> {
        let sum: f64 = self.places.iter().map(|(value, count)| value.0 * *count as f64).sum();
        (self.count > 0).then(|| sum / self.count as f64)
    }

    pub(super) fn least(&self) -> Option<f64> {
        self.places.first_key_value().map(|(value, _)| value.0)
    }

    pub(super) fn most(&self) -> Option<f64> {
        self.places.last_key_value().map(|(value, _)| value.0)
    }
}

/// Which of `count` values in order is the quantile, from 1.
pub(super) fn rank(share: f64, count: u64) -> u64 {
    // 0.95 × 20 is a little more than 19 in floating point, and must not become 20.
    let exact = share * count as f64;
    let nearest = exact.round();
    let rank = if (exact - nearest).abs() < 1e-9 * exact.abs() { nearest } else { exact.ceil() };
    (rank as u64).clamp(1, count.max(1))
}

/// A number with an order, which every format gives back to the last bit: it is written as its bits.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub(super) struct Exact(pub(super) f64);

impl From<u64> for Exact {
    fn from(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl From<Exact> for u64 {
    fn from(exact: Exact) -> Self {
        exact.0.to_bits()
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merged_distributions_have_the_quantiles_of_the_merged_histograms(
            chunks in prop::collection::vec(prop::collection::vec(1_u64..10_000_000_000, 1..50), 1..6),
            taken_out in 0_usize..6,
            share in 0.01_f64..1.0,
        ) {
            let empty = || Histogram::<u64>::new(3).unwrap();
            let mut all = empty();
            let mut merged = Merged::default();
            for (index, chunk) in chunks.iter().enumerate() {
                let mut histogram = empty();
                chunk.iter().for_each(|value| histogram.record(*value).unwrap());
                let distribution = Distribution::of(&histogram, 1.0);
                prop_assert_eq!(distribution.count(), chunk.len() as u64);
                merged.add(&distribution);
                if index < taken_out {
                    merged.remove(&distribution);
                } else {
                    all.add(&histogram).unwrap();
                }
            }
            prop_assert_eq!(merged.count(), all.len());
            if all.is_empty() {
                prop_assert_eq!((merged.quantile(share), merged.mean(), merged.most()), (None, None, None));
            } else {
                prop_assert_eq!(merged.quantile(share), Some(all.value_at_quantile(share) as f64));
                prop_assert_eq!(merged.most(), Some(all.max() as f64));
            }
        }
    }

    #[test]
    fn values_are_scaled_to_base_units() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        histogram.record(1_000).unwrap();
        let mut merged = Merged::default();
        merged.add(&Distribution::of(&histogram, 1e-3));
        assert_eq!((merged.quantile(0.99), merged.mean(), merged.least()), (Some(1.0), Some(1.0), Some(1.0)));
    }

    #[test]
    fn what_is_no_number_is_left_out_and_counts_do_not_overflow() {
        let distribution = Distribution::from_counts([
            (f64::NAN, 3),
            (f64::INFINITY, 3),
            (1.0, 0),
            (2.0, u64::MAX),
            (3.0, 5),
        ]);
        assert_eq!(distribution.count(), u64::MAX);
        let mut merged = Merged::default();
        merged.add(&distribution);
        merged.add(&distribution);
        assert_eq!(merged.quantile(0.5), Some(2.0));
        merged.remove(&distribution);
        assert_eq!(merged.count(), 0);
    }

    #[test]
    fn the_rank_of_a_quantile_is_not_moved_by_rounding() {
        assert_eq!(
            [rank(0.95, 20), rank(0.5, 1), rank(0.0, 5), rank(1.0, 7), rank(0.99, 150)],
            [19, 1, 1, 7, 149]
        );
    }
}
