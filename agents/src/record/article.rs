//! A PubMed article.

use serde::{Deserialize, Serialize};

use super::alias::{Aliases, bare_doi};
use super::{
    Alias, ArticleId, ArticleReference, Author, Correction, Evidence, HistoryDate, Journal, MeshHeading,
    MeshTerm, PartialDate, Revision, Scheme, identifying_debug,
};

/// An article of PubMed, or a chapter of a book in it.
///
/// Texts keep the words inside inline markup (`<i>`, `<sub>`, formulas) without the tags, and entities are decoded.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Article {
    /// The PubMed id.
    pub pmid: String,
    /// The version of the record, 1 when none is given.
    pub version: u32,
    /// The title; square brackets mark a translated one. Empty where PubMed has none.
    pub title: String,
    /// The title in the language of the article.
    pub vernacular_title: Option<String>,
    /// The abstract.
    pub abstract_text: Option<Abstract>,
    /// Abstracts in other languages or for other readers.
    pub other_abstracts: Vec<Abstract>,
    /// The journal; default for a book chapter.
    pub journal: Journal,
    /// The book that holds the chapter, where the record is one.
    pub book: Option<Book>,
    /// Pages.
    pub pagination: Option<String>,
    /// When the issue was published.
    pub published: Option<PartialDate>,
    /// When the article appeared on line, with the sort of date.
    pub article_dates: Vec<HistoryDate>,
    /// Languages, ISO 639-2.
    pub languages: Vec<String>,
    /// The authors, in order; every one, however many.
    pub authors: Vec<Author>,
    /// Whether PubMed lists all the authors there are.
    pub authors_complete: bool,
    /// Members of collective authors.
    pub investigators: Vec<Author>,
    /// People the article is about.
    pub personal_name_subjects: Vec<Author>,
    /// The article's own DOI as written; never one of a cited work.
    pub doi: Option<String>,
    /// The article's own ids, the DOI and PMID among them.
    pub ids: Vec<ArticleId>,
    /// Electronic locations (`doi`, `pii`) from the citation itself.
    pub electronic_locations: Vec<ArticleId>,
    /// Other ids of the citation, from partners of PubMed.
    pub other_ids: Vec<ArticleId>,
    /// MeSH headings.
    pub mesh_headings: Vec<MeshHeading>,
    /// Supplementary MeSH terms.
    pub supplementary_mesh: Vec<MeshTerm>,
    /// Chemicals.
    pub chemicals: Vec<Chemical>,
    /// Gene symbols.
    pub gene_symbols: Vec<String>,
    /// Keywords.
    pub keywords: Vec<Keyword>,
    /// Publication types.
    pub publication_types: Vec<MeshTerm>,
    /// Grants.
    pub grants: Vec<Grant>,
    /// Accession numbers in data banks, trial registries among them.
    pub data_banks: Vec<DataBank>,
    /// Comments, corrections, retractions: links between PMIDs.
    pub corrections: Vec<Correction>,
    /// What the article cites; every work, however many.
    pub references: Vec<ArticleReference>,
    /// Statement on conflicts of interest.
    pub conflict_of_interest: Option<String>,
    /// Notes by the indexers.
    pub general_notes: Vec<String>,
    /// Subsets of MEDLINE (`IM`, `AIM`).
    pub citation_subsets: Vec<String>,
    /// Space flight missions.
    pub space_flight_missions: Vec<String>,
    /// State of the citation (`MEDLINE`, `In-Process`, …).
    pub status: Option<String>,
    /// How it was published (`ppublish`, `epublish`, …).
    pub publication_status: Option<String>,
    /// When PubMed completed the record.
    pub date_completed: Option<PartialDate>,
    /// When PubMed last revised the record.
    pub date_revised: Option<PartialDate>,
    /// Dates of the record's history.
    pub history: Vec<HistoryDate>,
}

identifying_debug!(Article: pmid, version);

impl Article {
    /// The authors of the article and, for a chapter, those of its book.
    pub fn all_authors(&self) -> impl Iterator<Item = &Author> {
        self.authors.iter().chain(self.book.iter().flat_map(|book| &book.authors))
    }

    pub(super) fn aliases(&self) -> Vec<Alias> {
        let mut aliases = Aliases::default();
        if let Some(doi) = self.doi.as_deref().and_then(bare_doi) {
            aliases.add(Evidence::Secondary, Scheme::Doi, &doi);
        }
        for id in &self.ids {
            match id.kind.as_str() {
                "pmc" => aliases.add(Evidence::Secondary, Scheme::Pmc, &id.value),
                "pii" => aliases.add(Evidence::Secondary, Scheme::Pii, &id.value),
                _ => {}
            }
        }
        for bank in &self.data_banks {
            let trials = bank.name.eq_ignore_ascii_case("ClinicalTrials.gov");
            aliases.all(Evidence::Link, Scheme::Nct, bank.accession_numbers.iter().filter(|_| trials));
        }
        let linked = self.corrections.iter().filter_map(|correction| correction.pmid.as_ref());
        aliases.all(Evidence::Link, Scheme::Pmid, linked);
        aliases.finish()
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::versioned(u64::from(self.version), self.date_revised.as_ref())
    }
}

/// An abstract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Abstract {
    /// The sort of an other abstract (`plain-language-summary`, `Publisher`), absent on the main one.
    pub kind: Option<String>,
    /// The language of an other abstract.
    pub language: Option<String>,
    /// The sections, one without a label where the abstract has no structure.
    pub sections: Vec<AbstractSection>,
    /// Copyright notice.
    pub copyright: Option<String>,
}

/// A section of an abstract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AbstractSection {
    /// The label as printed (`METHODS`).
    pub label: Option<String>,
    /// The category that the library gave it.
    pub category: Option<String>,
    /// The text.
    pub text: String,
}

/// The book that holds a chapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Book {
    /// Title.
    pub title: String,
    /// Collection or series.
    pub collection: Option<String>,
    /// Publisher.
    pub publisher: Option<String>,
    /// Where the publisher is.
    pub publisher_location: Option<String>,
    /// Edition.
    pub edition: Option<String>,
    /// Medium.
    pub medium: Option<String>,
    /// ISBNs.
    pub isbns: Vec<String>,
    /// Authors and editors of the book.
    pub authors: Vec<Author>,
}

/// A keyword.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keyword {
    /// The keyword.
    pub text: String,
    /// Whether it is a main topic.
    pub major: bool,
    /// Who assigned it (`NOTNLM` for the authors).
    pub owner: Option<String>,
}

/// A chemical.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chemical {
    /// CAS or EC number or UNII, `0` where there is none.
    pub registry_number: Option<String>,
    /// MeSH unique identifier.
    pub ui: Option<String>,
    /// Name.
    pub name: String,
}

/// A grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// Number.
    pub id: Option<String>,
    /// Acronym of the institute.
    pub acronym: Option<String>,
    /// Agency.
    pub agency: Option<String>,
    /// Country.
    pub country: Option<String>,
}

/// Entries of an article in one data bank.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataBank {
    /// The data bank (`ClinicalTrials.gov`, `GENBANK`).
    pub name: String,
    /// The accession numbers.
    pub accession_numbers: Vec<String>,
}
