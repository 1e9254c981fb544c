//! What sort of statement it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a statement does, by its first words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementClass {
    /// Reads.
    Select,
    /// Adds rows.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
    /// Begins, commits or undoes.
    Transaction,
    /// Changes tables, indexes, triggers and the like.
    Ddl,
    /// Anything else.
    Other,
}

impl StatementClass {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Select, Self::Insert, Self::Update, Self::Delete, Self::Transaction, Self::Ddl, Self::Other];

    /// The class of a statement; of the first one where there are several. `WITH … INSERT` is an insert.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        let mut words = Words { rest: sql, depth: 0 };
        match words.next().map(Self::of_word) {
            Some(Word::Class(class)) => class,
            // The first verb outside parentheses is what is done with the tables that WITH names.
            Some(Word::With) => words
                .find_map(|word| match Self::of_word(word) {
                    Word::Class(class @ (Self::Select | Self::Insert | Self::Update | Self::Delete)) => {
                        Some(class)
                    }
                    _ => None,
                })
                .unwrap_or(Self::Other),
            Some(Word::Unknown) | None => Self::Other,
        }
    }

    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Transaction => "transaction",
            Self::Ddl => "ddl",
            Self::Other => "other",
        }
    }

    fn of_word(word: &str) -> Word {
        const VERBS: [(&str, StatementClass); 19] = [
            ("SELECT", StatementClass::Select),
            ("VALUES", StatementClass::Select),
            ("TABLE", StatementClass::Select),
            ("INSERT", StatementClass::Insert),
            ("REPLACE", StatementClass::Insert),
            ("COPY", StatementClass::Insert),
            ("UPDATE", StatementClass::Update),
            ("MERGE", StatementClass::Update),
            ("DELETE", StatementClass::Delete),
            ("TRUNCATE", StatementClass::Delete),
            ("BEGIN", StatementClass::Transaction),
            ("COMMIT", StatementClass::Transaction),
            ("ROLLBACK", StatementClass::Transaction),
            ("SAVEPOINT", StatementClass::Transaction),
            ("RELEASE", StatementClass::Transaction),
            ("CREATE", StatementClass::Ddl),
            ("ALTER", StatementClass::Ddl),
            ("DROP", StatementClass::Ddl),
            ("REINDEX", StatementClass::Ddl),
        ];
        if word.eq_ignore_ascii_case("WITH") {
            return Word::With;
        }
        VERBS
            .iter()
            .find(|(verb, _)| word.eq_ignore_ascii_case(verb))
            .map_or(Word::Unknown, |(_, class)| Word::Class(*class))
    }
}

impl fmt::Display for StatementClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

enum Word {
    Class(StatementClass),
    With,
    Unknown,
}

/// The words outside parentheses, without comments, literals and quoted names.
struct Words<'s> {
    rest: &'s str,
    depth: u32,
}

impl<'s> Iterator for Words<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        loop {
            let first = self.rest.chars().next()?;
            if first.is_ascii_alphabetic() || first == '_' {
                let end = self.rest.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                if self.depth == 0 {
                    return Some(word);
                }
                continue;
            }
            let after = |mark: &str| self.rest.find(mark).map_or("", |at| &self.rest[at + mark.len()..]);
            self.rest = match first {
                '-' if self.rest.starts_with("--") => after("\n"),
                '/' if self.rest.starts_with("/*") => after("*/"),
                '\'' | '"' => {
                    let inside = &self.rest[1..];
                    inside.find(first).map_or("", |at| &inside[at + 1..])
                }
                _ => {
                    match first {
                        '(' => self.depth += 1,
                        ')' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    &self.rest[first.len_utf8()..]
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_verb_outside_parentheses_is_the_class() {
        for (sql, class) in [
            ("SELECT 1", StatementClass::Select),
            ("  \n select delete from x", StatementClass::Select),
            ("-- insert\n/* update */ DELETE FROM t", StatementClass::Delete),
            ("insert into t values (1)", StatementClass::Insert),
            (
                "WITH a AS (SELECT 1), b AS (DELETE FROM t RETURNING x) UPDATE t SET a = 1",
                StatementClass::Update,
            ),
            ("WITH a AS (SELECT 1) SELECT * FROM a", StatementClass::Select),
            ("WITH \"delete\" AS (SELECT 'insert') SELECT 1", StatementClass::Select),
            ("BEGIN IMMEDIATE", StatementClass::Transaction),
            ("CREATE TABLE t (a)", StatementClass::Ddl),
            ("PRAGMA journal_mode", StatementClass::Other),
            ("selection", StatementClass::Other),
            ("", StatementClass::Other),
            ("'", StatementClass::Other),
            ("/* never closed", StatementClass::Other),
            ("WITH é AS (SELECT 1) INSERT INTO t SELECT 1", StatementClass::Insert),
        ] {
            assert_eq!(StatementClass::of(sql), class, "{sql}");
        }
    }
}
