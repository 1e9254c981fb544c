//! What the indexers add: headings, keywords, chemicals, grants, data banks.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use crate::record::{Chemical, DataBank, Grant, Keyword, MeshHeading, MeshTerm};

/// Reads a `MeshHeadingList`.
pub(super) fn mesh<R: BufRead>(cursor: &mut Cursor<'_, R>, into: &mut Vec<MeshHeading>) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag != Tag::MeshHeading {
            cursor.skip()?;
            continue;
        }
        let mut heading = MeshHeading::default();
        while let Some(tag) = cursor.child()? {
            match tag {
                Tag::DescriptorName => {
                    heading.kind = cursor.attribute("Type")?;
                    heading.descriptor = term(cursor)?;
                }
                Tag::QualifierName => heading.qualifiers.push(term(cursor)?),
                _ => cursor.skip()?,
            }
        }
        into.push(heading);
    }
    Ok(())
}

/// Reads a term with its identifier.
pub(super) fn term<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<MeshTerm, Stop> {
    let ui = cursor.attribute("UI")?;
    let major = cursor.is("MajorTopicYN", "Y")?;
    Ok(MeshTerm { ui, name: cursor.text()?, major })
}

/// Reads a list of the given terms.
pub(super) fn terms<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    wanted: Tag,
    into: &mut Vec<MeshTerm>,
) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag == wanted { into.push(term(cursor)?) } else { cursor.skip()? }
    }
    Ok(())
}

/// Reads a list of the given texts.
pub(super) fn texts<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    wanted: Tag,
    into: &mut Vec<String>,
) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag == wanted { into.push(cursor.text()?) } else { cursor.skip()? }
    }
    Ok(())
}

/// Reads a `KeywordList`.
pub(super) fn keywords<R: BufRead>(cursor: &mut Cursor<'_, R>, into: &mut Vec<Keyword>) -> Result<(), Stop> {
    let owner = cursor.attribute("Owner")?;
    while let Some(tag) = cursor.child()? {
        if tag != Tag::Keyword {
            cursor.skip()?;
            continue;
        }
        let major = cursor.is("MajorTopicYN", "Y")?;
        into.push(Keyword { text: cursor.text()?, major, owner: owner.clone() });
    }
    Ok(())
}

/// Reads a `ChemicalList`.
pub(super) fn chemicals<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    into: &mut Vec<Chemical>,
) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag != Tag::Chemical {
            cursor.skip()?;
            continue;
        }
        let mut chemical = Chemical::default();
        while let Some(tag) = cursor.child()? {
            match tag {
                Tag::RegistryNumber => chemical.registry_number = cursor.some_text()?,
                Tag::NameOfSubstance => {
                    chemical.ui = cursor.attribute("UI")?;
                    chemical.name = cursor.text()?;
                }
                _ => cursor.skip()?,
            }
        }
        into.push(chemical);
    }
    Ok(())
}

/// Reads a `GrantList`.
pub(super) fn grants<R: BufRead>(cursor: &mut Cursor<'_, R>, into: &mut Vec<Grant>) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag != Tag::Grant {
            cursor.skip()?;
            continue;
        }
        let mut grant = Grant::default();
        while let Some(tag) = cursor.child()? {
            match tag {
                Tag::GrantId => grant.id = cursor.some_text()?,
                Tag::Acronym => grant.acronym = cursor.some_text()?,
                Tag::Agency => grant.agency = cursor.some_text()?,
                Tag::Country => grant.country = cursor.some_text()?,
                _ => cursor.skip()?,
            }
        }
        into.push(grant);
    }
    Ok(())
}

/// Reads a `DataBankList`.
pub(super) fn data_banks<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    into: &mut Vec<DataBank>,
) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        if tag != Tag::DataBank {
            cursor.skip()?;
            continue;
        }
        let mut bank = DataBank::default();
        while let Some(tag) = cursor.child()? {
            match tag {
                Tag::DataBankName => bank.name = cursor.text()?,
                Tag::AccessionNumberList => {
                    texts(cursor, Tag::AccessionNumber, &mut bank.accession_numbers)?;
                }
                _ => cursor.skip()?,
            }
        }
        into.push(bank);
    }
    Ok(())
}
