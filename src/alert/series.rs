//! The newest samples of a series: what a window shows of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::distribution::{Distribution, Exact, Merged, rank};
use super::time::Moment;

/// Most samples that a window keeps: an hour of them at one a second, and some. Of more, the oldest go.
pub(super) const MOST_SAMPLES: usize = 4_096;
/// Most places of distributions that a window keeps: 1 MiB of them.
const MOST_PLACES: usize = 65_536;

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The value of a gauge, or of a counter since its process began.
    Number(f64),
    /// The values of a histogram since the sample before.
    Distribution(Arc<Distribution>),
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Distribution> for Value {
    fn from(distribution: Distribution) -> Self {
        Self::Distribution(Arc::new(distribution))
    }
}

/// The samples of one series that are at most `span` old.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(super) struct Series {
    span: Duration,
    newest: Moment,
    samples: Samples,
    /// Samples that were dropped before they were too old.
    shed: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Samples {
    Numbers(VecDeque<(Moment, Exact)>),
    Distributions { each: VecDeque<(Moment, Arc<Distribution>)>, merged: Merged, places: usize },
}

/// The value is of another form than those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OtherForm;

impl Series {
    pub(super) fn new(span: Duration, first: &Value) -> Self {
        let samples = match first {
            Value::Number(_) => Samples::Numbers(VecDeque::new()),
            Value::Distribution(_) => {
                Samples::Distributions { each: VecDeque::new(), merged: Merged::default(), places: 0 }
            }
        };
        Self { span, newest: Moment::default(), samples, shed: 0 }
    }

    /// Adds a sample; one from before the newest counts as measured with it.
    pub(super) fn add(&mut self, at: Moment, value: Value) -> Result<(), OtherForm> {
        let at = at.max(self.newest);
        match (&mut self.samples, value) {
            (Samples::Numbers(numbers), Value::Number(number)) => {
                if numbers.len() >= MOST_SAMPLES {
                    numbers.pop_front();
                    self.shed += 1;
                }
                numbers.push_back((at, Exact(number)));
            }
            (Samples::Distributions { each, merged, places }, Value::Distribution(distribution)) => {
                merged.add(&distribution);
                *places += distribution.places();
                each.push_back((at, distribution));
                while each.len() > MOST_SAMPLES || (*places > MOST_PLACES && each.len() > 1) {
                    forget_oldest(each, merged, places);
                    self.shed += 1;
                }
            }
            _ => return Err(OtherForm),
        }
        self.newest = at;
        Ok(())
    }

    /// Drops what is too old at `now`. Of numbers, one that is older by at most another span stays: by it, what a counter
    /// grew by at the beginning of the window is known.
    pub(super) fn slide(&mut self, now: Moment) {
        let is_old = |at: Moment| now.since(at) >= self.span;
        match &mut self.samples {
            Samples::Numbers(numbers) => {
                let first = numbers.partition_point(|(at, _)| is_old(*at));
                numbers.drain(..first.saturating_sub(1));
                if numbers.front().is_some_and(|(at, _)| now.since(*at) > self.span * 2) {
                    numbers.pop_front();
                }
            }
            Samples::Distributions { each, merged, places } => {
                while each.front().is_some_and(|(at, _)| is_old(*at)) {
                    forget_oldest(each, merged, places);
                }
            }
        }
    }

    /// Whether the window shows nothing. Slide it before.
    pub(super) fn is_empty(&self, now: Moment) -> bool {
        now.since(self.newest) >= self.span
            || match &self.samples {
                Samples::Numbers(numbers) => numbers.is_empty(),
                Samples::Distributions { each, .. } => each.is_empty(),
            }
    }

