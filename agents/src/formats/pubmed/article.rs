//! A `PubmedArticle`.

use std::io::BufRead;

use super::super::quarantine::Stop;
use super::cursor::Cursor;
use super::tag::Tag;
use super::{dates, indexing, people, references};
use crate::record::{Abstract, AbstractSection, Article, ArticleId, Journal, PartialDate};

/// Reads the article that was entered, and leaves it.
pub(super) fn read<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Article, Stop> {
    let mut article = Article { version: 1, authors_complete: true, ..Article::default() };
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::MedlineCitation => medline_citation(cursor, &mut article)?,
            Tag::PubmedData => pubmed_data(cursor, &mut article)?,
            _ => cursor.skip()?,
        }
    }
    article.doi = own_doi(&article.ids).or_else(|| own_doi(&article.electronic_locations));
    Ok(article)
}

/// The DOI among ids that are the article's own.
pub(super) fn own_doi(ids: &[ArticleId]) -> Option<String> {
    let doi = ids.iter().find(|id| id.kind == "doi" && id.valid && !id.value.is_empty());
    doi.map(|id| id.value.clone())
}

fn medline_citation<R: BufRead>(cursor: &mut Cursor<'_, R>, article: &mut Article) -> Result<(), Stop> {
    article.status = cursor.attribute("Status")?;
    while let Some(tag) = cursor.child()? {
        match tag {
            // Only the PMID that is a child of the citation is its own; links to other articles have theirs deeper down.
            Tag::Pmid => pmid(cursor, article)?,
            Tag::DateCompleted => article.date_completed = dates::date(cursor)?,
            Tag::DateRevised => article.date_revised = dates::date(cursor)?,
            Tag::Article => body(cursor, article)?,
            Tag::MedlineJournalInfo => journal_info(cursor, &mut article.journal)?,
            Tag::ChemicalList => indexing::chemicals(cursor, &mut article.chemicals)?,
            Tag::SupplMeshList => {
                let into = &mut article.supplementary_mesh;
                indexing::terms(cursor, Tag::SupplMeshName, into)?;
            }
            Tag::CitationSubset => article.citation_subsets.push(cursor.text()?),
            Tag::CommentsCorrectionsList => {
                references::corrections(cursor, &mut article.corrections)?;
            }
            Tag::GeneSymbolList => {
                indexing::texts(cursor, Tag::GeneSymbol, &mut article.gene_symbols)?;
            }
            Tag::MeshHeadingList => indexing::mesh(cursor, &mut article.mesh_headings)?,
            Tag::PersonalNameSubjectList => {
                people::list(cursor, &mut article.personal_name_subjects)?;
            }
            Tag::OtherId => {
                let id = references::id(cursor, "Source")?;
                article.other_ids.push(id);
            }
            Tag::OtherAbstract => {
                let other = abstract_text(cursor)?;
                article.other_abstracts.push(other);
            }
            Tag::KeywordList => indexing::keywords(cursor, &mut article.keywords)?,
            Tag::CoiStatement => article.conflict_of_interest = cursor.some_text()?,
            Tag::SpaceFlightMission => article.space_flight_missions.push(cursor.text()?),
            Tag::InvestigatorList => {
                people::list(cursor, &mut article.investigators)?;
            }
            Tag::GeneralNote => article.general_notes.push(cursor.text()?),
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

pub(super) fn pmid<R: BufRead>(cursor: &mut Cursor<'_, R>, article: &mut Article) -> Result<(), Stop> {
    article.version = cursor.number("Version")?.unwrap_or(1);
    article.pmid = cursor.text()?;
    Ok(())
}

fn body<R: BufRead>(cursor: &mut Cursor<'_, R>, article: &mut Article) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Journal => article.published = journal(cursor, &mut article.journal)?,
            Tag::ArticleTitle => article.title = cursor.text()?,
            Tag::VernacularTitle => article.vernacular_title = cursor.some_text()?,
            Tag::Pagination => article.pagination = pagination(cursor)?,
            Tag::ELocationId => {
                let id = references::id(cursor, "EIdType")?;
                article.electronic_locations.push(id);
            }
            Tag::Abstract => article.abstract_text = Some(abstract_text(cursor)?),
            Tag::AuthorList => {
                article.authors_complete &= people::list(cursor, &mut article.authors)?;
            }
            Tag::Language => article.languages.push(cursor.text()?),
            Tag::DataBankList => indexing::data_banks(cursor, &mut article.data_banks)?,
            Tag::GrantList => indexing::grants(cursor, &mut article.grants)?,
            Tag::PublicationTypeList => {
                indexing::terms(cursor, Tag::PublicationType, &mut article.publication_types)?;
            }
            Tag::ArticleDate => dates::step(cursor, "DateType", &mut article.article_dates)?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

fn journal<R: BufRead>(
    cursor: &mut Cursor<'_, R>,
    journal: &mut Journal,
) -> Result<Option<PartialDate>, Stop> {
    let mut published = None;
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Issn => {
                journal.issn_type = cursor.attribute("IssnType")?;
                journal.issn = cursor.some_text()?;
            }
            Tag::Title => journal.title = cursor.some_text()?,
            Tag::IsoAbbreviation => journal.iso_abbreviation = cursor.some_text()?,
            Tag::JournalIssue => {
                journal.cited_medium = cursor.attribute("CitedMedium")?;
                while let Some(tag) = cursor.child()? {
                    match tag {
                        Tag::Volume => journal.volume = cursor.some_text()?,
                        Tag::Issue => journal.issue = cursor.some_text()?,
                        Tag::PubDate => published = dates::date(cursor)?,
                        _ => cursor.skip()?,
                    }
                }
            }
            _ => cursor.skip()?,
        }
    }
    Ok(published)
}

fn journal_info<R: BufRead>(cursor: &mut Cursor<'_, R>, journal: &mut Journal) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::Country => journal.country = cursor.some_text()?,
            Tag::MedlineTa => journal.medline_abbreviation = cursor.some_text()?,
            Tag::NlmUniqueId => journal.nlm_unique_id = cursor.some_text()?,
            Tag::IssnLinking => journal.issn_linking = cursor.some_text()?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

pub(super) fn pagination<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Option<String>, Stop> {
    let (mut medline, mut first, mut last) = (None, None, None);
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::MedlinePgn => medline = cursor.some_text()?,
            Tag::StartPage => first = cursor.some_text()?,
            Tag::EndPage => last = cursor.some_text()?,
            _ => cursor.skip()?,
        }
    }
    let range = match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first}-{last}")),
        (first, last) => first.or(last),
    };
    Ok(medline.or(range))
}

