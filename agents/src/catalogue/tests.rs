//! What is promised of the catalogue.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sqlx::Row;
use statim::store::{Dialect, Store};

use super::*;
use crate::record::{Article, Identity, Kind, Record, Scheme, Study};

/// Where databases are made.
#[derive(Debug, Clone, Copy)]
enum Place {
    Sqlite,
    Postgres,
}

impl Place {
    async fn store(self) -> Store {
        let url = match self {
            Self::Sqlite => "sqlite::memory:".to_owned(),
            Self::Postgres => statim_servers::database("catalogue").expect("a private PostgreSQL"),
        };
        Store::open(&url).await.expect("opens")
    }

    async fn empty(self) -> Catalogue {
        Catalogue::open(&self.store().await).await.expect("opens")
    }
}

/// The same tests on both databases.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Place::Sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Place::Postgres).await;
            })*
        }
    };
}

on_both! {
    the_newest_revision_is_current_and_the_others_are_history,
    a_file_with_two_contents_for_one_id_changes_nothing_when_read_again,
    a_deletion_holds_for_what_was_read_before_it_in_any_order_of_files,
    a_record_under_an_obsolete_number_is_merged_into_the_one_that_claims_it,
    a_number_that_two_studies_claim_goes_to_the_one_with_the_greatest_and_merges_neither,
    claims_that_run_in_a_circle_end_somewhere,
    a_shared_doi_is_reported_and_never_merges,
    a_batch_larger_than_a_transaction_is_taken_in_whole,
    an_id_that_cannot_be_one_is_refused_without_stopping_the_rest,
    several_workers_take_in_the_same_files_at_once,
    what_is_quarantined_twice_is_kept_once,
}

fn at(file: &str, index: u64) -> SourcePosition {
    SourcePosition { file: file.into(), member: "".into(), index }
}

fn article(pmid: &str, version: u32, title: &str, revised: Option<&str>) -> Record {
    Record::Article(Box::new(Article {
        pmid: pmid.to_owned(),
        version,
        title: title.to_owned(),
        date_revised: revised.map(Into::into),
        ..Article::default()
    }))
}

fn study(nct: &str, title: &str, updated: &str, aliases: &[&str]) -> Record {
    Record::Study(Box::new(Study {
        nct_id: nct.to_owned(),
        brief_title: Some(title.to_owned()),
        last_update_submitted: Some(updated.into()),
        nct_id_aliases: aliases.iter().map(|it| (*it).to_owned()).collect(),
        ..Study::default()
    }))
}

fn read(record: Record, source: SourcePosition) -> Incoming {
    Incoming::Record { record, source }
}

fn delete(pmid: &str, source: SourcePosition) -> Incoming {
    Incoming::Delete { identity: id(Kind::Article, pmid), version: 1, source }
}

fn id(kind: Kind, id: &str) -> Identity {
    Identity { kind, id: id.to_owned() }
}

async fn apply(catalogue: &Catalogue, item: Incoming) -> Outcome {
    catalogue.apply(vec![item]).await.expect("applies")
}

async fn title(catalogue: &Catalogue, identity: Identity) -> Option<String> {
    match catalogue.get(&identity).await.expect("reads")? {
        Record::Article(article) => Some(article.title),
        Record::Study(study) => study.brief_title,
        _ => None,
    }
}

