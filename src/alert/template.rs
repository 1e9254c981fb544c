//! Texts with places for labels and the value.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::labels::{Labels, is_name};
use crate::telemetry::names::Unit;

/// Longest text that is made, in characters: what the strictest on-call tool takes as a summary.
const LONGEST: usize = 1_024;

/// A text in which `{value}` stands for the value that was judged, with its unit, and `{label.NAME}` for a label. Nothing
/// else can be put in, so that nothing else can get out. `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value,
    Label(String),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateFault {
    /// A brace that does not belong to a placeholder.
    #[error("has a lone `{0}` at character {1}; write {0}{0} for a brace")]
    Brace(char, usize),
    /// A placeholder that does not exist.
    #[error("has a placeholder at character {0} that is not known; there are {{value}} and {{label.NAME}}")]
    Placeholder(usize),
    /// Too long.
    #[error("is longer than {LONGEST} characters")]
    Long,
}

impl Template {
    /// Reads a template of at most 1,024 characters.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        if text.chars().nth(LONGEST).is_some() {
            return Err(TemplateFault::Long);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, c)) = characters.next() {
            match c {
                '{' | '}' if characters.next_if(|(_, next)| *next == c).is_some() => plain.push(c),
                '}' => return Err(TemplateFault::Brace(c, at + 1)),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match characters.next() {
                            None => return Err(TemplateFault::Brace('{', at + 1)),
                            Some((_, '}')) => break,
                            Some((_, c)) => name.push(c),
                        }
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(match (name.trim(), name.trim().strip_prefix("label.")) {
                        ("value", _) => Part::Value,
                        (_, Some(label)) if is_name(label) => Part::Label(label.to_owned()),
                        _ => return Err(TemplateFault::Placeholder(at + 1)),
                    });
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The labels that it has places for.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Label(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text with its places filled: a label or value that is not there is `none`. Cut off at 1,024 characters.
    #[must_use]
    pub fn fill(&self, labels: &Labels, value: Option<f64>, unit: Unit) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value => text.push_str(&value.map_or_else(|| "none".to_owned(), |it| unit.show(it))),
                Part::Label(name) => match labels.get(name) {
                    "" => text.push_str("none"),
                    // A label could hold what a terminal or a log takes for a command.
                    value => text.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c })),
                },
            }
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
        text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> Labels {
        Labels::new([("agent", "con{value}\u{1b}[2Jsent")]).unwrap()
    }

    #[test]
    fn value_and_labels_are_filled_in_once() {
        let template = Template::parse("{label.agent}: {value} {{x}} {label.none}").unwrap();
        let text = template.fill(&labels(), Some(0.853), Unit::Ratio);
        assert_eq!(text, "con{value} [2Jsent: 85.3 % {x} none");
        assert_eq!(template.labels().collect::<Vec<_>>(), ["agent", "none"]);
        assert_eq!(template.fill(&Labels::none(), None, Unit::Ratio), "none: none {x} none");
    }

    #[test]
    fn anything_but_value_and_labels_is_refused() {
        for (text, fault) in [
            ("a {valeu}", TemplateFault::Placeholder(3)),
            ("{label.}", TemplateFault::Placeholder(1)),
            ("{label.a b}", TemplateFault::Placeholder(1)),
            ("{env.HOME}", TemplateFault::Placeholder(1)),
            ("a } b", TemplateFault::Brace('}', 3)),
            ("{value", TemplateFault::Brace('{', 1)),
        ] {
            assert_eq!(Template::parse(text), Err(fault), "{text}");
        }
        assert_eq!(Template::parse(&"x".repeat(1_025)), Err(TemplateFault::Long));
    }

    #[test]
    fn a_filled_text_is_cut_at_1024_characters() {
        let labels = Labels::new([("a", "é".repeat(128))]).unwrap();
        let text = Template::parse(&"{label.a}".repeat(50)).unwrap().fill(&labels, None, Unit::Count);
        assert_eq!(text.chars().count(), 1_024);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\{|\\}|value|label\\.|[a-zé ]){0,40}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.fill(&labels(), Some(1.0), Unit::Count);
            }
        }
    }
}
