//! Ids of articles, links between them, and what they cite.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use crate::record::{ArticleId, ArticleReference, Correction};

/// Reads an `ArticleIdList`.
pub(super) fn ids<R: BufRead>(cursor: &mut Cursor<'_, R>, into: &mut Vec<ArticleId>) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::ArticleId => into.push(id(cursor, "IdType")?),
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

/// Reads an id whose sort is in an attribute.
pub(super) fn id<R: BufRead>(cursor: &mut Cursor<'_, R>, attribute: &str) -> Result<ArticleId, Stop> {
    let kind = cursor.attribute(attribute)?.unwrap_or_default();
    let valid = !cursor.is("ValidYN", "N")?;
    Ok(ArticleId { kind, value: cursor.text()?, valid })
}

/// Reads a `ReferenceList` with the lists inside it; the headings of the lists are passed over.
pub(super) fn list<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    into: &mut Vec<ArticleReference>,
) -> Result<(), Stop> {
    // Lists are counted, not entered by recursion: how deep they nest is the file's choice.
    let mut open = 1;
    while open > 0 {
        match cursor.child()? {
            None => open -= 1,
            Some(Tag::ReferenceList) => open += 1,
            Some(Tag::Reference) => into.push(reference(cursor)?),
            Some(_) => cursor.skip()?,
        }
    }
    Ok(())
}

fn reference<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<ArticleReference, Stop> {
    let mut reference = ArticleReference::default();
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Citation => reference.citation = cursor.text()?,
            Tag::ArticleIdList => ids(cursor, &mut reference.ids)?,
            _ => cursor.skip()?,
        }
    }
    Ok(reference)
}

/// Reads a `CommentsCorrectionsList`.
pub(super) fn corrections<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    into: &mut Vec<Correction>,
) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag != Tag::CommentsCorrections {
            cursor.skip()?;
            continue;
        }
        let kind = cursor.attribute("RefType")?.unwrap_or_default();
        let mut correction = Correction { kind, ..Correction::default() };
        while let Some(tag) = cursor.child()? {
            match tag {
                Tag::RefSource => correction.citation = cursor.text()?,
                Tag::Pmid => correction.pmid = cursor.some_text()?,
                Tag::Note => correction.note = cursor.some_text()?,
                _ => cursor.skip()?,
            }
        }
        into.push(correction);
    }
    Ok(())
}
