//! One series of the embedder's, and what it is called.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::error::RecordError;
use super::timing::Timing;
use super::{Registry, RegistryOptions};
use crate::sync::{Arc, Mutex, lock};
use crate::telemetry::names::{Kind, Unit};
use crate::telemetry::sparse::Sparse;

/// Most that one value may be, in the smallest unit: 31 years of nanoseconds.
const LARGEST: f64 = 1e18;

/// Name and tags, the tags by their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) tags: Vec<(String, String)>,
}

impl Key {
    pub(super) fn new(
        name: &str,
        kind: Kind,
        unit: Unit,
        tags: &[(&str, &str)],
        options: &RegistryOptions,
    ) -> Result<Self, RecordError> {
        let base = name.strip_suffix("_total").filter(|_| kind == Kind::Counter).unwrap_or(name);
        let reserved = ["_bucket", "_sum", "_count", "_created", "_info", "_total"];
        if !is_word(base, options.text)
            || base.starts_with("statim_")
            || base.starts_with("process_")
            || reserved.iter().any(|suffix| base.ends_with(suffix))
        {
            return Err(RecordError::Name);
        }
        if tags.len() > options.tags {
            return Err(RecordError::TooManyTags { most: options.tags });
        }
        let mut sorted: Vec<(String, String)> = Vec::with_capacity(tags.len());
        for (tag, value) in tags {
            let known = sorted.iter().any(|(other, _)| other == tag);
            if known
                || !is_word(tag, options.text)
                || tag.starts_with("__")
                || *tag == "le"
                || value.len() > options.text
            {
                return Err(RecordError::Tag);
            }
            sorted.push(((*tag).to_owned(), (*value).to_owned()));
        }
        sorted.sort();
        let mut name = base.to_owned();
        let ends = !unit.as_suffix().is_empty() && !base.ends_with(unit.as_suffix());
        for suffix in
            [unit.as_suffix(), "total"].into_iter().zip([ends, kind == Kind::Counter]).filter(|it| it.1)
        {
            name.push('_');
            name.push_str(suffix.0);
        }
        Ok(Self { name, tags: sorted })
    }

    /// Before every other key of this name.
    pub(super) fn first_of(name: &str) -> Self {
        Self { name: name.to_owned(), tags: Vec::new() }
    }
}

fn is_word(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a series holds.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) unit: Unit,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Counter(u64),
    Gauge(f64),
    Distribution(Box<Histogram<u64>>),
}

/// What a series held at a moment.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Counter(u64),
    Gauge(f64),
    Distribution(Sparse),
}

impl Data {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Distribution(_) => Kind::Histogram,
        }
    }
}

impl Series {
    pub(super) fn new(kind: Kind, unit: Unit) -> Self {
        let state = match kind {
            Kind::Counter => State::Counter(0),
            Kind::Gauge => State::Gauge(0.0),
            Kind::Histogram => State::Distribution(Box::new(Sparse::default().to_histogram())),
        };
        Self { unit, state: Mutex::new(state) }
    }

    pub(super) fn kind(&self) -> Kind {
        match &*lock(&self.state) {
            State::Counter(_) => Kind::Counter,
            State::Gauge(_) => Kind::Gauge,
            State::Distribution(_) => Kind::Histogram,
        }
    }

    pub(super) fn count(&self, more: u64) {
        if let State::Counter(count) = &mut *lock(&self.state) {
            *count = count.saturating_add(more);
        }
    }

    pub(super) fn set(&self, value: f64) {
        if let State::Gauge(gauge) = &mut *lock(&self.state) {
            *gauge = value;
        }
    }

    fn record(&self, value: u64) {
        if let State::Distribution(histogram) = &mut *lock(&self.state) {
            // Grows as it must: no 64 bits are out of its range.
            let recorded = histogram.record(value);
            debug_assert!(recorded.is_ok(), "{value} was refused");
        }
    }

    pub(super) fn read(&self) -> Data {
        match &*lock(&self.state) {
            State::Counter(count) => Data::Counter(*count),
            State::Gauge(value) => Data::Gauge(*value),
            State::Distribution(histogram) => Data::Distribution(Sparse::of(histogram)),
        }
    }
}

/// A distribution of the embedder's. Cheap to clone, from any thread.
#[derive(Debug, Clone)]
pub struct Distribution {
    registry: Registry,
    series: Arc<Series>,
}

impl Distribution {
    pub(super) fn new(registry: Registry, series: Arc<Series>) -> Self {
        Self { registry, series }
    }

    /// Adds a value in the distribution's unit.
    ///
    /// # Errors
    ///
    /// [`RecordError::NotANumber`]: it is negative, not finite, or far too large.
    pub fn record(&self, value: f64) -> Result<(), RecordError> {
        let whole = (value / self.series.unit.of_one()).round();
        if !(0.0..=LARGEST).contains(&whole) {
            return Err(self.registry.refuse(RecordError::NotANumber));
        }
        self.series.record(whole as u64);
        Ok(())
    }

    /// Adds a duration to a distribution of seconds.
    pub(super) fn record_duration(&self, duration: Duration) {
        self.series.record(crate::clock::nanos(duration));
    }

    /// Times what happens until the guard is stopped or dropped.
    pub fn time(&self) -> Timing {
        Timing::start(self.clone())
    }
}
