//! How much was read.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Totals of what records hold. Each figure is a number of things found, not of distinct things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Clinical studies.
    pub studies: u64,
    /// Locations of all studies.
    pub locations: u64,
    /// PubMed articles and book chapters.
    pub articles: u64,
    /// Authors of all articles, collective ones included; for a book chapter those of the chapter and of the book.
    pub authors: u64,
    /// MeSH headings of all articles (a heading with several qualifiers is one).
    pub mesh_headings: u64,
    /// Works cited in the reference lists of articles. The references of a study are not counted here.
    pub references: u64,
    /// PMIDs that PubMed asked to delete.
    pub deleted: u64,
    /// Drugs@FDA applications.
    pub applications: u64,
    /// Structured product labels.
    pub labels: u64,
    /// Adverse-event reports.
    pub events: u64,
    /// Products: records of the NDC directory plus the products listed inside Drugs@FDA applications.
    pub products: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.studies += other.studies;
        self.locations += other.locations;
        self.articles += other.articles;
        self.authors += other.authors;
        self.mesh_headings += other.mesh_headings;
        self.references += other.references;
        self.deleted += other.deleted;
        self.applications += other.applications;
        self.labels += other.labels;
        self.events += other.events;
        self.products += other.products;
    }
}
