//! A report as HTML.

use std::fmt::Write;

use super::document::{Block, Piece, pieces, tame};

/// Light and dark, narrow and wide, and nothing from a network.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}code{font-family:ui-monospace,monospace}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}th,td{border-color:#444}}";

pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>{}</title><style>{STYLE}</style></head><body>\n{body}</body></html>\n",
        inline(title)
    )
}

pub(super) fn body(blocks: &[Block]) -> String {
    let mut html = String::new();
    for block in blocks {
        // Writing to a string does not fail.
        let _ = match block {
            Block::Heading(level, text) => writeln!(html, "<h{level}>{}</h{level}>", inline(text)),
            Block::Paragraph(text) => writeln!(html, "<p>{}</p>", inline(text)),
            Block::List { numbered, items } => {
                let tag = if *numbered { "ol" } else { "ul" };
                let items: String = items.iter().map(|it| format!("<li>{}</li>", inline(it))).collect();
                writeln!(html, "<{tag}>{items}</{tag}>")
            }
            Block::Table { columns, rows } => {
                let class = |place: usize| {
                    if columns.get(place).is_some_and(|it| it.is_number) { " class=\"n\"" } else { "" }
                };
                let head: String = columns
                    .iter()
                    .enumerate()
                    .map(|(place, it)| format!("<th{}>{}</th>", class(place), inline(it.name)))
                    .collect();
                let rows: String = rows
                    .iter()
                    .map(|cells| {
                        let cells = cells.iter().enumerate();
                        let cells: String = cells
                            .map(|(place, it)| format!("<td{}>{}</td>", class(place), inline(it)))
                            .collect();
                        format!("<tr>{cells}</tr>\n")
                    })
                    .collect();
                writeln!(
                    html,
                    "<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>"
                )
            }
        };
    }
    html
}

fn inline(text: &str) -> String {
    let tamed = tame(text);
    let parts = pieces(&tamed).into_iter().map(|piece| match piece {
        Piece::Plain(text) => escape(text),
        Piece::Code(code) => format!("<code>{}</code>", escape(code)),
    });
    parts.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
