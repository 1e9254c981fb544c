//! One value of one series, on its way to a scraper or an alert rule.

use super::names::{Kind, Metric, Unit};
use super::sparse::Sparse;

/// One series at a moment. Counters are from the start of the process; so are histograms in a scrape, while those that the
/// monitor gives to alerting are of what was measured since they were last read.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample<'a> {
    /// The name of its metric.
    pub name: &'a str,
    /// How it behaves over time.
    pub kind: Kind,
    /// What it is measured in.
    pub unit: Unit,
    /// What it means; may be empty.
    pub help: &'a str,
    /// Its labels, in the order of the metric.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Its value.
    pub value: Value<'a>,
}

/// The value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Of a counter or a gauge, in the metric's unit.
    Number(f64),
    /// Of a histogram, whose whole numbers are [`Unit::of_one`] each: nanoseconds for seconds.
    Distribution(&'a Sparse),
}

impl<'a> MetricSample<'a> {
    /// A number of one of Statim's own metrics; `labels` are the values, in the metric's order.
    #[must_use]
    pub fn number<const N: usize>(metric: &'static Metric, labels: [&'a str; N], value: f64) -> Self {
        Self::of(metric, labels, Value::Number(value))
    }

    /// A histogram of one of Statim's own metrics.
    #[must_use]
    pub fn distribution<const N: usize>(
        metric: &'static Metric,
        labels: [&'a str; N],
        value: &'a Sparse,
    ) -> Self {
        Self::of(metric, labels, Value::Distribution(value))
    }

    fn of<const N: usize>(metric: &'static Metric, labels: [&'a str; N], value: Value<'a>) -> Self {
        debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
        let Metric { name, kind, unit, help, .. } = *metric;
        Self { name, kind, unit, help, labels: metric.labels.iter().copied().zip(labels).collect(), value }
    }

    /// The value of the label of this name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| *value)
    }

    /// The number, unless it is a histogram.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => Some(number),
            Value::Distribution(_) => None,
        }
    }
}
