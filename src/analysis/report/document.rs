//! What a report is made of, before it is Markdown or HTML.

/// A part of a report. Texts are plain but for code between backticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// Of level 1 to 3.
    Heading(u8, String),
    Paragraph(String),
    /// Numbered or not.
    List {
        numbered: bool,
        items: Vec<String>,
    },
    Table {
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    },
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) is_number: bool,
}

pub(super) const fn text(name: &'static str) -> Column {
    Column { name, is_number: false }
}

pub(super) const fn number(name: &'static str) -> Column {
    Column { name, is_number: true }
}

/// Longest text of a cell or item, in characters. A name is configured by somebody, and a report is read by somebody else.
const LONGEST: usize = 600;

/// A text in pieces: plain, or between backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Plain(&'a str),
    Code(&'a str),
}

/// Cuts a text at its backticks. One without a partner is plain.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, left)) = after.split_once('`') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Plain(before));
        }
        if !code.is_empty() {
            pieces.push(Piece::Code(code));
        }
        rest = left;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// On one line, without control characters, and not endless.
pub(super) fn tame(text: &str) -> String {
    let is_strange = |it: char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut tamed: String =
        text.chars().take(LONGEST).map(|it| if is_strange(it) { ' ' } else { it }).collect();
    if text.chars().nth(LONGEST).is_some() {
        tamed.push('…');
    }
    tamed
}
