//! The readers over real public files, compared with figures counted independently.
//!
//! The files are not part of the repository. They are looked for in `$STATIM_DATA`, else in `../shared/data` beside the
//! workspace; without them each test says aloud that it was skipped. The independent count is `scripts/count.py`
//! (`$STATIM_COUNT` names it when it is elsewhere) and needs python3.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde::Deserialize;
use statim_agents::formats::{FileReport, Item, Quarantined, Sink, discover, read_path};
use statim_agents::record::{Article, Counts, Kind, Record};

const BASELINE: &str = "pubmed/baseline/pubmed20n0014.xml.gz";

/// All that is kept of a reading of every file.
struct Corpus {
    root: PathBuf,
    reports: Vec<FileReport>,
    quarantined: Vec<Quarantined>,
    tallies: BTreeMap<String, Tally>,
}

/// Figures beyond [`Counts`] of one file.
#[derive(Debug, Default)]
struct Tally {
    largest_author_list: usize,
    largest_location_list: usize,
    without_own_doi: usize,
    medline_date: usize,
    pmids: std::collections::HashSet<String>,
    unequal_after_storage: usize,
}

impl Tally {
    fn article(&mut self, article: &Article) {
        self.largest_author_list = self.largest_author_list.max(article.authors.len());
        self.without_own_doi += usize::from(article.doi.is_none());
        let free_text = article
            .published
            .as_ref()
            .is_some_and(|date| date.season().is_none() && date.iso().as_deref() != Some(date.as_str()));
        self.medline_date += usize::from(free_text);
        self.pmids.insert(article.pmid.clone());
    }
}

struct Gather<'a> {
    tally: Tally,
    quarantined: &'a mut Vec<Quarantined>,
    seen: usize,
}

impl Sink for Gather<'_> {
    fn item(&mut self, item: Item) -> ControlFlow<()> {
        let Item::Record { record, .. } = item else { return ControlFlow::Continue(()) };
        match &record {
            Record::Article(article) => self.tally.article(article),
            Record::Study(study) => {
                let largest = &mut self.tally.largest_location_list;
                *largest = (*largest).max(study.locations.len());
            }
            _ => {}
        }
        // Storing every record of the largest files would take minutes in a debug build.
        if self.seen < 500 {
            let stored = serde_json::to_string(&record).expect("a record is stored as JSON");
            let read: Record = serde_json::from_str(&stored).expect("a stored record is read back");
            self.tally.unequal_after_storage += usize::from(read != record);
            assert!(!record.identity().id.is_empty());
        }
        self.seen += 1;
        ControlFlow::Continue(())
    }

    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()> {
        self.quarantined.push(quarantined);
        ControlFlow::Continue(())
    }
}

fn corpus() -> Option<&'static Corpus> {
    static CORPUS: OnceLock<Option<Corpus>> = OnceLock::new();
    CORPUS.get_or_init(read_corpus).as_ref()
}

fn read_corpus() -> Option<Corpus> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let root = std::env::var_os("STATIM_DATA").map_or(beside, PathBuf::from);
    let folders: Vec<PathBuf> = ["ctgov", "pubmed", "openfda"]
        .iter()
        .map(|name| root.join(name))
        .filter(|folder| folder.is_dir())
        .collect();
    if folders.is_empty() {
        eprintln!("skipped: no real files in {}; set STATIM_DATA", root.display());
        return None;
    }
    let mut corpus = Corpus { root, reports: Vec::new(), quarantined: Vec::new(), tallies: BTreeMap::new() };
    for file in discover(&folders).expect("the folders can be listed") {
        let quarantined = &mut corpus.quarantined;
        let mut sink = Gather { tally: Tally::default(), quarantined, seen: 0 };
        let report = read_path(&file, &mut sink).expect("the file can be read");
        corpus.tallies.insert(report.file.clone(), sink.tally);
        corpus.reports.push(report);
    }
    Some(corpus)
}

impl Corpus {
    fn file(&self, name: &str) -> Option<(&FileReport, &Tally)> {
        let path = self.root.join(name).to_string_lossy().into_owned();
        let report = self.reports.iter().find(|report| report.file == path);
        if report.is_none() {
            eprintln!("skipped: {path} is absent");
        }
        Some((report?, self.tallies.get(&path)?))
    }
}

#[test]
fn a_pubmed_baseline_file_is_read_whole() {
    let Some((report, tally)) = corpus().and_then(|corpus| corpus.file(BASELINE)) else { return };
    let counts = &report.counts;
    assert_eq!((counts.articles, counts.authors), (30_000, 79_023));
    assert_eq!((counts.mesh_headings, counts.references), (288_334, 48_598));
    assert_eq!((counts.deleted, report.quarantined), (0, 0));
    assert_eq!(tally.pmids.len(), 30_000);
    assert_eq!(tally.largest_author_list, 49);
    assert_eq!(tally.without_own_doi, 14_879);
    assert_eq!(tally.medline_date, 2_205);
}

