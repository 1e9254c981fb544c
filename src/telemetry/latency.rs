//! Latency histograms that cost nothing until they are used.
//!
//! An HDR histogram of two significant digits over nanoseconds to minutes takes kilobytes. A deployment
//! may have a hundred thousand agents that handle a few messages each, so the first samples of a lane are
//! kept as they are, and become a histogram only when there are more of them.

use super::buckets::Buckets;
use super::snapshot::{LatencySummary, Quantiles};
use crate::message::Priority;

/// Samples kept as they are: as many bytes as the smallest histogram would take anyway.
const RAW_SAMPLES: usize = 32;

/// One measured message, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) wait: u64,
    pub(crate) service: u64,
    pub(crate) end_to_end: u64,
}

#[derive(Debug)]
enum Lane {
    Raw(Vec<Sample>),
    Histograms(Box<Histograms>),
}

#[derive(Debug, Default)]
struct Histograms {
    wait: Buckets,
    service: Buckets,
    end_to_end: Buckets,
}

impl Lane {
    /// The lane's histograms, made now if there are none.
    fn histograms(&mut self) -> &mut Histograms {
        if let Self::Raw(samples) = self {
            *self = Self::Histograms(Box::new(Histograms::of(samples)));
        }
        match self {
            Self::Histograms(histograms) => histograms,
            Self::Raw(_) => unreachable!("they have just been made"),
        }
    }
}

impl Histograms {
    fn of(samples: &[Sample]) -> Self {
        let mut histograms = Self::default();
        samples.iter().for_each(|sample| histograms.record(*sample));
        histograms
    }

    fn add(&mut self, other: &Self) {
        self.wait.add(&other.wait);
        self.service.add(&other.service);
        self.end_to_end.add(&other.end_to_end);
    }

    #[inline]
    fn record(&mut self, sample: Sample) {
        self.wait.record(sample.wait);
        self.service.record(sample.service);
        self.end_to_end.record(sample.end_to_end);
    }
}

/// Queue wait, service time and end to end, for each priority.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    /// Nothing is allocated for an agent that handles nothing.
    lanes: Option<Box<[Option<Lane>; Priority::COUNT]>>,
}

impl Latencies {
    #[inline]
    pub(crate) fn record(&mut self, lane: usize, sample: Sample) {
        if let Some(lanes) = &mut self.lanes
            && let Some(Lane::Histograms(histograms)) = &mut lanes[lane]
        {
            return histograms.record(sample);
        }
        self.record_one_of_the_first(lane, sample);
    }

    #[cold]
    fn record_one_of_the_first(&mut self, lane: usize, sample: Sample) {
        let slot = self.lanes.get_or_insert_default()[lane].get_or_insert_with(|| Lane::Raw(Vec::new()));
        match slot {
            Lane::Histograms(histograms) => histograms.record(sample),
            Lane::Raw(samples) if samples.len() < RAW_SAMPLES => samples.push(sample),
            Lane::Raw(_) => slot.histograms().record(sample),
        }
    }

    /// Adds everything that `other` has recorded.
    pub(crate) fn add(&mut self, other: &Self) {
        for (lane, theirs) in other.lanes.iter().flat_map(|lanes| lanes.iter().enumerate()) {
            match theirs {
                None => {}
                Some(Lane::Raw(samples)) => samples.iter().for_each(|sample| self.record(lane, *sample)),
                Some(Lane::Histograms(theirs)) => {
                    self.lanes.get_or_insert_default()[lane]
                        .get_or_insert_with(|| Lane::Raw(Vec::new()))
                        .histograms()
                        .add(theirs);
                }
            }
        }
    }

    /// Shows the buckets of each lane that was used: wait, service, end to end.
    pub(super) fn each(&self, mut see: impl FnMut(usize, [&Buckets; 3])) {
        let mut show = |lane, it: &Histograms| see(lane, [&it.wait, &it.service, &it.end_to_end]);
        for (number, lane) in self.lanes.iter().flat_map(|lanes| lanes.iter().enumerate()) {
            match lane {
                None => {}
                Some(Lane::Raw(samples)) => show(number, &Histograms::of(samples)),
                Some(Lane::Histograms(histograms)) => show(number, histograms),
            }
        }
    }

    pub(crate) fn summary(&self, lane: usize) -> Option<LatencySummary> {
        match self.lanes.as_ref()?[lane].as_ref()? {
            Lane::Raw(samples) => Some(summarise(&Histograms::of(samples))),
            Lane::Histograms(histograms) => Some(summarise(histograms)),
        }
    }
}

fn summarise(histograms: &Histograms) -> LatencySummary {
    let end_to_end = histograms.end_to_end.histogram();
    LatencySummary {
        count: end_to_end.len(),
        wait: Quantiles::of(&histograms.wait.histogram()),
        service: Quantiles::of(&histograms.service.histogram()),
        end_to_end: Quantiles::of(&end_to_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_samples_and_many_give_the_same_figures() {
        let samples: Vec<u64> = (1..=32).map(|n| n * 1_000).collect();
        let (mut few, mut many) = (Latencies::default(), Latencies::default());
        for &service in &samples {
            few.record(0, Sample { wait: 5, service, end_to_end: 5 + service });
        }
        for &service in samples.iter().chain(&samples) {
            many.record(0, Sample { wait: 5, service, end_to_end: 5 + service });
        }
        let (few, many) = (few.summary(0).unwrap(), many.summary(0).unwrap());
        assert_eq!((few.count, many.count), (32, 64));
        assert_eq!(few.service.p50, many.service.p50);
        assert_eq!(few.service.max, many.service.max);
    }

    #[test]
    fn a_quantile_is_within_one_percent_from_nanoseconds_to_hours() {
        for value in [1_u64, 999, 48_000, 1_500_000, 60_000_000_000, 7_200_000_000_000] {
            let mut latencies = Latencies::default();
            for _ in 0..100 {
                latencies.record(3, Sample { wait: value, service: 0, end_to_end: value });
            }
            let p99 = latencies.summary(3).unwrap().wait.p99;
            assert!(p99.abs_diff(value) * 100 <= value, "{value} was reported as {p99}");
        }
    }

    #[test]
    fn a_lane_without_messages_has_no_figures() {
        assert!(Latencies::default().summary(1).is_none());
    }
}
