//! Reads typed values out of a TOML document, noting every fault on the way instead of stopping at the first.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::lines::{Lines, Position};
use super::shape::{Places, Shape};
use super::suggest::nearest;

type Entries<'i> = Vec<(Spanned<Cow<'i, str>>, Spanned<DeValue<'i>>)>;

/// A document being read. What [`finish`](Self::finish) finds unread is not known.
pub(super) struct Document<'i> {
    sections: Entries<'i>,
    known: Vec<&'static str>,
    notes: Notes<'i>,
}

/// The faults found so far.
pub(super) struct Notes<'i> {
    lines: Lines<'i>,
    faults: Vec<Fault>,
    /// Lines that are not TOML: what was made of them may be anything, and is not worth a second fault.
    garbled: HashSet<usize>,
}

impl Notes<'_> {
    pub(super) fn add(&mut self, span: Range<usize>, field: String, message: impl Into<String>) {
        let position = self.lines.position(span.start);
        if !self.garbled.contains(&position.line) {
            self.faults.push(Fault::at(position, Some(field), message));
        }
    }
}

impl<'i> Document<'i> {
    /// Reads as much of the text as is TOML.
    pub(super) fn parse(text: &'i str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut notes = Notes { lines: Lines::new(text), faults: Vec::new(), garbled: HashSet::new() };
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let position = notes.lines.position(span.start);
            // Only a key is repeated: a value may be a secret.
            let name = match text.get(span) {
                Some(name) if error.message() == "duplicate key" => format!(" `{name}`"),
                _ => String::new(),
            };
            let message = format!("not TOML: {}{name}", error.message());
            if notes.garbled.insert(position.line) {
                notes.faults.push(Fault::at(position, None, message));
            }
        }
        Self { sections: table.into_inner().into_iter().collect(), known: Vec::new(), notes }
    }

    /// Opens the section `[name]`; one that is not written is empty.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'_, 'i> {
        self.known.push(name);
        let entries = match take(&mut self.sections, name) {
            None => Vec::new(),
            Some((key, value)) => match value.into_inner() {
                DeValue::Table(table) => table.into_iter().collect(),
                other => {
                    let found = kind(&other);
                    self.notes.add(
                        key.span(),
                        name.to_owned(),
                        format!("is {found}; write it as a section, [{name}]"),
                    );
                    Vec::new()
                }
            },
        };
        Section { name, entries, known: Vec::new(), notes: &mut self.notes }
    }

    /// Reads the tables `[section.name]`, each of one `shape` and one of `names`. `read` makes options of what is written
    /// there, and says what is wrong with them by the path of the field.
    pub(super) fn tables(
        &mut self,
        section: &'static str,
        what: &str,
        names: &[&'static str],
        shape: &Shape,
        mut read: impl FnMut(&'static str, toml::Value) -> Result<(), Vec<(String, String)>>,
    ) {
        let Section { entries, notes, .. } = self.section(section);
        for (key, value) in entries {
            // However many spaces are around the arrow.
            let written = key.get_ref().split("->").map(str::trim).collect::<Vec<_>>().join(" -> ");
            let shown = shorten(&written);
            let is_bare = shown.chars().all(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
            let path = if is_bare { format!("{section}.{shown}") } else { format!("{section}.{shown:?}") };
            let Some(name) = names.iter().find(|name| **name == written) else {
                let advice = advice(&format!("there is {what}"), &written, names);
                notes.add(key.span(), path, format!("is not known; {advice}"));
                continue;
            };
            let mut places = Places::default();
            let Some(options) = shape.read(&path, &value, notes, &mut places) else { continue };
            for (field, message) in read(name, options).err().into_iter().flatten() {
                let field = if field.is_empty() { path.clone() } else { format!("{path}.{field}") };
                let at = places.of(&field).unwrap_or(key.span().start);
                notes.add(at..at, field, message);
            }
        }
    }

    /// Every fault, sections that nobody asked for included.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        for (key, value) in &self.sections {
            let name = key.get_ref();
            let what = if value.get_ref().is_table() { "section" } else { "field outside a section" };
            let advice = advice("the sections are", name, &self.known);
            self.notes.add(key.span(), shorten(name), format!("is a {what} that is not known; {advice}"));
        }
        self.notes.faults
    }
}

/// A section being read. Each reading method takes a field out, notes what is wrong with it, and gives the default where
/// it is absent or wrong.
pub(super) struct Section<'d, 'i> {
    name: &'static str,
    entries: Entries<'i>,
    known: Vec<&'static str>,
    notes: &'d mut Notes<'i>,
}

