//! Reads typed values out of the tables of a TOML document, noting every fault on the way.
//!
//! Like the reader of the deployment's file, and for lists of tables too.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use statim::telemetry::names::Unit;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::quantity::{DURATION, duration, example, quantity};
use crate::config::fault::Fault;
use crate::config::lines::{Lines, Position};
use crate::config::reader::{advice, kind, shorten};

/// Where something is in the text.
pub(in crate::config) type Span = Range<usize>;

type Key<'i> = Spanned<Cow<'i, str>>;
type Item<'i> = Spanned<DeValue<'i>>;

/// The faults found so far.
pub(in crate::config) struct Notes<'i> {
    lines: Lines<'i>,
    faults: Vec<Fault>,
    /// Lines that are not TOML: what was made of them may be anything, and is not worth a second fault.
    garbled: HashSet<usize>,
}

impl<'i> Notes<'i> {
    /// Reads as much of the text as is TOML.
    pub(in crate::config) fn parse(text: &'i str) -> (Self, Table<'i>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut notes = Self { lines: Lines::new(text), faults: Vec::new(), garbled: HashSet::new() };
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let position = notes.lines.position(span.start);
            // Only a key is repeated: a value may be a secret.
            let name = match text.get(span) {
                Some(name) if error.message() == "duplicate key" => format!(" `{}`", shorten(name)),
                _ => String::new(),
            };
            if notes.garbled.insert(position.line) {
                let message = format!("not TOML: {}{name}", error.message());
                notes.faults.push(Fault::at(position, None, message));
            }
        }
        (notes, Table::new(String::new(), 0..0, table.into_inner()))
    }

    /// Notes a fault.
    pub(in crate::config) fn add(
        &mut self,
        span: Span,
        field: impl Into<String>,
        message: impl Into<String>,
    ) {
        let position = self.lines.position(span.start);
        if !self.garbled.contains(&position.line) {
            self.faults.push(Fault::at(position, Some(field.into()), message));
        }
    }

    pub(in crate::config) fn position(&self, span: &Span) -> Position {
        self.lines.position(span.start)
    }

    pub(in crate::config) fn finish(self) -> Vec<Fault> {
        self.faults
    }
}

/// A table being read. Each reading method takes a field out and notes what is wrong with it; a field that is absent or
/// wrong is `None`.
pub(in crate::config) struct Table<'i> {
    path: String,
    span: Span,
    entries: Vec<(Key<'i>, Item<'i>)>,
    known: Vec<&'static str>,
    spans: HashMap<&'static str, Span>,
    wrong: HashSet<String>,
}

impl<'i> Table<'i> {
    fn new(path: String, span: Span, table: DeTable<'i>) -> Self {
        let entries = table.into_iter().collect();
        Self { path, span, entries, known: Vec::new(), spans: HashMap::new(), wrong: HashSet::new() }
    }

    /// Calls it by a name from now on, in faults.
    pub(in crate::config) fn rename(&mut self, path: String) {
        self.path = path;
    }

    /// Where a field that was read is, else where the table is.
    pub(in crate::config) fn span(&self, field: &str) -> Span {
        let outer = field.split('.').next().unwrap_or(field);
        self.spans.get(field).or_else(|| self.spans.get(outer)).unwrap_or(&self.span).clone()
    }

    /// Whether a fault of this field was noted.
    pub(in crate::config) fn is_wrong(&self, field: &str) -> bool {
        self.wrong.contains(field)
    }

    /// Notes a fault of a field.
    pub(in crate::config) fn fault(
        &mut self,
        notes: &mut Notes<'i>,
        field: &str,
        message: impl Into<String>,
    ) {
        self.fault_at(notes, self.span(field), field, message);
    }

    fn fault_at(&mut self, notes: &mut Notes<'i>, span: Span, field: &str, message: impl Into<String>) {
        notes.add(span, self.field(field), message);
        self.wrong.insert(field.to_owned());
    }

