//! Dates, and the ways the sources write them.

use jiff::Span;
use jiff::civil::Date;

use super::dice::Dice;

pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day of the years `from` to `to`, both included.
pub(super) fn day_between(dice: &mut Dice, from: i16, to: i16) -> Date {
    let years = i64::from(to - from) + 1;
    days_after(jiff::civil::date(from, 1, 1), dice.range(0, years * 365 - 1))
}

/// The day `days` after `date`; `days` may be negative, and within a few centuries of either side.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days.clamp(-200_000, 200_000)))
}

/// `2024-03-09`
pub(super) fn dashed(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `2024-03`
pub(super) fn month_only(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// `20240309`
pub(super) fn packed(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// `Mar`
pub(super) fn month_name(date: Date) -> &'static str {
    MONTHS[usize::try_from(date.month() - 1).unwrap_or(0)]
}