#[test]
fn every_location_of_the_largest_study_is_kept() {
    let name = "ctgov/v2/bulk_dgg32_50_max315loc.json";
    let Some((report, tally)) = corpus().and_then(|corpus| corpus.file(name)) else { return };
    assert_eq!((report.counts.studies, tally.largest_location_list), (50, 315));
}

#[test]
fn every_file_gives_records_or_is_in_the_quarantine() {
    let Some(corpus) = corpus() else { return };
    for report in &corpus.reports {
        assert!(report.records + report.quarantined > 0, "{} was passed over", report.file);
        let accounts = corpus.quarantined.iter().filter(|entry| entry.file == report.file).count();
        assert_eq!(report.quarantined, accounts as u64, "{}", report.file);
    }
}

#[test]
fn a_stored_record_reads_back_equal() {
    let Some(corpus) = corpus() else { return };
    for (file, tally) in &corpus.tallies {
        assert_eq!(tally.unequal_after_storage, 0, "{file}");
    }
}

#[test]
fn known_formats_that_are_not_read_are_named() {
    let Some(corpus) = corpus() else { return };
    let expected = [
        ("ctgov/v1_fullstudies/results_1.json", "v1"),
        ("ctgov/v2/official_field_metadata.json", "field list"),
        ("ctgov/xml_legacy/NCT00001177.xml", "legacy XML"),
        ("ctgov/xml_legacy/Invalid-nct-id.html", "HTML"),
        ("openfda/raw/humira.xml", "SPL"),
        ("openfda/raw/drugsatfda.zip", "tabs"),
        ("openfda/schemas/drugevent_schema.json", "JSON Schema"),
        ("openfda/json/api_captures/device_510k.json", "510(k)"),
        ("openfda/json/api_captures/faers_count.json", "count results"),
        ("openfda/json/api_captures/device_pma_brca1_20260811.json", "error message"),
        ("pubmed/biopython/pubmed_result2.txt", "MEDLINE"),
    ];
    for (name, words) in expected {
        let path = corpus.root.join(name).to_string_lossy().into_owned();
        let mut entries = corpus.quarantined.iter().filter(|entry| entry.file == path).peekable();
        if entries.peek().is_none() {
            assert!(!Path::new(&path).exists(), "{name} is not in the quarantine");
            eprintln!("skipped: {path} is absent");
            continue;
        }
        assert!(entries.all(|entry| entry.reason.contains(words)), "{name}");
    }
}

#[test]
fn wrapped_values_are_refused_record_by_record_with_the_field() {
    let Some(corpus) = corpus() else { return };
    let name = "ctgov/v2/odd_shape_rjsonlite_wrapped_lists.json";
    let Some((report, _)) = corpus.file(name) else { return };
    assert_eq!((report.records, report.quarantined), (0, 10));
    let mut entries = corpus.quarantined.iter().filter(|entry| entry.file == report.file);
    let field = "protocolSection.identificationModule.nctId";
    assert!(entries.all(|entry| entry.path.as_deref() == Some(field)));
}

#[derive(Deserialize)]
struct Independent {
    files: BTreeMap<String, Counts>,
    totals: Counts,
}

fn count_independently(root: &Path) -> Option<Independent> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/count.py");
    let script = std::env::var_os("STATIM_COUNT").map_or(beside, PathBuf::from);
    assert!(script.is_file(), "{} is absent; set STATIM_COUNT", script.display());
    let folders = ["ctgov", "pubmed", "openfda"].map(|name| root.join(name));
    let output = match Command::new("python3").arg(script).args(folders).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: python3 does not run ({error}), so nothing was counted independently");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("count.py prints JSON"))
}

#[test]
fn every_file_holds_what_an_independent_count_finds() {
    let Some(corpus) = corpus() else { return };
    let Some(independent) = count_independently(&corpus.root) else { return };
    assert_eq!(corpus.reports.len(), independent.files.len());
    let mut totals = Counts::default();
    for report in &corpus.reports {
        assert_eq!(Some(&report.counts), independent.files.get(&report.file), "{}", report.file);
        totals += report.counts;
    }
    assert_eq!(independent.totals.locations - totals.locations, 0, "locations were lost");
    assert_eq!(independent.totals.authors - totals.authors, 0, "authors were lost");
    assert_eq!(totals, independent.totals);
}

#[test]
fn every_kind_of_record_occurs() {
    let Some(corpus) = corpus() else { return };
    let mut totals = Counts::default();
    for report in &corpus.reports {
        totals += report.counts;
    }
    for kind in Kind::ALL {
        let found = match kind {
            Kind::Study => totals.studies,
            Kind::Article => totals.articles,
            Kind::Application => totals.applications,
            Kind::Product => totals.products,
            Kind::Label => totals.labels,
            Kind::Event => totals.events,
        };
        assert!(found > 0, "no {kind} was read");
    }
}
