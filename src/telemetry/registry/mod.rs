//! The embedder's own metrics.
//!
//! A [`Registry`] takes values under a name, with a unit and a few tags, and exposes them beside Statim's own:
//!
//! ```
//! use statim::telemetry::{Registry, Unit};
//!
//! let registry = Registry::default();
//! registry.record("import_batch", 512.0, Unit::Bytes, &[("source", "registry")])?;
//! registry.count("import_files", 1, &[])?;
//! registry.set("import_backlog", 17.0, Unit::Count, &[])?;
//! let timing = registry.time("import_parse", &[])?;
//! // … the work …
//! timing.stop();
//! # Ok::<(), statim::telemetry::RecordError>(())
//! ```
//!
//! # No patient data
//!
//! Metrics are scraped without authentication, kept for months and shown to many. A name, an identifier, a diagnosis or a
//! date of a patient must never become a tag: nobody can remove it afterwards. Tags are for what there are a few of: a
//! source, a kind, an outcome.
//!
//! # Bounds
//!
//! Every combination of tag values is a series of its own, and a distribution takes up to 30 KB. Beyond
//! [`RegistryOptions::series`] new ones are refused, as are long names and tags. Who records learns of it by the
//! error; who ignores the error still has the log (once for each kind of refusal) and the metric
//! `statim_monitor_refused_total`.

mod error;
mod series;
mod timing;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use self::error::RecordError;
pub use self::series::Distribution;
pub use self::timing::Timing;

use self::series::{Data, Key, Series};
use super::names::{Kind, Unit};
use super::sample::{MetricSample, Value};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// What a registry takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryOptions {
    /// Most series. Default: 1,000.
    pub series: usize,
    /// Most tags of a series. Default: 8.
    pub tags: usize,
    /// Longest name of a metric or tag and longest value of a tag, in bytes. Default: 100.
    pub text: usize,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self { series: 1000, tags: 8, text: 100 }
    }
}

/// The embedder's own metrics. Cheap to clone; every clone is the same registry.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    options: RegistryOptions,
    /// By name, so that an exposition finds the series of one metric together.
    series: Mutex<BTreeMap<Key, Arc<Series>>>,
    refused: AtomicU64,
    /// A bit for each kind of refusal that is in the log already.
    told: AtomicU64,
}

impl Registry {
    /// An empty registry with these bounds.
    #[must_use]
    pub fn new(options: RegistryOptions) -> Self {
        Self { shared: Arc::new(Shared { options, ..Shared::default() }) }
    }

    /// Adds a value to a distribution (a histogram within 1 %): a duration in seconds, a size in bytes, a number, a ratio.
    /// The unit ends the name that is exposed, unless it does already.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: the value is negative or not a number, or something of it is refused.
    pub fn record(
        &self,
        name: &str,
        value: f64,
        unit: Unit,
        tags: &[(&str, &str)],
    ) -> Result<(), RecordError> {
        self.distribution(name, unit, tags)?.record(value)
    }

    /// Adds to a counter, exposed with `_total` at its end.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: something of it is refused.
    pub fn count(&self, name: &str, more: u64, tags: &[(&str, &str)]) -> Result<(), RecordError> {
        self.series(name, Kind::Counter, Unit::Count, tags)?.count(more);
        Ok(())
    }

    /// Sets a gauge, in its unit.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: the value is not a number, or something of it is refused.
    pub fn set(&self, name: &str, value: f64, unit: Unit, tags: &[(&str, &str)]) -> Result<(), RecordError> {
        if !value.is_finite() {
            return Err(self.refuse(RecordError::NotANumber));
        }
        self.series(name, Kind::Gauge, unit, tags)?.set(value);
        Ok(())
    }

    /// Times what happens until the guard is stopped or dropped, into a distribution of seconds.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: something of it is refused.
    pub fn time(&self, name: &str, tags: &[(&str, &str)]) -> Result<Timing, RecordError> {
        Ok(self.distribution(name, Unit::Seconds, tags)?.time())
    }