impl<'i> Section<'_, 'i> {
    /// A whole number within bounds. `meaning` says what the number is, for the fault: `workers, 0 for …`.
    pub(super) fn whole(&mut self, name: &'static str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.take(name) else { return default };
        let wanted = format!("give a whole number from {} to {}", allowed.start(), allowed.end());
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong(name, &value, &wanted);
            return default;
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if allowed.contains(&number) => number,
            _ => {
                self.note(
                    name,
                    value.span(),
                    format!("{} is out of range; {wanted}", shorten(number.as_str())),
                );
                default
            }
        }
    }

    /// A number within bounds, with or without a fraction.
    pub(super) fn number(&mut self, name: &'static str, default: f64, allowed: RangeInclusive<f64>) -> f64 {
        let Some(value) = self.take(name) else { return default };
        let wanted = format!("give a number from {} to {}", allowed.start(), allowed.end());
        let (shown, number) = match value.get_ref() {
            DeValue::Integer(it) => {
                (it.as_str(), i64::from_str_radix(it.as_str(), it.radix()).ok().map(|it| it as f64))
            }
            DeValue::Float(it) => (it.as_str(), it.as_str().parse().ok()),
            _ => {
                self.wrong(name, &value, &wanted);
                return default;
            }
        };
        match number.filter(|it| allowed.contains(it)) {
            Some(number) => number,
            None => {
                self.note(name, value.span(), format!("{} is out of range; {wanted}", shorten(shown)));
                default
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let Some(value) = self.take(name) else { return default };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => {
                self.wrong(name, &value, "give true or false");
                default
            }
        }
    }

    /// One of a few names.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.take(name) else { return default };
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let DeValue::String(text) = value.get_ref() else {
            self.wrong(name, &value, &format!("give one of {}", names.join(", ")));
            return default;
        };
        match choices.iter().find(|(name, _)| name == text) {
            Some((_, choice)) => *choice,
            None => {
                let advice = advice("the choices are", text, &names);
                self.note(name, value.span(), format!("{:?} is not known; {advice}", shorten(text)));
                default
            }
        }
    }

    /// A text that `read` makes sense of. The fault is what `read` says, so that it decides what may be repeated.
    pub(super) fn text<T, E: Display>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<(T, Position)> {
        let value = self.take(name)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong(name, &value, wanted);
            return None;
        };
        match read(text) {
            Ok(it) => Some((it, self.notes.lines.position(value.span().start))),
            Err(error) => {
                self.note(name, value.span(), error.to_string());
                None
            }
        }
    }

    /// A list of texts that are not blank; `None` where the field is absent.
    pub(super) fn texts(&mut self, name: &'static str, wanted: &str) -> Option<Vec<(String, Position)>> {
        let value = self.take(name)?;
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong(name, &value, wanted);
            return None;
        };
        let mut texts = Vec::new();
        for (index, entry) in array.iter().enumerate() {
            let field = format!("{}.{name}[{index}]", self.name);
            match entry.get_ref() {
                DeValue::String(text) if text.trim().is_empty() => {
                    self.notes.add(entry.span(), field, format!("is blank; {wanted}"));
                }
                DeValue::String(text) => {
                    texts.push((text.to_string(), self.notes.lines.position(entry.span().start)));
                }
                other => self.notes.add(entry.span(), field, format!("is {}; {wanted}", kind(other))),
            }
        }
        Some(texts)
    }

    /// Where a field that was not read yet is written, for a fault about two fields.
    pub(super) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.entries.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.span())
    }

    /// Notes a field that was once known, with where it went.
    pub(super) fn retired(&mut self, name: &'static str, message: &str) {
        if let Some((key, _)) = take(&mut self.entries, name) {
            self.note(name, key.span(), message);
        }
    }

    /// Notes a fault of a field.
    pub(super) fn note(&mut self, name: &str, span: Range<usize>, message: impl Into<String>) {
        self.notes.add(span, format!("{}.{name}", self.name), message);
    }

    /// Notes a fault of a field that was read.
    pub(super) fn note_at(&mut self, name: &str, position: Position, message: impl Into<String>) {
        self.notes.faults.push(Fault::at(position, Some(format!("{}.{name}", self.name)), message));
    }

    /// Notes the fields that nobody asked for.
    pub(super) fn finish(self) {
        let Self { name, entries, known, notes } = self;
        let listed = format!("[{name}] has");
        for (key, _) in &entries {
            let advice = advice(&listed, key.get_ref(), &known);
            notes.add(
                key.span(),
                format!("{name}.{}", shorten(key.get_ref())),
                format!("is not known; {advice}"),
            );
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(name);
        take(&mut self.entries, name).map(|(_, value)| value)
    }

    fn wrong(&mut self, name: &str, value: &Spanned<DeValue<'i>>, wanted: &str) {
        self.note(name, value.span(), format!("is {}; {wanted}", kind(value.get_ref())));
    }
}

fn take<'i>(entries: &mut Entries<'i>, name: &str) -> Option<(Spanned<Cow<'i, str>>, Spanned<DeValue<'i>>)> {
    let at = entries.iter().position(|(key, _)| key.get_ref() == name)?;
    Some(entries.swap_remove(at))
}

pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

pub(super) fn advice(listed: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("{listed} {}", known.join(", ")),
    }
}

/// What may be shown of something that could be a book.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
    }
}
