//! What is generated is what the readers find: counts, identities, editions, and the broken records in their places.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::ops::ControlFlow;

use statim_agents::formats::{Item, Limits, Quarantined, Sink, read_from, read_path};
use statim_agents::generate::{Kind, Layout, Options, Truth, generate, write_file};
use statim_agents::record::{Identity, Record, Revision};

/// Sorts what is read into the classes of a [`Truth`].
#[derive(Default)]
struct Classes {
    latest: BTreeMap<Identity, (Revision, Record)>,
    deleted: BTreeSet<String>,
    found: Truth,
    /// Where the records stood.
    whole: BTreeSet<u64>,
    /// Where the entries of the quarantine say that something is broken.
    broken: BTreeSet<u64>,
}

impl Sink for Classes {
    fn item(&mut self, item: Item) -> ControlFlow<()> {
        match item {
            Item::Delete { pmid, .. } => {
                assert!(self.deleted.insert(pmid));
                self.found.deleted += 1;
            }
            Item::Record { record, position } => {
                assert!(self.whole.insert(position.record.unwrap()), "{position:?} twice");
                self.found.records += 1;
                let counts = record.counts();
                self.found.locations += counts.locations;
                self.found.authors += counts.authors;
                self.found.mesh_headings += counts.mesh_headings;
                self.found.references += counts.references;
                self.found.products += counts.products;
                let revision = record.revision();
                match self.latest.get(&record.identity()) {
                    None => self.found.distinct += 1,
                    Some((before, same)) if *before == revision => {
                        assert!(*same == record, "{} differs within a revision", record.identity());
                        self.found.identical_repeats += 1;
                    }
                    Some((before, _)) => {
                        assert!(*before < revision, "{} went back", record.identity());
                        self.found.newer_versions += 1;
                    }
                }
                self.latest.insert(record.identity(), (revision, record));
            }
        }
        ControlFlow::Continue(())
    }

    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()> {
        let position = quarantined.position.record.expect("each has its place");
        assert!(self.broken.insert(position), "{position} twice");
        self.found.records += 1;
        ControlFlow::Continue(())
    }
}

impl Classes {
    fn assert_is(mut self, truth: &Truth, what: &str) {
        let planted: BTreeSet<u64> = truth.bad.iter().map(|planted| planted.position).collect();
        let missing: BTreeSet<u64> = (0..truth.records).filter(|at| !self.whole.contains(at)).collect();
        assert_eq!(missing, planted, "{what}: what is not read is what was planted");
        assert_eq!(self.broken, planted, "{what}: each broken record has an entry of its own");
        self.found.bad.clone_from(&truth.bad);
        assert_eq!(self.found, *truth, "{what}");
        for pmid in &self.deleted {
            assert!(
                self.latest.keys().any(|identity| identity.id == *pmid),
                "{what}: {pmid} was never there"
            );
        }
    }
}

const KINDS: [Kind; 6] =
    [Kind::Studies, Kind::Articles, Kind::Labels, Kind::Applications, Kind::Products, Kind::Events];

#[test]
fn readers_find_what_was_generated_and_quarantine_what_was_planted() {
    for kind in KINDS {
        for layout in [Layout::Page, Layout::Array, Layout::Lines] {
            let options = Options { duplicates: 0.3, bad: 0.05, layout, ..Options::new(400, 41) };
            let mut bytes = Vec::new();
            let truth = generate(kind, &options, &mut bytes, &mut |_| {}).unwrap();
            let mut classes = Classes::default();
            read_from("generated", Cursor::new(bytes), &Limits::default(), &mut classes).unwrap();
            classes.assert_is(&truth, &format!("{kind} as {layout:?}"));
            assert!(truth.bad.len() > 5);
        }
    }
}

#[test]
fn a_compressed_file_reads_like_a_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, name) in
        [(Kind::Studies, "a.ndjson.gz"), (Kind::Articles, "b.xml.gz"), (Kind::Labels, "c.json.gz")]
    {
        let path = folder.path().join(name);
        let truth = write_file(kind, &Options::new(250, 5), &path, false, &mut |_| {}).unwrap();
        let mut classes = Classes::default();
        let report = read_path(&path, &mut classes).unwrap();
        assert_eq!((report.records, report.quarantined), (250, 0), "{name}");
        classes.assert_is(&truth, name);
    }
}

#[test]
fn a_file_and_the_one_that_continues_it_read_as_one_sequence() {
    let whole = Options { duplicates: 0.4, bad: 0.05, ..Options::new(300, 12) };
    let mut bytes = Vec::new();
    let truth = generate(Kind::Studies, &whole, &mut bytes, &mut |_| {}).unwrap();
    let mut latest = BTreeMap::new();
    let mut distinct = 0;
    for (first, count) in [(0, 110), (110, 190)] {
        let options = Options { first, count, ..whole.clone() };
        let mut bytes = Vec::new();
        let part = generate(Kind::Studies, &options, &mut bytes, &mut |_| {}).unwrap();
        let mut classes = Classes { latest, ..Classes::default() };
        read_from("part", Cursor::new(bytes), &Limits::default(), &mut classes).unwrap();
        distinct += classes.found.distinct;
        assert_eq!(classes.found.identical_repeats, part.identical_repeats);
        latest = classes.latest;
    }
    assert_eq!(distinct, truth.distinct);
}
