//! Reading PubMed XML, one article at a time.
//!
//! The document type is never fetched, its entities are never expanded; elements that have no place in
//! [`Article`](crate::record::Article) are passed over.

mod article;
mod book;
mod cursor;
mod dates;
mod indexing;
mod people;
mod references;
mod tag;

use std::io::BufRead;

use super::collector::Collector;
use super::meter::Meter;
use super::quarantine::{Fault, Position, Stop};
use crate::record::{Article, Record};
use cursor::{Cursor, Root};
use tag::Tag;

/// Reads a stream that begins with `<`. `offset` bytes of the file came before it.
pub(super) fn read<R: BufRead>(
    input: &mut Meter<R>,
    offset: u64,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let mut cursor = Cursor::new(input, offset);
    let mut record = 0;
    let mut roots = 0;
    // Files of several gzip members may hold several documents, one after the other.
    while let Some(root) = cursor.root()? {
        roots += 1;
        match root {
            Root::Set => set(&mut cursor, &mut record, collector)?,
            Root::Single(tag) => entry(&mut cursor, tag, &mut record, collector)?,
            Root::Other(name) => {
                collector.unsupported(name, Position { record: None, byte: offset, line: None });
                return Ok(());
            }
            Root::Unknown(name) => {
                let reason = format!("not supported: XML with the root element <{name}>");
                return Err(Stop::fault(Position { byte: offset, ..Position::default() }, reason));
            }
        }
    }
    if roots == 0 {
        return Err(cursor.fault("not valid XML: no element"));
    }
    Ok(())
}

fn set<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    record: &mut u64,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    loop {
        // The ceiling holds for what stands between two records too.
        cursor.begin_record();
        let Some(tag) = cursor.child()? else { return Ok(()) };
        entry(cursor, tag, record, collector)?;
    }
}

/// One child of the root.
fn entry<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    tag: Tag,
    record: &mut u64,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let position = Position { record: Some(*record), byte: cursor.start(), line: None };
    match tag {
        Tag::PubmedArticle => {
            *record += 1;
            let article = article::read(cursor)?;
            finish(article, position, collector)
        }
        Tag::PubmedBookArticle => {
            *record += 1;
            let article = book::read(cursor)?;
            finish(article, position, collector)
        }
        Tag::DeleteCitation | Tag::DeleteDocument => {
            while let Some(child) = cursor.child()? {
                if child != Tag::Pmid {
                    cursor.skip()?;
                    continue;
                }
                let version = cursor.number("Version")?.unwrap_or(1);
                let pmid = cursor.text()?;
                if is_pmid(&pmid) {
                    collector.delete(pmid, version, position)?;
                } else {
                    collector.quarantine(no_pmid(position))?;
                }
            }
            Ok(())
        }
        _ => {
            *record += 1;
            cursor.skip()?;
            let reason = "not a record: an unknown element in a set of PubMed articles".to_owned();
            collector.quarantine(Fault { position, path: None, reason })
        }
    }
}

fn finish(article: Article, position: Position, collector: &mut Collector<'_>) -> Result<(), Stop> {
    if is_pmid(&article.pmid) {
        collector.record(Record::Article(Box::new(article)), position)
    } else {
        collector.quarantine(no_pmid(position))
    }
}

fn is_pmid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn no_pmid(position: Position) -> Fault {
    let reason = "the PMID is missing or is not a number".to_owned();
    Fault { position, path: Some("PMID".to_owned()), reason }
}
