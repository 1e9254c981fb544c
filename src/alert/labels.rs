//! Labels, and what picks them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Most labels a set may have.
const MOST: usize = 32;
/// Longest name and value, in bytes.
const LONGEST: usize = 256;

/// A set of labels: what tells one series of a metric, or one alert of a rule, from the others.
///
/// At most 32, of at most 256 bytes each in name and value. A label with an empty value is the same as none. Labels reach
/// logs and other systems: nothing of a patient belongs in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Labels(BTreeMap<String, String>);

/// What is wrong with a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelFault {
    /// The name is empty or has a character that it may not have.
    #[error("the name of a label is letters, digits and _, and does not begin with a digit")]
    Name,
    /// The name or value is too long.
    #[error("a label's name and value have at most {LONGEST} bytes each")]
    Long,
    /// There are too many.
    #[error("there are at most {MOST} labels")]
    Many,
}

impl Labels {
    /// No labels.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// These labels. Of two with one name the later stays.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn new<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, LabelFault> {
        let mut labels = Self::none();
        for (name, value) in pairs {
            labels.set(name.into(), value.into())?;
        }
        Ok(labels)
    }

    /// Sets a label; an empty value takes it away.
    ///
    /// # Errors
    ///
    /// When the name or value is not allowed, or there are too many labels. Then nothing has changed.
    pub fn set(&mut self, name: String, value: String) -> Result<(), LabelFault> {
        if !is_name(&name) {
            return Err(LabelFault::Name);
        }
        if name.len() > LONGEST || value.len() > LONGEST {
            return Err(LabelFault::Long);
        }
        if value.is_empty() {
            self.0.remove(&name);
        } else if self.0.len() >= MOST && !self.0.contains_key(&name) {
            return Err(LabelFault::Many);
        } else {
            self.0.insert(name, value);
        }
        Ok(())
    }

    /// The value of a label; empty, if there is no such label.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Each name with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each label of `others` is one of these.
    #[must_use]
    pub fn contains(&self, others: &Self) -> bool {
        others.iter().all(|(name, value)| self.get(name) == value)
    }

    /// These, and of `others` those whose names are not among these. Cut off at 32.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (name, value) in others.iter() {
            if all.get(name).is_empty() && all.0.len() < MOST {
                all.0.insert(name.to_owned(), value.to_owned());
            }
        }
        all
    }

    /// Of these, those with a name in `names`.
    #[must_use]
    pub fn only(&self, names: &[String]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| names.contains(name));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

impl TryFrom<BTreeMap<String, String>> for Labels {
    type Error = LabelFault;

    fn try_from(pairs: BTreeMap<String, String>) -> Result<Self, LabelFault> {
        Self::new(pairs)
    }
}

impl From<Labels> for BTreeMap<String, String> {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

impl fmt::Display for Labels {
    /// As Prometheus writes them: `{agent="consent", priority="critical"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

/// Whether it may name a label.
pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// Picks label sets by one label. A missing label has the empty value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// It must have one of these values, in which `*` stands for any characters.
    pub values: Vec<String>,
    /// Picks those that do *not* have one of them instead.
    pub negated: bool,
}

impl Matcher {
    /// Picks the sets in which the label has this value; `*` in it stands for any characters.
    #[must_use]
    pub fn is(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), values: vec![value.to_owned()], negated: false }
    }

    /// Whether it picks these labels.
    #[must_use]
    pub fn picks(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name);
        self.values.iter().any(|pattern| fits(pattern, value)) != self.negated
    }

    /// The one value that it asks for, if it asks for one.
    pub(super) fn exact(&self) -> Option<&str> {
        match self.values.as_slice() {
            [value] if !self.negated && !value.contains('*') => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "!=" } else { "=" };
        write!(f, "{}{sign}{}", self.name, self.values.join("|"))
    }
}

/// Whether `value` is what `pattern` says. Linear in both, whatever is in them.
fn fits(pattern: &str, value: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(mut left) = value.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
    // Taking the first place where a part is found leaves most room for those after it.
    for part in middle.split('*') {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded_and_empty_values_are_none() {
        let labels = Labels::new([("agent", "a"), ("gone", ""), ("agent", "b")]).unwrap();
        assert_eq!(labels.to_string(), "{agent=\"b\"}");
        assert_eq!(labels.get("gone"), "");
        assert_eq!(Labels::new([("0a", "x")]), Err(LabelFault::Name));
        assert_eq!(Labels::new([("", "x")]), Err(LabelFault::Name));
        assert_eq!(Labels::new([("a-b", "x")]), Err(LabelFault::Name));
        assert_eq!(Labels::new([("a", "x".repeat(257))]), Err(LabelFault::Long));
        assert_eq!(Labels::new((0..33).map(|n| (format!("l{n}"), "x"))), Err(LabelFault::Many));
        let full = Labels::new((0..32).map(|n| (format!("l{n}"), "x"))).unwrap();
        assert_eq!(full.or(&labels), full);
    }

    #[test]
    fn labels_that_are_there_win_over_those_added() {
        let labels = Labels::new([("agent", "a")]).unwrap();
        let others = Labels::new([("agent", "b"), ("team", "x")]).unwrap();
        assert_eq!(labels.or(&others), Labels::new([("agent", "a"), ("team", "x")]).unwrap());
        assert_eq!(others.only(&["team".to_owned(), "z".to_owned()]), Labels::new([("team", "x")]).unwrap());
        assert!(others.contains(&Labels::none()) && !labels.contains(&others));
    }

    #[test]
    fn a_matcher_picks_by_value_and_star() {
        let labels = Labels::new([("agent", "ingest-7")]).unwrap();
        let picks = |pattern: &str| Matcher::is("agent", pattern).picks(&labels);
        for pattern in ["ingest-7", "*", "ingest*", "*-7", "i*e*-*", "**", "ingest-7*", "*ingest-7"] {
            assert!(picks(pattern), "{pattern}");
        }
        for pattern in ["ingest", "ingest-", "x*", "*x", "ingest-7*7", "", "*e*e*"] {
            assert!(!picks(pattern), "{pattern}");
        }
        assert!(Matcher::is("priority", "").picks(&labels), "a missing label is empty");
        let not = Matcher { negated: true, ..Matcher::is("agent", "ingest-*") };
        assert!(!not.picks(&labels) && not.picks(&Labels::none()));
        let any =
            Matcher { name: "agent".into(), values: vec!["a".into(), "ingest-7".into()], negated: false };
        assert!(any.picks(&labels));
        assert_eq!((any.exact(), Matcher::is("a", "b").exact()), (None, Some("b")));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let labels = Labels::new([("agent", "a".repeat(256))]).unwrap();
        assert!(!Matcher::is("agent", &format!("{}b", "a*".repeat(100))).picks(&labels));
    }
}