    /// A distribution to be recorded into often: its name and tags are looked up once.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: something of it is refused.
    pub fn distribution(
        &self,
        name: &str,
        unit: Unit,
        tags: &[(&str, &str)],
    ) -> Result<Distribution, RecordError> {
        let series = self.series(name, Kind::Histogram, unit, tags)?;
        Ok(Distribution::new(self.clone(), series))
    }

    /// How many values and series were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// The metrics at this moment.
    #[must_use]
    pub fn reading(&self) -> RegistryReading {
        self.read(|_| true)
    }

    /// The same without distributions, whose buckets take microseconds each to walk.
    pub(crate) fn numbers(&self) -> RegistryReading {
        self.read(|series| series.kind() != Kind::Histogram)
    }

    fn read(&self, wanted: impl Fn(&Series) -> bool) -> RegistryReading {
        let series = lock(&self.shared.series);
        let wanted = series.iter().filter(|(_, series)| wanted(series));
        RegistryReading {
            series: wanted.map(|(key, series)| (key.clone(), series.unit, series.read())).collect(),
        }
    }

    fn series(
        &self,
        name: &str,
        kind: Kind,
        unit: Unit,
        tags: &[(&str, &str)],
    ) -> Result<Arc<Series>, RecordError> {
        let made =
            Key::new(name, kind, unit, tags, &self.shared.options).and_then(|key| self.find(key, kind, unit));
        made.map_err(|error| self.refuse(error))
    }

    fn find(&self, key: Key, kind: Kind, unit: Unit) -> Result<Arc<Series>, RecordError> {
        let mut all = lock(&self.shared.series);
        if let Some(series) = all.get(&key) {
            return if series.kind() == kind && series.unit == unit {
                Ok(Arc::clone(series))
            } else {
                Err(RecordError::OtherType)
            };
        }
        // All series of one name are of one type.
        let neighbour = all.range(Key::first_of(&key.name)..).next();
        if neighbour.is_some_and(|(other, series)| {
            other.name == key.name && (series.kind() != kind || series.unit != unit)
        }) {
            return Err(RecordError::OtherType);
        }
        if all.len() >= self.shared.options.series {
            return Err(RecordError::TooManySeries { most: self.shared.options.series });
        }
        let series = Arc::new(Series::new(kind, unit));
        all.insert(key, Arc::clone(&series));
        Ok(series)
    }

    /// Counts a refusal, and says so in the log the first time one of its kind occurs.
    fn refuse(&self, error: RecordError) -> RecordError {
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
        let bit = 1 << error.number();
        if self.shared.told.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(%error, "a value of the program's own metrics was refused; later ones are counted in statim_monitor_refused_total");
        }
        error
    }
}

/// The embedder's metrics at a moment.
#[derive(Debug, Clone, Default)]
pub struct RegistryReading {
    series: Vec<(Key, Unit, Data)>,
}

impl RegistryReading {
    /// The same with distributions of what was recorded after `earlier`.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let mut changed = self.clone();
        for (key, _, data) in &mut changed.series {
            let before = earlier.series.binary_search_by(|(other, _, _)| other.cmp(key));
            if let (Data::Distribution(now), Ok(at)) = (data, before)
                && let Data::Distribution(then) = &earlier.series[at].2
            {
                *now = now.since(then);
            }
        }
        changed
    }

    /// The metrics, those of one name together.
    pub fn samples(&self) -> impl Iterator<Item = MetricSample<'_>> {
        self.series.iter().map(|(key, unit, data)| MetricSample {
            name: &key.name,
            kind: data.kind(),
            unit: *unit,
            help: "A metric of the program that Statim runs in.",
            labels: key.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            value: match data {
                Data::Counter(count) => Value::Number(*count as f64),
                Data::Gauge(value) => Value::Number(*value),
                Data::Distribution(values) => Value::Distribution(values),
            },
        })
    }
}
