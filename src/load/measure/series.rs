//! A run second by second, in bounded memory.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::cell::{add, histogram, milliseconds};
use super::packed::Packed;
use crate::load::result::SeriesPoint;
use crate::message::Priority;

/// What ended in a second.
#[derive(Debug)]
pub(in crate::load) struct Ended {
    /// Latencies by lane, from when messages were to be sent.
    pub(in crate::load) latencies: [Histogram<u64>; Priority::COUNT],
    pub(in crate::load) completed: u64,
    pub(in crate::load) failed: u64,
}

impl Default for Ended {
    fn default() -> Self {
        Self { latencies: std::array::from_fn(|_| histogram()), completed: 0, failed: 0 }
    }
}

impl Ended {
    pub(in crate::load) fn all(&self) -> Histogram<u64> {
        let mut all = histogram();
        self.latencies.iter().for_each(|lane| add(&mut all, lane));
        all
    }

    fn packed(&self) -> [Packed; Priority::COUNT] {
        std::array::from_fn(|lane| Packed::of(&self.latencies[lane]))
    }
}

/// A point with the histograms behind it.
#[derive(Debug, Default)]
pub(in crate::load) struct Slot {
    pub(in crate::load) point: SeriesPoint,
    pub(in crate::load) latencies: [Packed; Priority::COUNT],
    /// Points of a second that it is made of.
    points: u32,
}

/// A run second by second. When there are more points than `most`, every two become one.
#[derive(Debug)]
pub(in crate::load) struct Series {
    slots: Vec<Slot>,
    most: usize,
    /// Seconds of a slot.
    span: u64,
}

impl Series {
    /// The most points there are of a run.
    pub(in crate::load) const MOST: usize = 3_600;

    /// An empty one of at most so many points, at least two.
    pub(in crate::load) fn new(most: usize) -> Self {
        Self { slots: Vec::new(), most: most.max(2), span: 1 }
    }

    /// Adds a second that is over.
    pub(in crate::load) fn push(&mut self, second: u64, mut point: SeriesPoint, ended: &Ended) {
        let latencies = ended.packed();
        describe(&mut point, &ended.all(), &ended.latencies);
        let slot = Slot { point, latencies, points: 1 };
        let place = (second / self.span) as usize;
        if place < self.slots.len() {
            self.slots[place].merge(slot);
        } else {
            self.slots.push(slot);
        }
        if self.slots.len() > self.most {
            self.halve();
        }
    }

    /// Adds what was to be sent in a second, which may be over.
    pub(in crate::load) fn add_sends(&mut self, second: u64, offered: u64, dropped: u64) -> bool {
        let place = (second / self.span) as usize;
        let Some(slot) = self.slots.get_mut(place) else { return false };
        slot.point.offered += offered;
        slot.point.sent += offered - dropped;
        slot.point.failed += dropped;
        true
    }

    pub(in crate::load) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn halve(&mut self) {
        let mut slots = std::mem::take(&mut self.slots).into_iter();
        while let Some(mut slot) = slots.next() {
            if let Some(next) = slots.next() {
                slot.merge(next);
            }
            self.slots.push(slot);
        }
        self.span *= 2;
    }
}

impl Slot {
    /// Adds what came after. Quantiles are those of all messages of both; of what cannot be added the worse is kept.
    fn merge(&mut self, next: Self) {
        self.latencies.iter_mut().zip(&next.latencies).for_each(|(ours, theirs)| ours.merge(theirs));
        let (ours, theirs) = (&mut self.point, next.point);
        let parts = (f64::from(self.points), f64::from(next.points));
        ours.cpu_percent = match (ours.cpu_percent, theirs.cpu_percent) {
            (Some(a), Some(b)) => Some((a * parts.0 + b * parts.1) / (parts.0 + parts.1)),
            (a, b) => a.or(b),
        };
        self.points += next.points;
        ours.span_seconds += theirs.span_seconds;
        ours.stage = theirs.stage;
        ours.warm_up &= theirs.warm_up;
        ours.offered += theirs.offered;
        ours.sent += theirs.sent;
        ours.completed += theirs.completed;
        ours.failed += theirs.failed;
        ours.in_flight = theirs.in_flight;
        ours.depth = theirs.depth;
        for (priority, wait) in theirs.wait_p99_ms {
            let ours = ours.wait_p99_ms.entry(priority).or_default();
            *ours = ours.max(wait);
        }
        ours.shed += theirs.shed;
        ours.refused += theirs.refused;
        ours.restarts += theirs.restarts;
        ours.breakers_open.extend(theirs.breakers_open);
        ours.breakers_open.sort();
        ours.breakers_open.dedup();
        ours.rss_bytes = ours.rss_bytes.max(theirs.rss_bytes);
        ours.lag_ms = larger(ours.lag_ms, theirs.lag_ms);
        let lanes: [_; Priority::COUNT] = std::array::from_fn(|lane| self.latencies[lane].unpacked());
        let mut all = histogram();
        lanes.iter().for_each(|lane| add(&mut all, lane));
        describe(&mut self.point, &all, &lanes);
    }
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// Fills in the latencies of a point.
fn describe(point: &mut SeriesPoint, all: &Histogram<u64>, lanes: &[Histogram<u64>; Priority::COUNT]) {
    let quantile = |of: &Histogram<u64>, q| (!of.is_empty()).then(|| milliseconds(of.value_at_quantile(q)));
    point.p50 = quantile(all, 0.5);
    point.p90 = quantile(all, 0.9);
    point.p99 = quantile(all, 0.99);
    point.p999 = quantile(all, 0.999);
    point.max = quantile(all, 1.0);
    let each = Priority::ALL.into_iter().zip(lanes);
    point.p99_by_priority = each
        .filter_map(|(priority, lane)| Some((priority, quantile(lane, 0.99)?)))
        .collect::<BTreeMap<_, _>>();
}
