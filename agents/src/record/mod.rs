//! The typed records that every agent speaks about: trials, articles, drug applications, products, labels and
//! adverse-event reports.
//!
//! A record knows which thing it is ([`Record::identity`]), by what other names it goes ([`Record::aliases`]), which of
//! two copies is newer ([`Record::revision`]) and how much it holds ([`Record::counts`]). Nothing in a record is ever
//! shortened: a list is as long as its source, and what has no typed field stays in the `source` text.
//!
//! This module is a leaf: no runtime, no database, no reading of files (see `formats`).

mod alias;
mod application;
mod article;
mod author;
mod citation;
mod counts;
mod date;
mod event;
mod identity;
mod journal;
mod label;
pub(crate) mod lenient;
mod location;
mod mesh;
mod openfda;
mod product;
mod revision;
mod study;
mod study_design;
mod study_people;

pub use alias::{Alias, Evidence, Scheme, bare_doi};
pub use application::{ActiveIngredient, Application, ApplicationDocument, ApplicationProduct, Submission};
pub use article::{Abstract, AbstractSection, Article, Book, Chemical, DataBank, Grant, Keyword};
pub use author::{Affiliation, Author, PersonIdentifier};
pub use citation::{ArticleId, ArticleReference, Correction, HistoryDate};
pub use counts::Counts;
pub use date::PartialDate;
pub use event::{Event, EventDrug, Patient, Reaction, ReportDuplicate, Reporter};
pub use identity::{Identity, Kind, UnknownKind};
pub use journal::Journal;
pub use label::Label;
pub use location::{GeoPoint, Location};
pub use mesh::{MeshHeading, MeshTerm};
pub use openfda::OpenFda;
pub use product::{Package, Product};
pub use revision::{BadRevision, Revision};
pub use study::{Study, StudyDate, StudyId, StudyReference};
pub use study_design::{Arm, Design, Eligibility, Enrollment, Intervention, Outcome};
pub use study_people::{Contact, Official, ResponsibleParty, Sponsor};

use serde::{Deserialize, Serialize};

/// One record of any kind. The payload is boxed, so that a queue of records is a queue of pointers.
///
/// Its JSON is an object with one key, the kind: `{"study": {…}}`. It reads back equal to what was written; the reading
/// needs a self-describing format (JSON, MessagePack), since openFDA writes one field as text, number or list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A clinical study of ClinicalTrials.gov.
    Study(Box<Study>),
    /// An article or book chapter of PubMed.
    Article(Box<Article>),
    /// A drug application of Drugs@FDA.
    Application(Box<Application>),
    /// A product of the National Drug Code directory.
    Product(Box<Product>),
    /// A structured product label.
    Label(Box<Label>),
    /// A report of an adverse event.
    Event(Box<Event>),
}

impl Record {
    /// What sort of record this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Study(_) => Kind::Study,
            Self::Article(_) => Kind::Article,
            Self::Application(_) => Kind::Application,
            Self::Product(_) => Kind::Product,
            Self::Label(_) => Kind::Label,
            Self::Event(_) => Kind::Event,
        }
    }

    /// The key under which this record is kept. Two records with one identity are two revisions of one thing.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let id = match self {
            Self::Study(study) => study.nct_id.clone(),
            Self::Article(article) => article.pmid.clone(),
            Self::Application(application) => application.application_number.clone(),
            Self::Product(product) => product.key(),
            Self::Label(label) => label.key().to_owned(),
            Self::Event(event) => event.safetyreportid.clone(),
        };
        Identity { kind: self.kind(), id }
    }

    /// The other names of this record, each with what it proves.
    #[must_use]
    pub fn aliases(&self) -> Vec<Alias> {
        match self {
            Self::Study(study) => study.aliases(),
            Self::Article(article) => article.aliases(),
            Self::Application(application) => application.aliases(),
            Self::Product(product) => product.aliases(),
            Self::Label(label) => label.aliases(),
            Self::Event(event) => event.aliases(),
        }
    }

    /// How new this copy is among the copies with the same identity.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match self {
            Self::Study(study) => study.revision(),
            Self::Article(article) => article.revision(),
            Self::Application(application) => application.revision(),
            Self::Product(product) => product.revision(),
            Self::Label(label) => label.revision(),
            Self::Event(event) => event.revision(),
        }
    }

    /// What this record adds to the totals of an ingestion.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        match self {
            Self::Study(study) => {
                counts.studies = 1;
                counts.locations = study.locations.len() as u64;
            }
            Self::Article(article) => {
                counts.articles = 1;
                counts.authors = article.all_authors().count() as u64;
                counts.mesh_headings = article.mesh_headings.len() as u64;
                counts.references = article.references.len() as u64;
            }
            Self::Application(application) => {
                counts.applications = 1;
                counts.products = application.products.len() as u64;
            }
            Self::Product(_) => counts.products = 1,
            Self::Label(_) => counts.labels = 1,
            Self::Event(_) => counts.events = 1,
        }
        counts
    }
}

/// A `Debug` that names the type and shows nothing of what it holds: these types carry what people said about their
/// health, or how to reach them.
macro_rules! opaque_debug {
    ($($name:ident),+ $(,)?) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

/// A `Debug` that shows the named identifying fields and nothing else.
macro_rules! identifying_debug {
    ($name:ident: $($field:ident),+ $(,)?) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))+
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use {identifying_debug, opaque_debug};

#[cfg(test)]
mod tests;