    /// The aggregate of what the window shows; `None` where it shows too little for it. Slide it before.
    pub(super) fn aggregate(&self, aggregate: Aggregate, minimum: u64, now: Moment) -> Option<f64> {
        match &self.samples {
            Samples::Numbers(numbers) => {
                let first = numbers.partition_point(|(at, _)| now.since(*at) >= self.span);
                if ((numbers.len() - first) as u64) < minimum.max(1) {
                    return None;
                }
                if aggregate.is_growth() {
                    return growth(numbers.iter(), aggregate);
                }
                of_numbers(numbers.iter().skip(first).map(|(_, number)| number.0), aggregate)
            }
            Samples::Distributions { merged, .. } if merged.count() < minimum.max(1) => None,
            Samples::Distributions { each, merged, .. } => match (aggregate, aggregate.quantile()) {
                (_, Some(share)) => merged.quantile(share),
                (Aggregate::Mean, _) => merged.mean(),
                (Aggregate::Max, _) => merged.most(),
                (Aggregate::Min, _) => merged.least(),
                (Aggregate::Rate, _) => Some(merged.count() as f64 / self.span.as_secs_f64()),
                (Aggregate::Last, _) => {
                    let mut newest = Merged::default();
                    newest.add(&each.back()?.1);
                    newest.mean()
                }
                _ => Some(merged.count() as f64),
            },
        }
    }

    /// Samples that were dropped for want of room.
    pub(super) fn shed(&self) -> u64 {
        self.shed
    }
}

fn forget_oldest(each: &mut VecDeque<(Moment, Arc<Distribution>)>, merged: &mut Merged, places: &mut usize) {
    if let Some((_, oldest)) = each.pop_front() {
        merged.remove(&oldest);
        *places -= oldest.places();
    }
}

fn of_numbers(numbers: impl Iterator<Item = f64>, aggregate: Aggregate) -> Option<f64> {
    if let Some(share) = aggregate.quantile() {
        let mut sorted: Vec<f64> = numbers.collect();
        let rank = usize::try_from(rank(share, sorted.len() as u64)).ok()?;
        let (_, value, _) = sorted.select_nth_unstable_by(rank - 1, f64::total_cmp);
        return Some(*value);
    }
    match aggregate {
        Aggregate::Max => numbers.reduce(f64::max),
        Aggregate::Min => numbers.reduce(f64::min),
        Aggregate::Last => numbers.last(),
        Aggregate::Count => Some(numbers.count() as f64),
        _ => {
            let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
            Some(sum / count)
        }
    }
}

/// What a counter grew by between its first and its last sample. One that is smaller than before has started again from 0.
fn growth<'s>(samples: impl Iterator<Item = &'s (Moment, Exact)>, aggregate: Aggregate) -> Option<f64> {
    let mut samples = samples;
    let (first, Exact(mut before)) = *samples.next()?;
    let (mut last, mut grown) = (first, 0.0);
    for (at, Exact(number)) in samples {
        grown += if *number < before { *number } else { number - before };
        (before, last) = (*number, *at);
    }
    let time = last.since(first).as_secs_f64();
    if time <= 0.0 {
        return None;
    }
    Some(if aggregate == Aggregate::Rate { grown / time } else { grown })
}

/// A series as it is kept over a restart: without what can be worked out again.
#[derive(Serialize, Deserialize)]
struct Kept {
    span: Duration,
    newest: Moment,
    numbers: Option<VecDeque<(Moment, Exact)>>,
    distributions: Vec<(Moment, Distribution)>,
    shed: u64,
}

impl From<Series> for Kept {
    fn from(Series { span, newest, samples, shed }: Series) -> Self {
        let (numbers, distributions) = match samples {
            Samples::Numbers(numbers) => (Some(numbers), Vec::new()),
            Samples::Distributions { each, .. } => {
                (None, each.into_iter().map(|(at, it)| (at, Arc::unwrap_or_clone(it))).collect())
            }
        };
        Self { span, newest, numbers, distributions, shed }
    }
}

impl From<Kept> for Series {
    fn from(Kept { span, newest, numbers, distributions, shed }: Kept) -> Self {
        let samples = match numbers {
            Some(numbers) => Samples::Numbers(numbers),
            None => {
                let mut merged = Merged::default();
                distributions.iter().for_each(|(_, it)| merged.add(it));
                let places = distributions.iter().map(|(_, it)| it.places()).sum();
                let each = distributions.into_iter().map(|(at, it)| (at, Arc::new(it))).collect();
                Samples::Distributions { each, merged, places }
            }
        };
        Self { span, newest, samples, shed }
    }
}

#[cfg(test)]
mod tests;
