//! A report as Markdown.

use std::fmt::Write;

use super::document::{Block, Piece, pieces, tame};

pub(super) fn write(blocks: &[Block]) -> String {
    let mut markdown = String::new();
    for block in blocks {
        if !markdown.is_empty() {
            markdown.push('\n');
        }
        match block {
            Block::Heading(level, text) => {
                line(&mut markdown, &format!("{} {}", "#".repeat((*level).into()), inline(text)))
            }
            Block::Paragraph(text) => line(&mut markdown, &inline(text)),
            Block::List { numbered, items } => {
                for (number, item) in items.iter().enumerate() {
                    let mark = if *numbered { format!("{}.", number + 1) } else { "-".to_owned() };
                    line(&mut markdown, &format!("{mark} {}", inline(item)));
                }
            }
            Block::Table { columns, rows } => {
                let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
                line(&mut markdown, &row(columns.iter().map(|it| it.name.to_owned()).collect()));
                line(
                    &mut markdown,
                    &row(columns
                        .iter()
                        .map(|it| if it.is_number { "---:" } else { "---" }.to_owned())
                        .collect()),
                );
                for cells in rows {
                    line(&mut markdown, &row(cells.iter().map(|it| inline(it)).collect()));
                }
            }
        }
    }
    markdown
}

fn line(markdown: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(markdown, "{text}");
}

fn inline(text: &str) -> String {
    let tamed = tame(text);
    let mut inline = String::with_capacity(tamed.len());
    for piece in pieces(&tamed) {
        match piece {
            Piece::Plain(text) => escape(text, &mut inline),
            // Within code only the table's own mark has a meaning.
            Piece::Code(code) => {
                let _ = write!(inline, "`{}`", code.replace('|', "\\|"));
            }
        }
    }
    inline
}

/// So that a text is a text and no mark-up. Underscores within words and brackets without a link are text already.
fn escape(text: &str, to: &mut String) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // `<` begins a tag only before these, and `&` a character only before those.
            '<' if characters.peek().is_some_and(|it| it.is_alphabetic() || "/!?".contains(*it)) => {
                to.push_str("&lt;")
            }
            '&' if characters.peek().is_some_and(|it| it.is_alphanumeric() || *it == '#') => {
                to.push_str("&amp;")
            }
            '|' | '*' | '\\' | '`' | '[' | ']' | '~' => {
                to.push('\\');
                to.push(character);
            }
            other => to.push(other),
        }
    }
}
