//! The text formats. Written here and not by a library: a scrape is a walk over samples that exist already, and the
//! libraries want to own the counters (decision 0018).

use std::collections::HashSet;
use std::fmt::{self, Write};

use super::bounds::bounds;
use super::escape;
use super::format::Format;
use crate::telemetry::names::Kind;
use crate::telemetry::sample::{MetricSample, Value};
use crate::telemetry::sparse::Sparse;

/// A scrape of these samples. The samples of one metric follow each other; those of a name that comes again later, or that
/// breaks the rules of the format, are left out, since one of them would make a scraper refuse everything.
#[must_use]
pub fn render<'a>(samples: impl IntoIterator<Item = MetricSample<'a>>, format: Format) -> String {
    let mut scrape = Scrape::new(format);
    samples.into_iter().for_each(|sample| scrape.add(&sample));
    scrape.finish()
}

/// A scrape being written, for samples that come one by one; the same rules as for [`render`].
#[derive(Debug)]
pub struct Scrape {
    format: Format,
    text: String,
    families: HashSet<String>,
    /// The metric of the last sample, and whether it is written.
    family: Option<(String, Kind, bool)>,
}

impl Scrape {
    /// Nothing yet.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, text: String::new(), families: HashSet::new(), family: None }
    }

    /// Adds a sample.
    pub fn add(&mut self, sample: &MetricSample<'_>) {
        let MetricSample { name, kind, .. } = *sample;
        if !self.family.as_ref().is_some_and(|(other, other_kind, _)| other == name && *other_kind == kind) {
            let written = is_name(name) && self.families.insert(name.to_owned());
            if written {
                // Writing to a string does not fail.
                let _ = head(&mut self.text, sample, self.format);
            } else {
                tracing::debug!(%kind, "a metric was left out of the scrape: its name is not one, or comes twice");
            }
            self.family = Some((name.to_owned(), kind, written));
        }
        if self.family.as_ref().is_some_and(|(_, _, written)| *written) {
            let _ = series(&mut self.text, sample);
        }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn head(text: &mut String, sample: &MetricSample<'_>, format: Format) -> fmt::Result {
    let MetricSample { kind, unit, .. } = *sample;
    let base = sample.name.strip_suffix("_total").unwrap_or(sample.name);
    let name = match format {
        // The family of a counter is named without what its series end in.
        Format::OpenMetrics if kind == Kind::Counter => base,
        _ => sample.name,
    };
    if !sample.help.is_empty() {
        writeln!(text, "# HELP {name} {}", escape::help(sample.help))?;
    }
    writeln!(text, "# TYPE {name} {kind}")?;
    if format == Format::OpenMetrics && !unit.as_suffix().is_empty() && base.ends_with(unit.as_suffix()) {
        writeln!(text, "# UNIT {name} {}", unit.as_suffix())?;
    }
    Ok(())
}

fn series(text: &mut String, sample: &MetricSample<'_>) -> fmt::Result {
    match sample.value {
        Value::Number(number) => {
            text.push_str(sample.name);
            labels(text, &sample.labels)?;
            writeln!(text, " {}", Number(number))
        }
        Value::Distribution(distribution) => histogram(text, sample, distribution),
    }
}

fn histogram(text: &mut String, sample: &MetricSample<'_>, distribution: &Sparse) -> fmt::Result {
    let MetricSample { name, unit, .. } = *sample;
    let one = unit.of_one();
    // Written once, and again for each bucket.
    let mut prefix = format!("{name}_bucket{{");
    for (label, value) in &sample.labels {
        write!(prefix, "{label}=\"{}\",", escape::label(value))?;
    }
    let bounds = bounds(unit);
    for (bound, count) in bounds.iter().zip(distribution.at_most(bounds.iter().map(|bound| bound / one))) {
        writeln!(text, "{prefix}le=\"{}\"}} {count}", Number(*bound))?;
    }
    let count = distribution.count();
    writeln!(text, "{prefix}le=\"+Inf\"}} {count}")?;
    for (suffix, number) in [("_sum", distribution.sum() * one), ("_count", count as f64)] {
        text.push_str(name);
        text.push_str(suffix);
        labels(text, &sample.labels)?;
        writeln!(text, " {}", Number(number))?;
    }
    Ok(())
}

fn labels(text: &mut String, labels: &[(&str, &str)]) -> fmt::Result {
    for (number, (label, value)) in labels.iter().enumerate() {
        text.push(if number == 0 { '{' } else { ',' });
        write!(text, "{label}=\"{}\"", escape::label(value))?;
    }
    if !labels.is_empty() {
        text.push('}');
    }
    Ok(())
}

/// A number as both formats write it: `1.0` for a bound of 1, since OpenMetrics wants bounds to look like floats.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            nan if nan.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number => write!(f, "{number:?}"),
        }
    }
}
