//! What was measured, in histograms of three digits.
//!
//! Whoever ends a message records it in one of a few [`Recorders`], chosen by thread, so that threads seldom meet. Once a
//! second these are emptied into the [`Series`] and the totals: no histogram is ever copied while somebody records.

mod cell;
mod packed;
mod recorders;
mod sends;
mod series;
mod summary;

#[cfg(test)]
mod tests;

pub(super) use self::cell::{Cell, add, histogram, milliseconds};
pub(super) use self::recorders::{Recorders, Spare};
pub(super) use self::sends::Sends;
pub(super) use self::series::{Ended, Series};
pub(super) use self::summary::{Class, Totals, spectrum};
