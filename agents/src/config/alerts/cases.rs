//! The TOML file of cases that rules are tested by.

use std::path::Path;
use std::time::Duration;

use statim::alert::{Labels, Moment, Standing, Value};

use super::notation;
use super::table::{Notes, Table};
use super::within;
use crate::config::fault::Faults;

/// Most samples of all series of a file: 64 MiB of them.
const MOST_SAMPLES: usize = 2_000_000;
/// Longest time that a case may play.
const LONGEST: Duration = Duration::from_hours(24 * 7);

/// Cases: series over time, and what the rules make of them.
#[derive(Debug, Clone, PartialEq)]
pub struct CasesFile {
    /// Each: `[[case]]`.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where the file has it: the line.
    pub line: usize,
    /// The rules that are in force; all, if none is named.
    pub rules: Vec<String>,
    /// When it begins. Default: 2000-01-01, in UTC.
    pub start: Moment,
    /// The time between two samples; the evaluation interval, if it does not say.
    pub interval: Option<Duration>,
    /// What is measured: `[[case.series]]`.
    pub series: Vec<CaseSeries>,
    /// What is expected: `[[case.expect]]`.
    pub expectations: Vec<Expectation>,
    /// Every notification, in order, a line each, if it says them.
    pub notifications: Option<Vec<String>>,
    /// Until when it plays at least.
    pub until: Duration,
}

/// A series of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSeries {
    /// The metric.
    pub metric: String,
    /// Its labels.
    pub labels: Labels,
    /// A sample an interval, from the beginning; `None` where there is none.
    pub values: Vec<Option<Value>>,
}

/// Where the label sets of a rule stand at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// The line it is on.
    pub line: usize,
    /// The time since the beginning.
    pub at: Duration,
    /// The rule.
    pub rule: String,
    /// Only the label sets that have these; all, if there are none.
    pub labels: Labels,
    /// Where each stands.
    pub state: Standing,
    /// The value that was judged.
    pub value: Option<f64>,
    /// The summary.
    pub summary: Option<String>,
}

impl CasesFile {
    /// Reads a file of cases of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, or why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let (text, origin) = crate::config::text_of(path)?;
        Self::parse(&text, &origin)
    }

    /// Reads cases from their text; `origin` is the name by which faults call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Faults> {
        let (mut notes, mut file) = Notes::parse(text);
        let mut room = MOST_SAMPLES;
        let tables = file.tables(&mut notes, "case").into_iter();
        let cases = tables.map(|table| case(&mut notes, table, &mut room)).collect();
        file.require(&mut notes, "case", "write each as [[case]]");
        file.finish(&mut notes);
        let faults = notes.finish();
        if faults.is_empty() { Ok(Self { cases }) } else { Err(Faults::of(origin.to_owned(), faults)) }
    }
}

fn case<'i>(notes: &mut Notes<'i>, mut table: Table<'i>, room: &mut usize) -> Case {
    const NAME: &str = "say in a sentence what the case shows";
    let name = table.text(notes, "name", NAME).unwrap_or_default();
    table.require(notes, "name", NAME);
    let line = notes.position(&table.span("name")).line;
    let rules = table.texts(notes, "rules", "name rules").unwrap_or_default();
    let start = table.time(notes, "start").map_or(946_684_800_000, |it| it.as_millisecond());
    let interval = within(notes, &mut table, "interval", Duration::from_millis(100), LONGEST);
    let until = within(notes, &mut table, "until", Duration::ZERO, LONGEST).unwrap_or_default();
    let series = table.tables(notes, "series").into_iter().map(|it| one_series(notes, it, room)).collect();
    let expectations = table.tables(notes, "expect").into_iter().map(|it| expectation(notes, it)).collect();
    let notifications = table
        .texts(notes, "notifications", "give a line for each, as a failing test prints it")
        .map(|lines| lines.into_iter().map(|(line, _)| line).collect());
    table.finish(notes);
    Case {
        name,
        line,
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        start: Moment::from_millis(u64::try_from(start).unwrap_or(0)),
        interval,
        series,
        expectations,
        notifications,
        until,
    }
}

fn one_series<'i>(notes: &mut Notes<'i>, mut table: Table<'i>, room: &mut usize) -> CaseSeries {
    const SERIES: &str = "name a metric with its labels, such as 'up{agent=\"consent\"}'";
    const VALUES: &str = "give samples, such as \"0+10x5\"";
    let text = table.text(notes, "series", SERIES);
    table.require(notes, "series", SERIES);
    let (metric, labels) = match text.map(|text| notation::series(&text)) {
        Some(Ok(read)) => read,
        Some(Err(fault)) => {
            table.fault(notes, "series", fault.to_string());
            Default::default()
        }
        None => Default::default(),
    };
    let text = table.text(notes, "values", VALUES);
    table.require(notes, "values", VALUES);
    let values = match text.map(|text| notation::values(&text)) {
        Some(Ok(values)) if values.len() <= *room => {
            *room -= values.len();
            values
        }
        Some(Ok(_)) => {
            table.fault(notes, "values", format!("is too much: a file has at most {MOST_SAMPLES} samples"));
            Vec::new()
        }
        Some(Err(fault)) => {
            table.fault(notes, "values", fault.to_string());
            Vec::new()
        }
        None => Vec::new(),
    };
    table.finish(notes);
    CaseSeries { metric, labels, values }
}

fn expectation<'i>(notes: &mut Notes<'i>, mut table: Table<'i>) -> Expectation {
    let at = within(notes, &mut table, "at", Duration::ZERO, LONGEST).unwrap_or_default();
    table.require(notes, "at", "say when, such as \"6m\"");
    let line = notes.position(&table.span("at")).line;
    let rule = table.text(notes, "rule", "name a rule").unwrap_or_default();
    table.require(notes, "rule", "name a rule");
    let state = table.choice(notes, "state", &Standing::NAMES).unwrap_or(Standing::Inactive);
    table.require(notes, "state", "give inactive, pending, firing or resolved");
    let mut labels = Labels::none();
    for (name, values) in table.text_lists(notes, "labels") {
        let value = values.into_iter().next().map(|(value, _)| value).unwrap_or_default();
        if let Err(fault) = labels.set(name, value) {
            table.fault(notes, "labels", fault.to_string());
        }
    }
    // In which unit, the rule says; a case is of numbers in base units, like its series.
    let value = table.quantity(notes, "value", statim::telemetry::names::Unit::Count);
    let summary = table.text(notes, "summary", "give the text with its places filled");
    table.finish(notes);
    Expectation { line, at, rule, labels, state, value, summary }
}