/// Reads an `Abstract` or `OtherAbstract`.
pub(super) fn abstract_text<R: BufRead>(cursor: &mut Cursor<'_, R>) -> Result<Abstract, Stop> {
    let mut found = Abstract {
        kind: cursor.attribute("Type")?,
        language: cursor.attribute("Language")?,
        ..Abstract::default()
    };
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::AbstractText => {
                let label = cursor.attribute("Label")?;
                let category = cursor.attribute("NlmCategory")?;
                found.sections.push(AbstractSection { label, category, text: cursor.text()? });
            }
            Tag::CopyrightInformation => found.copyright = cursor.some_text()?,
            _ => cursor.skip()?,
        }
    }
    Ok(found)
}

fn pubmed_data<R: BufRead>(cursor: &mut Cursor<'_, R>, article: &mut Article) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::History => history(cursor, article)?,
            Tag::PublicationStatus => article.publication_status = cursor.some_text()?,
            // The list that is a child of PubmedData is the article's own; those in references belong to cited works.
            Tag::ArticleIdList => references::ids(cursor, &mut article.ids)?,
            Tag::ReferenceList => references::list(cursor, &mut article.references)?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

pub(super) fn history<R: BufRead>(cursor: &mut Cursor<'_, R>, article: &mut Article) -> Result<(), Stop> {
    while let Some(tag) = cursor.child()? {
        match tag {
            Tag::PubMedPubDate => dates::step(cursor, "PubStatus", &mut article.history)?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}
