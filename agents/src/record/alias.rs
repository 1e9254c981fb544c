//! The other names of a record.

use serde::{Deserialize, Serialize};

/// What a shared alias proves about two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// They are the same record: an obsolete NCT number of a study.
    Same,
    /// They may be the same record, to be weighed with the rest: a DOI, a sponsor's own study number.
    Secondary,
    /// They belong together and are different things: the application number on a hundred labels, a cited PMID.
    Link,
}

/// The register that an alias comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// ClinicalTrials.gov NCT number.
    Nct,
    /// The sponsor's own number of a study.
    OrganisationStudy,
    /// Another registry's or funder's number of a study (EudraCT, NIH grant).
    SecondaryStudy,
    /// PubMed id.
    Pmid,
    /// PubMed Central id.
    Pmc,
    /// Digital object identifier: lower case, without `doi:` or a resolver's address.
    Doi,
    /// Publisher item identifier.
    Pii,
    /// FDA application number, such as `NDA021588`.
    ApplicationNumber,
    /// Set id of a structured product label.
    SplSet,
    /// Id of one version of a structured product label.
    SplVersion,
    /// Product NDC, with its hyphens.
    ProductNdc,
    /// Package NDC, with its hyphens.
    PackageNdc,
    /// A company's or regulator's number of an adverse-event report.
    ReportNumber,
}

/// Another name of a record, and what it proves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// The register.
    pub scheme: Scheme,
    /// The name in that register, trimmed and never empty.
    pub value: String,
    /// What it proves when another record carries it as well.
    pub evidence: Evidence,
}

/// Collects aliases, leaving out empty and repeated ones.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<Alias>);

impl Aliases {
    pub(super) fn add(&mut self, evidence: Evidence, scheme: Scheme, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        self.0.push(Alias { scheme, value: value.to_owned(), evidence });
    }

    pub(super) fn all<'a>(
        &mut self,
        evidence: Evidence,
        scheme: Scheme,
        values: impl IntoIterator<Item = &'a String>,
    ) {
        for value in values {
            self.add(evidence, scheme, value);
        }
    }

    pub(super) fn finish(mut self) -> Vec<Alias> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

/// A DOI in lower case without `doi:` or the address of a resolver; `None` when nothing that starts like a DOI is left.
#[must_use]
pub fn bare_doi(text: &str) -> Option<String> {
    const PREFIXES: [&str; 6] = ["https://", "http://", "dx.doi.org/", "www.doi.org/", "doi.org/", "doi:"];
    let mut doi = text.trim().to_lowercase();
    // Once per prefix, in the order in which they can follow each other; "doi: https://doi.org/10.…" occurs too.
    for _ in 0..2 {
        for prefix in PREFIXES {
            if let Some(rest) = doi.strip_prefix(prefix) {
                doi = rest.trim_start().to_owned();
            }
        }
    }
    doi.starts_with("10.").then_some(doi)
}
