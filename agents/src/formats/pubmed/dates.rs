//! Dates, which PubMed writes as elements.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use crate::record::{HistoryDate, PartialDate};

/// Reads `Year`, `Month`, `Day`, `Season` or `MedlineDate`, and leaves the element. Hours and minutes are passed over.
pub(super) fn date<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Option<PartialDate>, Stop> {
    let (mut year, mut month, mut day, mut season, mut medline) = (None, None, None, None, None);
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Year => year = cursor.some_text()?,
            Tag::Month => month = cursor.some_text()?,
            Tag::Day => day = cursor.some_text()?,
            Tag::Season => season = cursor.some_text()?,
            Tag::MedlineDate => medline = cursor.some_text()?,
            _ => cursor.skip()?,
        }
    }
    if let Some(text) = medline {
        return Ok(Some(PartialDate::new(&text)));
    }
    Ok(PartialDate::from_parts(year.as_deref(), month.as_deref(), day.as_deref(), season.as_deref()))
}

/// Reads a date whose sort is in an attribute.
pub(super) fn step<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    attribute: &str,
    into: &mut Vec<HistoryDate>,
) -> Result<(), Stop> {
    let step = cursor.attribute(attribute)?.unwrap_or_default();
    into.extend(date(cursor)?.map(|date| HistoryDate { step, date }));
    Ok(())
}