/// Everything that is stored, but for row numbers.
async fn state(catalogue: &Catalogue) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let hex = |column| match catalogue.store.dialect() {
        Dialect::Sqlite => format!("hex({column})"),
        Dialect::Postgres => format!("upper(encode({column}, 'hex'))"),
    };
    let hash = hex("v.hash");
    for query in [
        format!(
            "SELECT 'version', v.kind, v.own_id, {hash}, v.revision, a.file || a.member || v.first_index,
                    b.file || b.member || v.last_index
             FROM record_versions v JOIN sources a ON a.source = v.first_source
             JOIN sources b ON b.source = v.last_source"
        ),
        format!(
            "SELECT 'record', r.kind, r.id, v.own_id, {hash}, '', ''
             FROM records r LEFT JOIN record_versions v ON v.vid = r.vid"
        ),
        "SELECT 'identifier', kind, scheme, value, id, evidence, '' FROM identifiers".to_owned(),
        "SELECT 'claim', kind, alias, id, '', '', '' FROM claims".to_owned(),
        "SELECT 'deletion', kind, id, CAST(number AS TEXT), file, member, CAST(at_index AS TEXT)
         FROM tombstones JOIN sources USING (source)"
            .to_owned(),
    ] {
        let mut reader = catalogue.store.read().await.expect("a reader");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut *reader).await.expect("reads");
        for row in rows {
            let column = |at: usize| row.get::<Option<String>, _>(at).unwrap_or_else(|| "-".to_owned());
            assert!(all.insert((0..7).map(column).collect::<Vec<_>>().join("|")), "no row is there twice");
        }
    }
    all
}

async fn the_newest_revision_is_current_and_the_others_are_history(place: Place) {
    let catalogue = place.empty().await;
    let one = || article("1", 1, "one", Some("2020-01-01"));
    assert_eq!(apply(&catalogue, read(one(), at("a", 0))).await.inserted, 1);
    assert_eq!(apply(&catalogue, read(one(), at("a", 0))).await.unchanged, 1);
    let newer = article("1", 1, "newer", Some("2021-01-01"));
    assert_eq!(apply(&catalogue, read(newer.clone(), at("b", 0))).await.updated, 1);
    let older = article("1", 1, "older", Some("2019-01-01"));
    assert_eq!(apply(&catalogue, read(older, at("c", 0))).await.superseded, 1);
    assert_eq!(catalogue.get(&id(Kind::Article, "1")).await.expect("reads"), Some(newer));
    let history = catalogue.history(&id(Kind::Article, "1")).await.expect("reads");
    assert_eq!(history.iter().map(|it| it.current).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Article, 1)]));
    assert_eq!(catalogue.get(&id(Kind::Study, "1")).await.expect("reads"), None);
}

async fn a_file_with_two_contents_for_one_id_changes_nothing_when_read_again(place: Place) {
    let catalogue = place.empty().await;
    let file = || {
        vec![
            read(article("1", 1, "first", None), at("a", 0)),
            read(article("1", 1, "second", None), at("a", 9)),
        ]
    };
    let outcome = catalogue.apply(file()).await.expect("applies");
    assert_eq!((outcome.inserted, outcome.updated), (1, 1));
    let before = state(&catalogue).await;
    let outcome = catalogue.apply(file()).await.expect("applies");
    assert_eq!(outcome, Outcome { unchanged: 2, ..Outcome::default() });
    assert_eq!(state(&catalogue).await, before);
    assert_eq!(title(&catalogue, id(Kind::Article, "1")).await.as_deref(), Some("second"));
    // Nor does the first content in a later file: it is history, and stays so in any order of files.
    let again = || read(article("1", 1, "first", None), at("b", 0));
    assert_eq!(apply(&catalogue, again()).await.unchanged, 1);
    let other = place.empty().await;
    apply(&other, again()).await;
    other.apply(file()).await.expect("applies");
    for catalogue in [catalogue, other] {
        assert_eq!(title(&catalogue, id(Kind::Article, "1")).await.as_deref(), Some("second"));
    }
}

