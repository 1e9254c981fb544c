//! The report of a load test as one HTML file for people: [`page`]; and its frame for other reports: [`document`].
//!
//! Charts are SVG, drawn here. Escaping is maud's, at compile time: whatever is not written as markup in the source is
//! text.

mod chart;
mod document;
mod number;
mod page;
mod run;
mod section;
mod table;

pub use self::document::document;
pub use self::page::page;
