//! A statement without its values.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher13;

/// What is kept of a long statement: enough to recognise it.
const LONGEST_SHAPE: usize = 300;

/// A number that is the same for the same statement, whatever its values, white space, comments and number of rows, in
/// every process and release.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a statement.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        Self::of_shape(&normalised(sql))
    }

    fn of_shape(shape: &str) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(shape.as_bytes());
        Self(hasher.finish())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The fingerprint of a statement and its text without values, cut to a length that can be shown.
pub(in crate::store) fn shape(sql: &str) -> (Fingerprint, String) {
    let mut shape = normalised(sql);
    let fingerprint = Fingerprint::of_shape(&shape);
    if let Some((cut, _)) = shape.char_indices().nth(LONGEST_SHAPE) {
        shape.truncate(cut);
        shape.push('…');
    }
    (fingerprint, shape)
}

/// The statement with `?` for each literal and parameter, one such for a list of them, one row for many, no comments, and
/// a space where there was white space. Case is kept: a name in quotes may depend on it.
fn normalised(sql: &str) -> String {
    let mut out = Shape { text: String::with_capacity(sql.len().min(4096)), space: false };
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            _ if first.is_whitespace() => {
                out.space = true;
                &rest[first.len_utf8()..]
            }
            '-' if rest.starts_with("--") => {
                out.space = true;
                rest.find('\n').map_or("", |at| &rest[at..])
            }
            '/' if rest.starts_with("/*") => {
                out.space = true;
                rest.find("*/").map_or("", |at| &rest[at + 2..])
            }
            '\'' => {
                out.value();
                after_literal(&rest[1..])
            }
            '"' => {
                let end = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
                out.token(&rest[..end]);
                &rest[end..]
            }
            '$' if rest[1..].starts_with(|it: char| it.is_ascii_digit()) => {
                out.value();
                rest[1..].trim_start_matches(|it: char| it.is_ascii_digit())
            }
            // A dollar-quoted text of PostgreSQL.
            '$' if dollar_quoted(rest).is_some() => {
                out.value();
                dollar_quoted(rest).unwrap_or("")
            }
            '?' => {
                out.value();
                rest[1..].trim_start_matches(|it: char| it.is_ascii_digit())
            }
            _ if first.is_ascii_digit() => {
                out.value();
                rest.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '.')
            }
            _ if first.is_alphabetic() || first == '_' => {
                let end = rest.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                // x'00', e'\n', b'01': the letter belongs to the literal.
                match after.strip_prefix('\'') {
                    Some(inside) if word.len() == 1 => {
                        out.value();
                        after_literal(inside)
                    }
                    _ => {
                        out.token(word);
                        after
                    }
                }
            }
            _ => {
                let end = first.len_utf8();
                out.token(&rest[..end]);
                &rest[end..]
            }
        };
    }
    out.text
}

/// What follows a literal whose opening quote was read. Two quotes in a row are one of its characters.
fn after_literal(mut inside: &str) -> &str {
    while let Some(at) = inside.find('\'') {
        inside = &inside[at + 1..];
        match inside.strip_prefix('\'') {
            Some(more) => inside = more,
            None => return inside,
        }
    }
    ""
}

/// What follows `$tag$ … $tag$`.
fn dollar_quoted(text: &str) -> Option<&str> {
    let close = text[1..].find('$')? + 2;
    let tag = &text[..close];
    if !tag[1..close - 1].chars().all(|it| it.is_alphanumeric() || it == '_') {
        return None;
    }
    let inside = &text[close..];
    Some(inside.find(tag).map_or("", |at| &inside[at + close..]))
}

struct Shape {
    text: String,
    space: bool,
}

impl Shape {
    fn token(&mut self, token: &str) {
        let glued = matches!(token, "," | ")" | ";" | ".") || self.text.ends_with(['(', '.']);
        if std::mem::take(&mut self.space) && !glued && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(token);
        // A further row like the one before adds nothing.
        if token == ")"
            && let Some(before) = self.text.strip_suffix("(?)")
            && let Some(before) = before.trim_end().strip_suffix(',')
            && before.ends_with("(?)")
        {
            self.text.truncate(before.len());
        }
    }

    fn value(&mut self) {
        // A further value of a list adds nothing; a sign before it is part of it.
        if self.text.ends_with("?,") {
            self.text.pop();
            self.space = false;
            return;
        }
        self.token("?");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_no_values() {
        for (sql, expected) in [
            ("SELECT a FROM t WHERE b = 'O''Neill' AND c=12.5e3", "SELECT a FROM t WHERE b = ? AND c=?"),
            ("SELECT $1, $22 , ?3, ?", "SELECT ?"),
            ("INSERT INTO t (a, b) VALUES ($1, $2),\n ($3, $4), ($5, $6)", "INSERT INTO t (a, b) VALUES (?)"),
            (
                "SELECT x'00ff', E'a', t1.a2 FROM t1 -- name: Ann\n WHERE /* 7 */ a IN (1, 2, 3)",
                "SELECT ?, t1.a2 FROM t1 WHERE a IN (?)",
            ),
            ("SELECT $$secret's$$ FROM \"T 1\"", "SELECT ? FROM \"T 1\""),
            ("SELECT $q$ a $x$ b $q$, 1", "SELECT ?"),
            ("  SELECT\t1  ", "SELECT ?"),
            ("SELECT 'never closed", "SELECT ?"),
        ] {
            assert_eq!(normalised(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_for_any_number_of_rows_and_in_every_release() {
        let rows = |n: usize| format!("INSERT INTO t VALUES {}", vec!["(?, ?)"; n].join(", "));
        assert_eq!(Fingerprint::of(&rows(1)), Fingerprint::of(&rows(500)));
        assert_ne!(Fingerprint::of("SELECT 1"), Fingerprint::of("SELECT a"));
        let json = serde_json::to_string(&Fingerprint::of("SELECT 1")).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), Fingerprint::of("SELECT 1"));
        assert_eq!(Fingerprint::of("SELECT 1").to_string(), "35c9a9f31bbecf5a");
    }

    #[test]
    fn a_long_statement_is_cut_between_characters() {
        let sql = format!("SELECT {}", "é".repeat(1000));
        let (fingerprint, shown) = shape(&sql);
        assert_eq!(shown.chars().count(), LONGEST_SHAPE + 1);
        assert_eq!(fingerprint, Fingerprint::of(&sql));
    }
}