async fn a_deletion_holds_for_what_was_read_before_it_in_any_order_of_files(place: Place) {
    let catalogue = place.empty().await;
    assert_eq!(apply(&catalogue, delete("1", at("b", 5))).await.deletions_without_effect, 1);
    assert_eq!(apply(&catalogue, read(article("1", 1, "x", None), at("a", 0))).await.superseded, 1);
    assert_eq!(title(&catalogue, id(Kind::Article, "1")).await, None);
    assert_eq!(catalogue.totals().await.expect("reads").len(), 0);
    assert_eq!(catalogue.history(&id(Kind::Article, "1")).await.expect("reads").len(), 1);
    // The same content in a later place brings it back; the deletion read again does not take it away.
    assert_eq!(apply(&catalogue, read(article("1", 1, "x", None), at("b", 6))).await.updated, 1);
    assert_eq!(apply(&catalogue, delete("1", at("b", 5))).await.deletions_without_effect, 1);
    assert_eq!(title(&catalogue, id(Kind::Article, "1")).await.as_deref(), Some("x"));
    // So does a greater version than what was deleted, wherever it is read.
    assert_eq!(apply(&catalogue, delete("2", at("z", 0))).await.deletions_without_effect, 1);
    assert_eq!(apply(&catalogue, read(article("2", 2, "y", None), at("a", 1))).await.inserted, 1);
    assert_eq!(apply(&catalogue, read(article("2", 1, "y", None), at("a", 2))).await.superseded, 1);
    assert_eq!(apply(&catalogue, delete("1", at("z", 0))).await.deleted, 1);
}

async fn a_record_under_an_obsolete_number_is_merged_into_the_one_that_claims_it(place: Place) {
    let catalogue = place.empty().await;
    let old = study("NCT00000001", "old", "2001-01-01", &[]);
    let new = study("NCT00000009", "new", "2020-01-01", &["NCT00000001"]);
    apply(&catalogue, read(old, at("a", 0))).await;
    assert_eq!(apply(&catalogue, read(new.clone(), at("b", 0))).await.merged, 1);
    let late = study("NCT00000001", "newer than new", "2021-01-01", &[]);
    assert_eq!(apply(&catalogue, read(late, at("c", 0))).await.updated, 1);
    for number in ["NCT00000001", "NCT00000009"] {
        assert_eq!(catalogue.resolve(&id(Kind::Study, number)).await.expect("reads").id, "NCT00000009");
        assert_eq!(title(&catalogue, id(Kind::Study, number)).await.as_deref(), Some("newer than new"));
        assert_eq!(catalogue.history(&id(Kind::Study, number)).await.expect("reads").len(), 3);
    }
    assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Study, 1)]));
}

async fn a_number_that_two_studies_claim_goes_to_the_one_with_the_greatest_and_merges_neither(place: Place) {
    for order in [["NCT5", "NCT7"], ["NCT7", "NCT5"]] {
        let catalogue = place.empty().await;
        apply(&catalogue, read(study("NCT1", "old", "2030-01-01", &[]), at("a", 0))).await;
        for number in order {
            apply(&catalogue, read(study(number, number, "2020-01-01", &["NCT1"]), at("b", 0))).await;
        }
        assert_eq!(title(&catalogue, id(Kind::Study, "NCT7")).await.as_deref(), Some("old"));
        assert_eq!(title(&catalogue, id(Kind::Study, "NCT5")).await.as_deref(), Some("NCT5"));
        assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Study, 2)]));
    }
}

async fn claims_that_run_in_a_circle_end_somewhere(place: Place) {
    let catalogue = place.empty().await;
    apply(&catalogue, read(study("NCT1", "one", "2001-01-01", &["NCT2"]), at("a", 0))).await;
    apply(&catalogue, read(study("NCT2", "two", "2002-01-01", &["NCT1", "NCT2"]), at("a", 1))).await;
    for number in ["NCT1", "NCT2"] {
        assert_eq!(title(&catalogue, id(Kind::Study, number)).await.as_deref(), Some("two"));
    }
    assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Study, 1)]));
}

