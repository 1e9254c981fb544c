//! What the monitor knows, in the formats that others read.
//!
//! [`render`] writes a scrape in either text format, [`HdrLog`] a log that HDR histogram tools open.

mod bounds;
mod escape;
mod format;
mod hdr_log;
mod text;

#[cfg(test)]
mod tests;

pub use self::bounds::{BYTES_BOUNDS, COUNT_BOUNDS, RATIO_BOUNDS, SECONDS_BOUNDS, bounds};
pub use self::format::Format;
pub use self::hdr_log::HdrLog;
pub use self::text::{Scrape, render};
