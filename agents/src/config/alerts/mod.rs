//! The TOML file of alert rules.
//!
//! [`AlertsConfig::load`] reads one and either understands all of it or says everything that is wrong with it at once, like
//! the file of the deployment. Without a file the rules in `config/alerts.toml` are in force, as they were when the program
//! was built.

mod cases;
mod notation;
pub(in crate::config) mod quantity;
mod rule;
mod silence;
mod sink;
pub(in crate::config) mod table;

#[cfg(test)]
mod tests;

pub use self::cases::{Case, CaseSeries, CasesFile, Expectation};
pub use self::sink::{SecretFault, SecretSource, Sink, SinkKind};

use std::path::Path;
use std::time::Duration;

use statim::alert::{DispatchOptions, EngineOptions, EscalationStep, Rule, Severity, Silence};

use self::table::{Notes, Span, Table};
use super::fault::{Fault, Faults};
use super::reader::advice;

/// The rules that the program was built with.
const BUILT_IN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/alerts.toml"));

/// What is watched and who is told.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertsConfig {
    /// How the rules are evaluated: `[evaluation]`.
    pub evaluation: EngineOptions,
    /// How alerts become notifications: `[grouping]`, `[[escalation]]` and the names of the sinks.
    pub dispatch: DispatchOptions,
    /// The rules, in the order of the file: `[[rule]]`.
    pub rules: Vec<Rule>,
    /// Silences that the file asks for: `[[silence]]`.
    pub silences: Vec<Silence>,
    /// Where notifications go: `[[sink]]`. A file without any has one, that writes to the log.
    pub sinks: Vec<Sink>,
    origin: String,
}

/// The names that a file may use.
struct Names<'n> {
    sinks: &'n [String],
    metrics: &'n [String],
}

impl AlertsConfig {
    /// Reads a rule file of at most 1 MiB. Whether the secrets it names are there is not looked at; see
    /// [`check_secrets`](Self::check_secrets).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, or why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let (text, origin) = super::text_of(path)?;
        Self::parse(&text, &origin)
    }

    /// The rules that the program was built with.
    ///
    /// # Errors
    ///
    /// Never, unless the program was built with a file that its own tests refuse.
    pub fn built_in() -> Result<Self, Faults> {
        Self::parse(BUILT_IN, "the built-in rules")
    }

    /// Reads rules from their text; `origin` is the name by which faults call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Faults> {
        let (mut notes, mut file) = Notes::parse(text);
        let metrics = custom_metrics(&mut notes, &mut file);
        let evaluation = evaluation(&mut notes, &mut file);
        let sinks = sink::sinks(&mut notes, &mut file);
        let names: Vec<String> = sinks.iter().map(|it| it.name.clone()).collect();
        let known = Names { sinks: &names, metrics: &metrics };
        let dispatch = dispatch(&mut notes, &mut file, &known);
        let silences = silence::silences(&mut notes, &mut file);
        let rules = rule::rules(&mut notes, &mut file, evaluation.interval, &known);
        file.finish(&mut notes);
        let faults = notes.finish();
        if !faults.is_empty() {
            return Err(Faults::of(origin.to_owned(), faults));
        }
        Ok(Self { evaluation, dispatch, rules, silences, sinks, origin: origin.to_owned() })
    }

    /// What it was read from.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether every secret that a sink needs is there: its environment variable is set, its file can be read. No value is
    /// repeated.
    ///
    /// # Errors
    ///
    /// Each that is not, with its line.
    pub fn check_secrets(&self) -> Result<(), Faults> {
        let sources = self.sinks.iter().flat_map(|it| it.address_secret.iter().chain(&it.secret));
        let faults: Vec<Fault> = sources
            .filter_map(|source| {
                let fault = source.load().err()?;
                Some(Fault::at(source.position, Some(source.field.clone()), fault.to_string()))
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Faults::of(self.origin.clone(), faults)) }
    }
}

