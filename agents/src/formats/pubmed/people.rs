//! Authors and other people.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use crate::record::{Affiliation, Author, PersonIdentifier};

/// Reads a list of people and leaves it. Tells whether the list claims to be complete.
pub(super) fn list<R: BufRead>(cursor: &mut Cursor<'_, R>, into: &mut Vec<Author>) -> Result<bool, Stop> {
    let complete = !cursor.is("CompleteYN", "N")?;
    let role = cursor.attribute("Type")?;
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Author | Tag::Investigator | Tag::PersonalNameSubject => {
                let author = person(cursor, role.clone())?;
                into.push(author);
            }
            _ => cursor.skip()?,
        }
    }
    Ok(complete)
}

fn person<R: BufRead>(cursor: &mut Cursor<'_, R>, role: Option<String>) -> Result<Author, Stop> {
    let mut author = Author {
        valid: !cursor.is("ValidYN", "N")?,
        equal_contribution: cursor.is("EqualContrib", "Y")?,
        role,
        ..Author::default()
    };
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::LastName => author.last_name = cursor.some_text()?,
            Tag::ForeName => author.fore_name = cursor.some_text()?,
            Tag::Initials => author.initials = cursor.some_text()?,
            Tag::Suffix => author.suffix = cursor.some_text()?,
            Tag::CollectiveName => author.collective_name = cursor.some_text()?,
            Tag::Identifier => author.identifiers.push(identifier(cursor)?),
            Tag::AffiliationInfo => author.affiliations.push(affiliation(cursor)?),
            // Before 2015 the affiliation stood in the author itself.
            Tag::Affiliation => {
                let name = cursor.text()?;
                author.affiliations.push(Affiliation { name, identifiers: Vec::new() });
            }
            _ => cursor.skip()?,
        }
    }
    Ok(author)
}

fn affiliation<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Affiliation, Stop> {
    let mut affiliation = Affiliation::default();
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Affiliation => affiliation.name = cursor.text()?,
            Tag::Identifier => affiliation.identifiers.push(identifier(cursor)?),
            _ => cursor.skip()?,
        }
    }
    Ok(affiliation)
}

fn identifier<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<PersonIdentifier, Stop> {
    let source = cursor.attribute("Source")?.unwrap_or_default();
    Ok(PersonIdentifier { source, value: cursor.text()? })
}