async fn a_shared_doi_is_reported_and_never_merges(place: Place) {
    let catalogue = place.empty().await;
    let with = |pmid: &str, doi: &str| {
        let Record::Article(mut it) = article(pmid, 1, "x", None) else { unreachable!() };
        it.doi = Some(doi.to_owned());
        read(Record::Article(it), at("a", pmid.len() as u64))
    };
    let both = vec![with("1", "10.1/AB"), with("22", "https://doi.org/10.1/ab")];
    let outcome = catalogue.apply(both).await.expect("applies");
    let pair = PossibleDuplicate {
        record: id(Kind::Article, "22"),
        other: id(Kind::Article, "1"),
        scheme: Scheme::Doi,
        value: "10.1/ab".to_owned(),
    };
    assert_eq!((outcome.inserted, outcome.possible_duplicates_found), (2, 1));
    assert_eq!(outcome.possible_duplicates, std::slice::from_ref(&pair));
    let third = apply(&catalogue, with("333", "10.1/ab")).await;
    assert_eq!(third.possible_duplicates, [PossibleDuplicate { record: id(Kind::Article, "333"), ..pair }]);
    assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Article, 3)]));
    let found = catalogue.identified_by(Kind::Article, Scheme::Doi, "10.1/ab", 10).await.expect("reads");
    assert_eq!(found.len(), 3);
    // A corrected DOI is forgotten with the version that had it.
    apply(&catalogue, with("4444", "10.1/cd")).await;
    let Record::Article(mut corrected) = article("4444", 2, "x", None) else { unreachable!() };
    corrected.doi = Some("10.1/ef".to_owned());
    apply(&catalogue, read(Record::Article(corrected), at("b", 0))).await;
    assert!(
        catalogue.identified_by(Kind::Article, Scheme::Doi, "10.1/cd", 10).await.expect("reads").is_empty()
    );
}

async fn a_batch_larger_than_a_transaction_is_taken_in_whole(place: Place) {
    let catalogue = place.empty().await;
    let many = |from: u64| {
        (from..from + 5_003)
            .map(|n| read(article(&n.to_string(), 1, "x", None), at("a", n)))
            .collect::<Vec<_>>()
    };
    assert_eq!(catalogue.apply(many(0)).await.expect("applies").inserted, 5_003);
    let again = catalogue.apply(many(2)).await.expect("applies");
    assert_eq!((again.inserted, again.unchanged), (2, 5_001));
    let long = "x".repeat(3 << 20);
    let large = (0..5).map(|n| read(article(&format!("large{n}"), 1, &long, None), at("b", n))).collect();
    assert_eq!(catalogue.apply(large).await.expect("applies").inserted, 5);
    assert_eq!(catalogue.totals().await.expect("reads"), Totals::from([(Kind::Article, 5_010)]));
}

async fn an_id_that_cannot_be_one_is_refused_without_stopping_the_rest(place: Place) {
    let catalogue = place.empty().await;
    let ids = ["", "  ", "a\0b", "a\nb", &"x".repeat(513), "it's; -- \"ok\" é"];
    let items: Vec<_> = (0..).zip(ids).map(|(n, it)| read(article(it, 1, "x", None), at("a", n))).collect();
    for _ in 0..2 {
        let outcome = catalogue.apply(items.clone()).await.expect("applies");
        assert_eq!((outcome.inserted + outcome.unchanged, outcome.refused.len()), (1, 5));
        assert_eq!(outcome.refused[2].source, at("a", 2));
    }
}

