//! Reads thresholds.

use super::error::ThresholdError;
use super::figure::{Figure, Unit};
use super::{Comparison, Threshold};
use crate::message::Priority;

/// Longest text, in characters.
const LONGEST: usize = 300;

pub(super) fn threshold(expression: &str) -> Result<Threshold, ThresholdError> {
    let mut reader = Reader { all: expression, rest: expression };
    if expression.chars().nth(LONGEST).is_some() {
        return Err(reader.fault(format!("it is longer than {LONGEST} characters")));
    }
    let figure = reader.figure()?;
    let (kind, priority) = reader.labels(figure)?;
    let comparison = reader.comparison()?;
    let bound = reader.bound(figure.unit())?;
    reader.skip();
    if !reader.rest.is_empty() {
        return Err(reader.fault("nothing may follow the bound".to_owned()));
    }
    Ok(Threshold { expression: expression.trim().to_owned(), figure, kind, priority, comparison, bound })
}

struct Reader<'a> {
    all: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn fault(&self, fault: String) -> ThresholdError {
        let before = &self.all[..self.all.len() - self.rest.len()];
        ThresholdError {
            expression: self.all.chars().take(LONGEST).collect(),
            position: before.chars().count() + 1,
            fault,
        }
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }

    /// What comes next as long as its characters are of a kind; not taken yet.
    fn ahead(&mut self, is_one: impl Fn(char) -> bool) -> &'a str {
        self.skip();
        let end = self.rest.find(|c: char| !is_one(c)).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    fn take(&mut self, text: &str) {
        self.rest = &self.rest[text.len()..];
    }

    fn figure(&mut self) -> Result<Figure, ThresholdError> {
        let name = self.ahead(is_name);
        let Some((_, figure)) = Figure::ALL.iter().find(|(known, _)| *known == name) else {
            let known = Figure::ALL.map(|(known, _)| known).join(", ");
            return Err(self.fault(format!("`{name}` is no figure; there are {known}")));
        };
        self.take(name);
        Ok(*figure)
    }

    fn labels(&mut self, figure: Figure) -> Result<(Option<String>, Option<Priority>), ThresholdError> {
        let (mut kind, mut priority) = (None, None);
        self.skip();
        if !self.rest.starts_with('{') {
            return Ok((None, None));
        }
        if !figure.has_labels() {
            return Err(self.fault("this figure is of the whole run and takes no braces".to_owned()));
        }
        self.take("{");
        loop {
            let label = self.ahead(is_name);
            let known = matches!((label, &kind, priority), ("kind", None, _) | ("priority", _, None));
            if !known {
                return Err(
                    self.fault(format!("expected `kind=` or `priority=`, each once, and not `{label}`"))
                );
            }
            self.take(label);
            if !self.eat("=") {
                return Err(self.fault("expected `=`".to_owned()));
            }
            if label == "kind" {
                kind = Some(self.kind()?);
            } else {
                priority = Some(self.priority()?);
            }
            if self.eat("}") {
                return Ok((kind, priority));
            }
            if !self.eat(",") {
                return Err(self.fault("expected `,` or `}`".to_owned()));
            }
        }
    }

    fn kind(&mut self) -> Result<String, ThresholdError> {
        let kind = self.ahead(|c| !c.is_whitespace() && !"{},=<>".contains(c));
        if kind.is_empty() {
            return Err(self.fault("expected the name of a kind of messages".to_owned()));
        }
        self.take(kind);
        Ok(kind.to_owned())
    }

    fn priority(&mut self) -> Result<Priority, ThresholdError> {
        let name = self.ahead(is_name);
        let Some(priority) = Priority::ALL.into_iter().find(|it| it.as_str() == name) else {
            let known = Priority::ALL.map(Priority::as_str).join(", ");
            return Err(self.fault(format!("`{name}` is no priority; there are {known}")));
        };
        self.take(name);
        Ok(priority)
    }

    fn comparison(&mut self) -> Result<Comparison, ThresholdError> {
        // The longer ones first.
        let known = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        match known.into_iter().find(|(text, _)| self.eat(text)) {
            Some((_, comparison)) => Ok(comparison),
            None => Err(self.fault("expected `<`, `<=`, `>` or `>=`".to_owned())),
        }
    }

    fn bound(&mut self, unit: Unit) -> Result<f64, ThresholdError> {
        let number = self.ahead(|c| c.is_ascii_digit() || c == '.' || c == '_');
        let Some(value) = number.replace('_', "").parse().ok().filter(|value: &f64| value.is_finite()) else {
            return Err(self.fault("expected a number such as 50 or 0.5".to_owned()));
        };
        self.take(number);
        let symbol = self.ahead(|c| c.is_alphabetic() || c == '%' || c == '/');
        let Some((_, worth)) = unit.symbols().iter().find(|(known, _)| *known == symbol) else {
            let known: Vec<_> = unit.symbols().iter().map(|(known, _)| *known).collect();
            return Err(match known.as_slice() {
                [""] => self.fault("this figure has no unit".to_owned()),
                known => self
                    .fault(format!("`{symbol}` is no unit of this figure; there are {}", known.join(", "))),
            });
        };
        self.take(symbol);
        Ok(value * worth)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}
