//! Strict reading of JSON: every fault is said, and what nobody asked for is one.

use serde_json::{Map, Value};

/// An object of which everything has to be asked for.
pub(super) struct Shape<'v> {
    path: String,
    object: Option<&'v Map<String, Value>>,
    asked: Vec<&'static str>,
}

/// What is wrong with a body.
pub(super) type Faults = Vec<String>;

impl<'v> Shape<'v> {
    pub(super) fn of(value: &'v Value, path: &str, faults: &mut Faults) -> Self {
        let object = value.as_object();
        if object.is_none() {
            faults.push(format!("{path} is not an object"));
        }
        Self { path: path.to_owned(), object, asked: Vec::new() }
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<&'v Value> {
        self.asked.push(name);
        self.object?.get(name)
    }

    pub(super) fn need(&mut self, name: &'static str, faults: &mut Faults) -> Option<&'v Value> {
        let value = self.get(name);
        if value.is_none() && self.object.is_some() {
            faults.push(format!("{}.{name} is missing", self.path));
        }
        value
    }

    /// A text of at most so many UTF-16 units, which must be there and not be empty.
    pub(super) fn text(&mut self, name: &'static str, most: usize, faults: &mut Faults) -> Option<&'v str> {
        let value = self.need(name, faults)?;
        let text = self.judged(name, value, most, faults)?;
        if text.is_empty() {
            faults.push(format!("{}.{name} is empty", self.path));
        }
        Some(text)
    }

    /// A text of at most so many UTF-16 units, if it is there.
    pub(super) fn maybe_text(
        &mut self,
        name: &'static str,
        most: usize,
        faults: &mut Faults,
    ) -> Option<&'v str> {
        let value = self.get(name)?;
        self.judged(name, value, most, faults)
    }

    pub(super) fn one_of(
        &mut self,
        name: &'static str,
        choices: &[&str],
        faults: &mut Faults,
    ) -> Option<&'v str> {
        let text = self.text(name, usize::MAX, faults)?;
        if !choices.contains(&text) {
            faults.push(format!("{}.{name} is not one of {choices:?}", self.path));
        }
        Some(text)
    }

    pub(super) fn time(&mut self, name: &'static str, faults: &mut Faults) -> Option<jiff::Timestamp> {
        let text = self.text(name, 64, faults)?;
        match text.parse() {
            Ok(time) => Some(time),
            Err(_) => {
                faults.push(format!("{}.{name} is not a time as in RFC 3339", self.path));
                None
            }
        }
    }

    pub(super) fn list(&mut self, name: &'static str, most: usize, faults: &mut Faults) -> &'v [Value] {
        match self.get(name) {
            None => &[],
            Some(Value::Array(list)) if list.len() <= most => list,
            Some(_) => {
                faults.push(format!("{}.{name} is not a list of at most {most}", self.path));
                &[]
            }
        }
    }

    /// Texts by names.
    pub(super) fn texts(&mut self, name: &'static str, faults: &mut Faults) -> Vec<(&'v str, &'v str)> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let Some(object) = value.as_object() else {
            faults.push(format!("{}.{name} is not an object", self.path));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (key, value) in object {
            match value.as_str() {
                Some(text) => texts.push((key.as_str(), text)),
                None => faults.push(format!("{}.{name} has a value that is not a text", self.path)),
            }
        }
        texts
    }

    /// Notes what nobody asked for.
    pub(super) fn finish(self, faults: &mut Faults) {
        let names = self.object.into_iter().flat_map(Map::keys);
        for name in names.filter(|it| !self.asked.contains(&it.as_str())) {
            faults.push(format!("{}.{name} is not known", self.path));
        }
    }

    fn judged(&self, name: &str, value: &'v Value, most: usize, faults: &mut Faults) -> Option<&'v str> {
        let Some(text) = value.as_str() else {
            faults.push(format!("{}.{name} is not a text", self.path));
            return None;
        };
        if text.encode_utf16().count() > most {
            faults.push(format!("{}.{name} is longer than {most}", self.path));
        }
        Some(text)
    }
}

/// Whether it may name a label, as Prometheus says.
pub(super) fn is_label_name(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'_')
        && letters.all(|it| it.is_ascii_alphanumeric() || it == b'_')
}