async fn several_workers_take_in_the_same_files_at_once(place: Place) {
    let folder = tempfile::tempdir().expect("folder");
    let url = match place {
        Place::Sqlite => format!("sqlite://{}/c.db", folder.path().display()),
        Place::Postgres => statim_servers::database("catalogue").expect("a private PostgreSQL"),
    };
    let file = |name: &'static str| {
        (0..300).map(move |n| {
            read(
                article(&n.to_string(), 1, name, Some(if name == "b" { "2021" } else { "2020" })),
                at(name, n),
            )
        })
    };
    let shared = Catalogue::open(&Store::open(&url).await.expect("opens")).await.expect("opens");
    // Another handle with a memory of its own, as another process has.
    let other = Catalogue::open(&Store::open(&url).await.expect("opens")).await.expect("opens");
    let work = async |catalogue: Catalogue, name| {
        for part in file(name).collect::<Vec<_>>().chunks(37) {
            catalogue.apply(part.to_vec()).await.expect("applies");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(
        work(shared.clone(), "a"),
        work(shared.clone(), "b"),
        work(other, "c"),
        work(shared.clone(), "b")
    );
    let straight = place.empty().await;
    for name in ["a", "b", "c"] {
        straight.apply(file(name).collect()).await.expect("applies");
    }
    assert_eq!(state(&shared).await, state(&straight).await);
}

async fn what_is_quarantined_twice_is_kept_once(place: Place) {
    let catalogue = place.empty().await;
    let entry = |n: u64| QuarantineEntry {
        file: "f".to_owned(),
        member: String::new(),
        position: n,
        path: "a.b".to_owned(),
        reason: "missing".to_owned(),
    };
    let entries: Vec<_> = (0..100).map(entry).collect();
    assert_eq!(catalogue.quarantine(&entries).await.expect("writes"), 100);
    assert_eq!(catalogue.quarantine(&entries[50..]).await.expect("writes"), 0);
    let first = catalogue.quarantined(None, 60).await.expect("reads");
    let rest = catalogue.quarantined(first.last(), 60).await.expect("reads");
    assert_eq!([first, rest].concat(), entries);
}

fn place() -> impl Strategy<Value = SourcePosition> {
    (proptest::sample::select(vec!["a", "b", "c"]), 0..4_u64).prop_map(|(file, index)| at(file, index))
}

fn item() -> impl Strategy<Value = Incoming> {
    let pmid = || proptest::sample::select(vec!["1", "2"]);
    let nct = || proptest::sample::select(vec!["N1", "N2", "N3", "N4"]);
    let word = || proptest::sample::select(vec!["x", "y", "z"]);
    let year = || proptest::sample::select(vec!["2019", "2020", "2021"]);
    prop_oneof![
        4 => (pmid(), 1..3_u32, word(), proptest::option::of(year()), place(), proptest::option::of(word())).prop_map(
            |(pmid, version, word, year, place, doi)| {
                let mut record = article(pmid, version, word, year);
                if let Record::Article(it) = &mut record {
                    it.doi = doi.map(|it| format!("10.1/{it}"));
                }
                read(record, place)
            }
        ),
        2 => (pmid(), 1..3_u32, place()).prop_map(|(pmid, version, source)| Incoming::Delete {
            identity: id(Kind::Article, pmid), version, source
        }),
        3 => (nct(), word(), year(), proptest::collection::vec(nct(), 0..2), place())
            .prop_map(|(nct, word, year, aliases, place)| read(study(nct, word, year, &aliases), place)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_any_partition_and_any_repeats_end_in_the_same_state(
        (straight, mixed) in proptest::collection::vec(item(), 1..14).prop_flat_map(|items| {
            let repeats = proptest::collection::vec(0..items.len(), 0..6);
            (Just(items), repeats).prop_flat_map(|(items, repeats)| {
                let all: Vec<_> = items.iter().cloned().chain(repeats.iter().map(|at| items[*at].clone())).collect();
                (Just(items), Just(all).prop_shuffle())
            })
        }),
        sizes in proptest::collection::vec(1..5_usize, 20)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (one, other) = (Place::Sqlite.empty().await, Place::Sqlite.empty().await);
            one.apply(straight).await.expect("applies");
            let mut left = mixed;
            for size in sizes {
                let rest = left.split_off(size.min(left.len()));
                other.apply(std::mem::replace(&mut left, rest)).await.expect("applies");
            }
            let (one, other) = (state(&one).await, state(&other).await);
            prop_assert_eq!(&one, &other);
            Ok(())
        })?;
    }
}