    fn field(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Notes that a field is missing, if it was not read.
    pub(in crate::config) fn require(&mut self, notes: &mut Notes<'i>, field: &'static str, wanted: &str) {
        if !self.spans.contains_key(field) {
            self.fault_at(notes, self.span.clone(), field, format!("is missing; {wanted}"));
        }
    }

    /// Takes fields as read, whatever they are.
    pub(in crate::config) fn skip(&mut self, fields: &[&'static str]) {
        for field in fields {
            let _ = self.take(field);
        }
    }

    fn take(&mut self, field: &'static str) -> Option<Item<'i>> {
        self.known.push(field);
        let at = self.entries.iter().position(|(key, _)| key.get_ref() == field)?;
        let (_, item) = self.entries.swap_remove(at);
        self.spans.insert(field, item.span());
        Some(item)
    }

    /// A text.
    pub(in crate::config) fn text(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
        wanted: &str,
    ) -> Option<String> {
        let item = self.take(field)?;
        match item.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.fault(notes, field, format!("is blank; {wanted}"));
                None
            }
            DeValue::String(text) => Some(text.to_string()),
            other => {
                self.fault(notes, field, format!("is {}; {wanted}", kind(other)));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(in crate::config) fn flag(&mut self, notes: &mut Notes<'i>, field: &'static str) -> Option<bool> {
        let item = self.take(field)?;
        match item.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                self.fault(notes, field, format!("is {}; give true or false", kind(other)));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(in crate::config) fn whole(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
        allowed: RangeInclusive<u64>,
    ) -> Option<u64> {
        let item = self.take(field)?;
        let wanted = format!("give a whole number from {} to {}", allowed.start(), allowed.end());
        let DeValue::Integer(number) = item.get_ref() else {
            self.fault(notes, field, format!("is {}; {wanted}", kind(item.get_ref())));
            return None;
        };
        let read =
            u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|it| allowed.contains(it));
        if read.is_none() {
            self.fault(notes, field, format!("{} is out of range; {wanted}", shorten(number.as_str())));
        }
        read
    }

    /// A duration, as a text with its unit.
    pub(in crate::config) fn duration(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
    ) -> Option<Duration> {
        let item = self.take(field)?;
        let read = match item.get_ref() {
            DeValue::String(text) => duration(text).ok_or_else(|| format!("{:?} is not one", shorten(text))),
            other => Err(format!("is {}", kind(other))),
        };
        read.map_err(|what| self.fault(notes, field, format!("{what}; {DURATION}"))).ok()
    }

    /// A number, or a text with the unit.
    pub(in crate::config) fn quantity(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
        unit: Unit,
    ) -> Option<f64> {
        let item = self.take(field)?;
        let read = match item.get_ref() {
            DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).ok().map(|it| it as f64),
            DeValue::Float(it) => it.as_str().parse().ok().filter(|it: &f64| it.is_finite()),
            DeValue::String(text) => quantity(text, unit),
            _ => None,
        };
        if read.is_none() {
            let found = match item.get_ref() {
                DeValue::String(text) => format!("{:?}", shorten(text)),
                other => kind(other).to_owned(),
            };
            self.fault(notes, field, format!("{}, not {found}", example(unit)));
        }
        read
    }

    /// One of a few names.
    pub(in crate::config) fn choice<T: Copy>(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let text = self.text(notes, field, &format!("give one of {}", names.join(", ")))?;
        let choice = choices.iter().find(|(name, _)| *name == text);
        if choice.is_none() {
            let advice = advice("the choices are", &text, &names);
            self.fault(notes, field, format!("{:?} is not known; {advice}", shorten(&text)));
        }
        choice.map(|(_, choice)| *choice)
    }

    /// A list of texts, each with its place; one text stands for a list of it.
    pub(in crate::config) fn texts(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
        wanted: &str,
    ) -> Option<Vec<(String, Span)>> {
        let item = self.take(field)?;
        Some(self.texts_of(notes, field, item, wanted))
    }

    fn texts_of(
        &mut self,
        notes: &mut Notes<'i>,
        field: &str,
        item: Item<'i>,
        wanted: &str,
    ) -> Vec<(String, Span)> {
        let span = item.span();
        let items = match item.into_inner() {
            DeValue::Array(items) => items.into_iter().collect(),
            other => vec![Spanned::new(span, other)],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push((text.to_string(), item.span())),
                other => {
                    let what = format!("has {} in it; {wanted}", kind(other));
                    self.fault_at(notes, item.span(), field, what);
                }
            }
        }
        texts
    }

    /// A table of texts, each a list or one: `{ agent = "a", priority = ["high", "low"] }`.
    pub(in crate::config) fn text_lists(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
    ) -> Vec<(String, Vec<(String, Span)>)> {
        const WANTED: &str = "give labels with their values, such as { agent = \"consent\" }";
        let Some(item) = self.take(field) else { return Vec::new() };
        let DeValue::Table(table) = item.into_inner() else {
            self.fault(notes, field, format!("is not a table; {WANTED}"));
            return Vec::new();
        };
        let mut lists = Vec::new();
        for (key, item) in table {
            let name = key.into_inner().into_owned();
            let texts = self.texts_of(notes, &format!("{field}.{}", shorten(&name)), item, WANTED);
            lists.push((name, texts));
        }
        lists
    }

    /// A table within the table.
    pub(in crate::config) fn table(&mut self, notes: &mut Notes<'i>, field: &'static str) -> Option<Self> {
        let item = self.take(field)?;
        let span = item.span();
        match item.into_inner() {
            DeValue::Table(table) => Some(Self::new(self.field(field), span, table)),
            other => {
                self.fault(
                    notes,
                    field,
                    format!("is {}; write it as a table, [{}]", kind(&other), self.field(field)),
                );
                None
            }
        }
    }

    /// The tables of a list, `[[field]]`; none where it is absent.
    pub(in crate::config) fn tables(&mut self, notes: &mut Notes<'i>, field: &'static str) -> Vec<Self> {
        let Some(item) = self.take(field) else { return Vec::new() };
        let path = self.field(field);
        let wanted = format!("write each as [[{path}]]");
        let DeValue::Array(items) = item.into_inner() else {
            self.fault(notes, field, format!("is not a list of tables; {wanted}"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Self::new(format!("{path}[{index}]"), span, table)),
                other => self.fault_at(notes, span, field, format!("has {} in it; {wanted}", kind(&other))),
            }
        }
        tables
    }

    /// The path of the table, as faults call it.
    pub(in crate::config) fn path(&self) -> &str {
        &self.path
    }

    /// A date and time with its offset, as TOML or text: the text of it.
    pub(in crate::config) fn time(
        &mut self,
        notes: &mut Notes<'i>,
        field: &'static str,
    ) -> Option<jiff::Timestamp> {
        let item = self.take(field)?;
        let text = match item.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            other => kind(other).to_owned(),
        };
        let read = text.parse();
        if read.is_err() {
            let what = format!(
                "{:?} is not a time; give one with its offset, such as 2026-11-22T10:00:00Z",
                shorten(&text)
            );
            self.fault(notes, field, what);
        }
        read.ok()
    }

    /// Notes the fields that nobody asked for.
    pub(in crate::config) fn finish(self, notes: &mut Notes<'i>) {
        let listed = if self.path.is_empty() { "there are".to_owned() } else { format!("{} has", self.path) };
        for (key, _) in &self.entries {
            let name = key.get_ref();
            let advice = advice(&listed, name, &self.known);
            notes.add(key.span(), self.field(&shorten(name)), format!("is not known; {advice}"));
        }
    }
}
