//! The form of options that another crate reads, known here by name, so that every fault in them is said with its line.
//!
//! A derived reader stops at the first name it does not know. So what is written is first held against a [`Shape`]: names
//! that are not known and values of another kind are noted and left out, and the rest is read. What is out of bounds is
//! then said by the options themselves, by the path of the field, whose place in the text was noted on the way.

use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{Notes, advice, kind, shorten};

/// What may stand where a value is.
#[derive(Debug)]
pub(super) enum Shape {
    /// A number, with or without a fraction.
    Number,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Flag,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A table of fields.
    Table(&'static [(&'static str, Self)]),
    /// `false` (or `true`), or this.
    Part(&'static Self),
}

/// Where each field that was read is written.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(String, usize)>);

impl Places {
    /// The place of a field, or of the nearest that holds it.
    pub(super) fn of(&self, path: &str) -> Option<usize> {
        let at = |path: &str| self.0.iter().find(|(known, _)| known == path).map(|(_, at)| *at);
        at(path).or_else(|| self.of(path.rsplit_once('.')?.0))
    }
}

impl Shape {
    /// Reads a value of this shape; what is wrong is noted, and left out.
    pub(super) fn read(
        &self,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        notes: &mut Notes<'_>,
        places: &mut Places,
    ) -> Option<toml::Value> {
        let found = value.get_ref();
        places.0.push((path.to_owned(), value.span().start));
        let read = match self {
            Self::Part(_) if found.is_bool() => Self::Flag.scalar(found),
            Self::Part(shape) => return shape.read(path, value, notes, places),
            Self::Table(fields) => match found {
                DeValue::Table(table) => return Self::table(fields, path, table, notes, places),
                _ => None,
            },
            Self::Choice(names) => match found {
                DeValue::String(text) if !names.contains(&text.as_ref()) => {
                    let advice = advice("the choices are", text, names);
                    notes.add(
                        value.span(),
                        path.to_owned(),
                        format!("{:?} is not known; {advice}", shorten(text)),
                    );
                    return None;
                }
                _ => self.scalar(found),
            },
            Self::Number | Self::Whole | Self::Flag => self.scalar(found),
        };
        if read.is_none() {
            let wanted = self.wanted();
            notes.add(value.span(), path.to_owned(), format!("is {}; give {wanted}", kind(found)));
        }
        read
    }

    /// A table of which nothing is left has been noted already.
    fn table(
        fields: &[(&'static str, Self)],
        path: &str,
        table: &DeTable<'_>,
        notes: &mut Notes<'_>,
        places: &mut Places,
    ) -> Option<toml::Value> {
        let mut read = toml::Table::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            let Some((known, shape)) = fields.iter().find(|(known, _)| *known == name) else {
                let known: Vec<_> = fields.iter().map(|(known, _)| *known).collect();
                let advice = advice("the fields are", name, &known);
                let field = format!("{path}.{}", shorten(name));
                notes.add(key.span(), field, format!("is not known; {advice}"));
                continue;
            };
            if let Some(value) = shape.read(&format!("{path}.{known}"), value, notes, places) {
                read.insert((*known).to_owned(), value);
            }
        }
        (!read.is_empty() || table.is_empty()).then_some(toml::Value::Table(read))
    }

    fn scalar(&self, found: &DeValue<'_>) -> Option<toml::Value> {
        match (self, found) {
            (Self::Flag, DeValue::Boolean(flag)) => Some((*flag).into()),
            (Self::Choice(_), DeValue::String(text)) => Some(text.as_ref().into()),
            (Self::Number, DeValue::Float(number)) => number.as_str().parse::<f64>().ok().map(Into::into),
            (Self::Number, DeValue::Integer(number)) => {
                // A number too large to be exact is too large for any option.
                let read = i64::from_str_radix(number.as_str(), number.radix());
                Some(toml::Value::Float(read.map_or(f64::MAX, |it| it as f64)))
            }
            (Self::Whole, DeValue::Integer(number)) => {
                // What no option allows stays so, and is reported with the bounds of the option.
                let negative = number.as_str().starts_with('-');
                let read = i64::from_str_radix(number.as_str(), number.radix());
                let most = i64::from(u32::MAX);
                Some(read.map_or(if negative { 0 } else { most }, |it| it.clamp(0, most)).into())
            }
            _ => None,
        }
    }

    fn wanted(&self) -> impl Display {
        match self {
            Self::Number => "a number".to_owned(),
            Self::Whole => "a whole number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::Table(fields) => {
                let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
                format!("a table of {}", names.join(", "))
            }
            Self::Part(_) => "false, or the options".to_owned(),
        }
    }
}
