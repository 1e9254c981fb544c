//! A `PubmedBookArticle`: a book or a chapter of one.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use super::{article, dates, indexing, people, references};
use crate::record::{Article, Book, HistoryDate};

/// Reads the book article that was entered, and leaves it.
pub(super) fn read<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Article, Stop> {
    let mut found = Article { version: 1, authors_complete: true, ..Article::default() };
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::BookDocument => document(cursor, &mut found)?,
            Tag::PubmedBookData => data(cursor, &mut found)?,
            _ => cursor.skip()?,
        }
    }
    found.doi = article::own_doi(&found.ids).or_else(|| article::own_doi(&found.electronic_locations));
    Ok(found)
}

fn document<R: BufRead>(cursor: &mut Cursor<'_, R>, found: &mut Article) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Pmid => article::pmid(cursor, found)?,
            Tag::ArticleIdList => references::ids(cursor, &mut found.ids)?,
            Tag::Book => found.book = Some(book(cursor, found)?),
            Tag::ArticleTitle => found.title = cursor.text()?,
            Tag::VernacularTitle => found.vernacular_title = cursor.some_text()?,
            Tag::Pagination => found.pagination = article::pagination(cursor)?,
            Tag::Language => found.languages.push(cursor.text()?),
            Tag::AuthorList => {
                found.authors_complete &= people::list(cursor, &mut found.authors)?;
            }
            Tag::InvestigatorList => {
                people::list(cursor, &mut found.investigators)?;
            }
            Tag::PublicationType => found.publication_types.push(indexing::term(cursor)?),
            Tag::Abstract => found.abstract_text = Some(article::abstract_text(cursor)?),
            Tag::KeywordList => indexing::keywords(cursor, &mut found.keywords)?,
            Tag::GrantList => indexing::grants(cursor, &mut found.grants)?,
            Tag::ReferenceList => references::list(cursor, &mut found.references)?,
            Tag::DateRevised => found.date_revised = dates::date(cursor)?,
            Tag::ContributionDate => {
                let date = dates::date(cursor)?;
                let step = "contribution".to_owned();
                found.article_dates.extend(date.map(|date| HistoryDate { step, date }));
            }
            _ => cursor.skip()?,
        }
    }
    // A record about a whole book has no title but the book's.
    if let (true, Some(book)) = (found.title.is_empty(), &found.book) {
        found.title.clone_from(&book.title);
    }
    Ok(())
}

fn book<R: BufRead>(cursor: &mut Cursor<'_, R>, found: &mut Article) -> Result<Book, Stop> {
    let mut book = Book::default();
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Publisher => {
                while let Some(tag) = cursor.child()? {
                    match tag {
                        Tag::PublisherName => book.publisher = cursor.some_text()?,
                        Tag::PublisherLocation => book.publisher_location = cursor.some_text()?,
                        _ => cursor.skip()?,
                    }
                }
            }
            Tag::BookTitle => book.title = cursor.text()?,
            Tag::CollectionTitle => book.collection = cursor.some_text()?,
            Tag::Edition => book.edition = cursor.some_text()?,
            Tag::Medium => book.medium = cursor.some_text()?,
            Tag::Isbn => book.isbns.push(cursor.text()?),
            Tag::PubDate => found.published = dates::date(cursor)?,
            Tag::AuthorList => {
                people::list(cursor, &mut book.authors)?;
            }
            Tag::ELocationId => {
                // The DOI of a book is not that of its chapter; it is kept with the other ids.
                let id = references::id(cursor, "EIdType")?;
                found.other_ids.push(id);
            }
            _ => cursor.skip()?,
        }
    }
    Ok(book)
}

fn data<R: BufRead>(cursor: &mut Cursor<'_, R>, found: &mut Article) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::History => article::history(cursor, found)?,
            Tag::PublicationStatus => found.publication_status = cursor.some_text()?,
            Tag::ArticleIdList => references::ids(cursor, &mut found.ids)?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}