fn custom_metrics<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> Vec<String> {
    const WANTED: &str = "name your own metrics, such as [\"ward_beds_used_ratio\"]";
    let named = file.texts(notes, "custom_metrics", WANTED).unwrap_or_default();
    let mut metrics = Vec::new();
    for (name, span) in named {
        let mut letters = name.bytes();
        let first = letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'_');
        if first && letters.all(|it| it.is_ascii_alphanumeric() || b"_:".contains(&it)) {
            metrics.push(name);
        } else {
            notes.add(
                span,
                "custom_metrics",
                format!("has a name that is none: letters, digits and _; {WANTED}"),
            );
        }
    }
    metrics
}

fn evaluation<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> EngineOptions {
    let mut options = EngineOptions::default();
    let Some(mut section) = file.table(notes, "evaluation") else { return options };
    let (second, hour, day) = (Duration::from_secs(1), Duration::from_hours(1), Duration::from_hours(24));
    if let Some(interval) = within(notes, &mut section, "interval", second, hour) {
        options.interval = interval;
    }
    if let Some(resend) = within(notes, &mut section, "resend", second, hour) {
        options.resend = resend;
    }
    if let Some(resend) = within(notes, &mut section, "resend_resolved_for", Duration::ZERO, day) {
        options.resend_resolved_for = resend;
    }
    if let Some(label_sets) = section.whole(notes, "label_sets", 1..=100_000) {
        options.label_sets = usize::try_from(label_sets).unwrap_or(usize::MAX);
    }
    if let Some(namespace) = section.text(notes, "namespace", "give a name, or leave it out") {
        options.namespace = namespace;
    }
    section.finish(notes);
    options
}

fn dispatch<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>, names: &Names<'_>) -> DispatchOptions {
    let mut options = DispatchOptions { sinks: names.sinks.to_vec(), ..DispatchOptions::default() };
    let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
    if let Some(mut section) = file.table(notes, "grouping") {
        if let Some(labels) = section.texts(notes, "by", "give labels, such as [\"alertname\", \"agent\"]") {
            options.group_by = labels.into_iter().map(|(label, _)| label).collect();
        }
        if let Some(wait) = within(notes, &mut section, "wait", Duration::ZERO, day) {
            options.wait = wait;
        }
        if let Some(interval) = within(notes, &mut section, "interval", second, day) {
            options.interval = interval;
        }
        section.finish(notes);
    }
    for mut step in file.tables(notes, "escalation") {
        let after = within(notes, &mut step, "after", second, day * 7);
        step.require(notes, "after", "say how long nobody acknowledged, such as \"15m\"");
        let sinks = sink_names(notes, &mut step, "sinks", names).unwrap_or_default();
        let least = step.choice(notes, "severity", &Severity::NAMES).unwrap_or(Severity::Critical);
        step.finish(notes);
        options.escalation.extend(after.map(|after| EscalationStep { after, sinks, least }));
    }
    options
}

/// A duration within bounds.
fn within<'i>(
    notes: &mut Notes<'i>,
    table: &mut Table<'i>,
    field: &'static str,
    least: Duration,
    most: Duration,
) -> Option<Duration> {
    let duration = table.duration(notes, field)?;
    if (least..=most).contains(&duration) {
        return Some(duration);
    }
    table.fault(notes, field, format!("{duration:?} is out of range; give {least:?} to {most:?}"));
    None
}

/// The names of sinks that there are.
fn sink_names<'i>(
    notes: &mut Notes<'i>,
    table: &mut Table<'i>,
    field: &'static str,
    names: &Names<'_>,
) -> Option<Vec<String>> {
    let named = table.texts(notes, field, "give the names of sinks")?;
    let known: Vec<&str> = names.sinks.iter().map(String::as_str).collect();
    let path = format!("{}.{field}", table.path());
    let mut sinks = Vec::new();
    for (name, span) in named {
        if known.contains(&name.as_str()) {
            sinks.push(name);
        } else {
            unknown(notes, span, &path, "sink", &name, &known);
        }
    }
    Some(sinks)
}

fn unknown(notes: &mut Notes<'_>, span: Span, field: &str, what: &str, name: &str, known: &[&str]) {
    let advice = advice(&format!("the {what}s are"), name, known);
    let name = super::reader::shorten(name);
    notes.add(span, field, format!("{name:?} is no {what} that is known; {advice}"));
}
