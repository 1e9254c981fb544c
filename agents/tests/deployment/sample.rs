//! The first command of the README: the shipped configuration over the shipped sample.

use serde_json::{Value, json};

use crate::place::{Place, agent, assert_adds_up, number, shared};

fn run(place: &Place) -> Value {
    let config = place.config("sample", &[]);
    let args = ["run", "--until-idle", "--json", "--config", config.to_str().expect("text")];
    place.done(&args).json(0)
}

#[test]
fn the_sample_is_ingested_and_decided_as_its_readme_says_and_a_second_run_changes_nothing() {
    let _machine = shared();
    let place = Place::new();
    let first = run(&place);
    let ingest = &first["ingest"];
    let keys = [
        "files",
        "records",
        "quarantined",
        "unchanged",
        "updated",
        "counts",
        "seconds",
        "records_per_second",
        "peak_rss_bytes",
    ];
    for key in keys {
        assert!(ingest.get(key).is_some_and(|it| !it.is_null()), "{key} is missing in {ingest}");
    }
    assert_eq!(
        ingest["counts"],
        json!({
            "studies": 160, "locations": 153 + 442, "articles": 200, "authors": 1_143, "mesh_headings": 499,
            "references": 827, "deleted": 4, "applications": 30, "labels": 40, "events": 40, "products": 76 + 40,
        })
    );
    assert_eq!((number(ingest, "files"), number(ingest, "records")), (10, 510));
    assert_eq!(number(ingest, "inserted"), 43 + 71 + 184 + 30 + 27 + 36 + 34);
    assert_eq!(number(ingest, "unchanged"), 10 + 18 + 6 + 6 + 3 + 4 + 2);
    // Which of two versions is older than known depends on which file is faster.
    assert_eq!(number(ingest, "updated") + number(ingest, "superseded"), 7 + 11 + 10 + 4 + 4);
    assert_eq!(number(ingest, "removed"), 4);
    assert_adds_up(ingest);
    // The table of people, the consent events and the README are no records.
    assert_eq!(number(ingest, "quarantined"), 3, "{ingest}");

    let decisions = &first["decisions"];
    assert_eq!((number(decisions, "permitted"), number(decisions, "denied")), (49, 38));
    assert_eq!((number(decisions, "unexpected"), number(decisions, "unanswered")), (0, 0));

    for (name, priorities) in
        [("ingestion", &["low"][..]), ("deduplication", &["low"]), ("consent", &["critical", "high"])]
    {
        let agent = agent(&first, name);
        assert!(number(agent, "handled") > 0 && number(agent, "failed") == 0 && agent["dropped"].is_object());
        for priority in priorities {
            let latency = &agent["latency_ms"][priority];
            let figure = |name: &str| latency[name].as_f64().unwrap_or_else(|| panic!("{name} in {agent}"));
            assert!(number(latency, "count") > 0, "{agent}");
            assert!(0.0 < figure("p50") && figure("p50") <= figure("p99") && figure("p99") <= figure("max"));
        }
    }

    let before = place.catalogue("sample");
    let second = run(&place);
    let ingest = &second["ingest"];
    assert_eq!((number(ingest, "records"), number(ingest, "unchanged")), (510, 510), "{ingest}");
    assert_eq!((number(ingest, "removed"), ingest["counts"].clone()), (0, first["ingest"]["counts"].clone()));
    assert_adds_up(ingest);
    assert_eq!(number(&second["decisions"], "unexpected"), 0);
    assert!(before == place.catalogue("sample"), "the second run changed the catalogue");
}
