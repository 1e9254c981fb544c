//! Tables: in a box of their own that scrolls, with heads that say what they head.

use maud::{Markup, html};

/// The head of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) number: bool,
}

/// A column of words.
pub(crate) const fn words(head: &'static str) -> Column {
    Column { head, number: false }
}

/// A column of figures, set flush right.
pub(crate) const fn numbers(head: &'static str) -> Column {
    Column { head, number: true }
}

/// A table whose rows begin with what they are about.
pub(crate) fn table(label: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                thead {
                    tr { @for column in columns { th.n[column.number] scope="col" { (column.head) } } }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
                                @if index == 0 {
                                    th.n[column.number] scope="row" { (cell) }
                                } @else {
                                    td.n[column.number] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A state in words, with a shape beside it, so that nobody needs the colour.
pub(crate) fn state(met: Option<bool>, yes: &str, no: &str) -> Markup {
    let (class, shape, word) = match met {
        Some(true) => ("state good", "M2 8.5 6 12.5 14 3.5", yes),
        Some(false) => ("state bad", "M3 3 13 13M13 3 3 13", no),
        None => ("state soft", "M3 8h10", super::number::NOT_MEASURED),
    };
    html! {
        span class=(class) { svg.mark viewBox="0 0 16 16" aria-hidden="true" { path d=(shape) {} } (word) }
    }
}

/// What stands where nothing was measured.
pub(crate) fn nothing() -> Markup {
    html! { span.soft { span aria-hidden="true" { "–" } span.unseen { (super::number::NOT_MEASURED) } } }
}

/// Text that came from outside, kept from turning its surroundings around.
pub(crate) fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}
