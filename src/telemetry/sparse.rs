//! A histogram by its filled buckets alone.
//!
//! An HDR histogram of nanoseconds takes kilobytes, most of them zeros. What is kept of thousands of agents, sent to a
//! scraper or remembered for a day is the filled buckets: some tens of pairs. Two of them add up and differ exactly, as
//! long as they come from histograms of one precision.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};

use super::buckets::Buckets;

/// Counts by value, ascending; each value stands for its bucket in an HDR histogram of two significant digits, so it is
/// within 0.5 % of what was measured. Values are whole numbers: nanoseconds, bytes, or things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sparse {
    /// No count is zero.
    pairs: Vec<(u64, u64)>,
}

impl Sparse {
    /// The filled buckets of `histogram`.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self { pairs: filled(histogram).unwrap_or_else(|| walked(histogram)) }
    }

    pub(super) fn of_buckets(buckets: &Buckets) -> Self {
        Self { pairs: buckets.filled().map(|(index, count)| (median(index as u64), count)).collect() }
    }

    /// The pairs of value and count, ascending by value.
    #[must_use]
    pub fn pairs(&self) -> &[(u64, u64)] {
        &self.pairs
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.pairs.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Their sum, within 0.5 %.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.pairs.iter().map(|(value, count)| *value as f64 * *count as f64).sum()
    }

    /// Their arithmetic mean; `None` without values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum() / self.count() as f64)
    }

    /// The largest; `None` without values.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.pairs.last().map(|(value, _)| *value)
    }

    /// The value that a part of `quantile` (0 to 1) is at most; `None` without values.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let rank = (quantile.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0);
        let mut below = 0.0;
        self.pairs
            .iter()
            .find(|(_, count)| {
                below += *count as f64;
                below >= rank
            })
            .map(|(value, _)| *value)
    }

    /// How many are at most each of `bounds`, which ascend.
    pub fn at_most<'a>(
        &'a self,
        bounds: impl IntoIterator<Item = f64> + 'a,
    ) -> impl Iterator<Item = u64> + 'a {
        let mut rest = self.pairs.iter().peekable();
        let mut below: u64 = 0;
        bounds.into_iter().map(move |bound| {
            while let Some((_, count)) = rest.next_if(|(value, _)| *value as f64 <= bound) {
                below = below.saturating_add(*count);
            }
            below
        })
    }

    /// Adds everything that `other` counted.
    pub fn add(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.pairs.clone_from(&other.pairs);
            return;
        }
        let ours = std::mem::take(&mut self.pairs);
        self.pairs = Vec::with_capacity(ours.len() + other.pairs.len());
        let (mut ours, mut theirs) = (ours.into_iter().peekable(), other.pairs.iter().copied().peekable());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let count = a.1.saturating_add(b.1);
                    theirs.next();
                    ours.next().map(|(value, _)| (value, count))
                }
                (Some(a), Some(b)) if b.0 < a.0 => theirs.next(),
                (Some(_), _) => ours.next(),
                (None, _) => theirs.next(),
            };
            let Some(pair) = next else { return };
            self.pairs.push(pair);
        }
    }

    /// What was counted after `earlier`, an older state of the same histogram. Where that is not so (a histogram began
    /// anew), a count is never less than zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut before = earlier.pairs.iter().peekable();
        let difference = |&(value, count): &(u64, u64)| {
            while before.next_if(|(other, _)| *other < value).is_some() {}
            let counted = before.next_if(|(other, _)| *other == value).map_or(0, |(_, count)| *count);
            (count > counted).then(|| (value, count - counted))
        };
        Self { pairs: self.pairs.iter().filter_map(difference).collect() }
    }

    /// The HDR histogram of two significant digits that this stands for.
    #[must_use]
    pub fn to_histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new(2).expect("two digits are in range");
        histogram.auto(true);
        for (value, count) in &self.pairs {
            // Grows as it must: no 64 bits are out of its range.
            let recorded = histogram.record_n(*value, *count);
            debug_assert!(recorded.is_ok(), "{value} was refused");
        }
        histogram
    }

    /// A few bytes for each pair: the step to the value, then the count, both as LEB128.
    pub(crate) fn packed(&self) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(self.pairs.len() * 4);
        let mut last = 0;
        for (value, count) in &self.pairs {
            put(&mut bytes, value - last);
            put(&mut bytes, *count);
            last = *value;
        }
        bytes.into_boxed_slice()
    }

    /// What [`packed`](Self::packed) packed.
    pub(crate) fn unpacked(bytes: &[u8]) -> Self {
        let (mut rest, mut last, mut pairs) = (bytes, 0_u64, Vec::new());
        while let (Some(step), Some(count)) = (take(&mut rest), take(&mut rest)) {
            last = last.saturating_add(step);
            pairs.push((last, count));
        }
        Self { pairs }
    }
}

fn walked(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let filled = histogram.iter_recorded();
    filled.map(|it| (histogram.median_equivalent(it.value_iterated_to()), it.count_at_value())).collect()
}

/// The same, several times faster, by way of the serialised form, in which a run of empty buckets is one number. `None` if
/// the histogram is not one of ours: two digits, from 1 on.
fn filled(histogram: &Histogram<u64>) -> Option<Vec<(u64, u64)>> {
    /// Bytes before the counts.
    const HEADER: usize = 40;
    if histogram.sigfig() != 2 || histogram.low() != 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(512);
    V2Serializer::new().serialize(histogram, &mut bytes).ok()?;
    let mut rest = bytes.get(HEADER..)?;
    let (mut pairs, mut index) = (Vec::new(), 0_u64);
    while !rest.is_empty() {
        let number = take_long(&mut rest)?;
        // Zigzag: odd numbers are negative, a run of so many empty buckets.
        let half = number >> 1;
        if number & 1 == 1 {
            index += half + 1;
        } else {
            if half > 0 {
                pairs.push((median(index), half));
            }
            index += 1;
        }
    }
    Some(pairs)
}

/// The middle of the bucket of this number: 256 buckets of one value each, then 128 for each doubling.
fn median(index: u64) -> u64 {
    const HALF: u64 = 128;
    let doublings = (index / HALF).saturating_sub(1);
    let step = if index < 2 * HALF { index } else { index % HALF + HALF };
    (step << doublings) + ((1 << doublings) >> 1)
}

/// LEB128 as the serialised form has it: the ninth byte is a whole one.
fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 8 {
            return Some(number | u64::from(byte) << 56);
        }
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dense(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Sparse::default().to_histogram();
        values.iter().for_each(|value| histogram.record(*value).unwrap());
        histogram
    }

    fn sparse(values: &[u64]) -> Sparse {
        Sparse::of(&dense(values))
    }

    proptest! {
        #[test]
        fn what_was_added_can_be_taken_away_again(a: Vec<u64>, b: Vec<u64>) {
            let (first, second) = (sparse(&a), sparse(&b));
            let mut both = first.clone();
            both.add(&second);
            let all: Vec<_> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&both, &sparse(&all));
            prop_assert_eq!(both.since(&first), second);
        }

        #[test]
        fn the_fast_way_and_the_slow_way_find_the_same_buckets(values: Vec<u64>, small in proptest::collection::vec(0..5000_u64, 0..100)) {
            let dense = dense(&[values, small].concat());
            prop_assert_eq!(filled(&dense), Some(walked(&dense)));
        }

        #[test]
        fn an_agents_buckets_are_those_of_a_histogram(values: Vec<u64>, small in proptest::collection::vec(0..5000_u64, 0..100)) {
            let values = [values, small].concat();
            let mut buckets = Buckets::default();
            values.iter().for_each(|value| buckets.record((*value).min(u64::MAX / 2)));
            let values: Vec<u64> = values.into_iter().map(|value| value.min(u64::MAX / 2)).collect();
            // The histogram counts a zero as the one it begins with.
            let zeros = |pairs: &[(u64, u64)]| pairs.iter().filter(|(value, _)| *value < 2).map(|(_, count)| count).sum::<u64>();
            let (ours, theirs) = (Sparse::of_buckets(&buckets), sparse(&values));
            prop_assert_eq!(zeros(ours.pairs()), zeros(theirs.pairs()));
            let rest = |pairs: &[(u64, u64)]| pairs.iter().filter(|(value, _)| *value > 1).copied().collect::<Vec<_>>();
            prop_assert_eq!(rest(ours.pairs()), rest(theirs.pairs()));
        }

        #[test]
        fn packing_loses_nothing(values: Vec<u64>) {
            let sparse = sparse(&values);
            prop_assert_eq!(Sparse::unpacked(&sparse.packed()), sparse);
        }

        #[test]
        fn unpacking_takes_any_bytes(bytes: Vec<u8>) {
            let _ = Sparse::unpacked(&bytes);
        }

        #[test]
        fn it_says_what_the_whole_histogram_says(values in proptest::collection::vec(0..u64::MAX / 2, 1..200), quantile in 0.0..1.0) {
            let (dense, sparse) = (dense(&values), sparse(&values));
            prop_assert_eq!(sparse.count(), values.len() as u64);
            let (ours, theirs) = (sparse.quantile(quantile).unwrap(), dense.value_at_quantile(quantile));
            prop_assert!(dense.equivalent(ours, theirs), "{} and {}", ours, theirs);
            prop_assert_eq!(Sparse::of(&sparse.to_histogram()), sparse);
        }
    }

    #[test]
    fn counts_at_most_a_bound_are_cumulative() {
        let sparse = sparse(&[1, 5, 5, 100]);
        assert_eq!(sparse.at_most([0.0, 1.0, 50.0, 1e9]).collect::<Vec<_>>(), [0, 1, 3, 4]);
    }

    #[test]
    fn a_histogram_that_began_anew_never_counts_less_than_nothing() {
        assert_eq!(sparse(&[7]).since(&sparse(&[7, 7, 9])), Sparse::default());
        assert_eq!(Sparse::default().quantile(0.5), None);
    }
}
