//! Ctrl-C and SIGTERM.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::{LARGE, Outcome, Place, assert_adds_up, large, number, shared, signal};

const STORED: &str = "SELECT count(*) FROM record_versions";

fn source(path: &std::path::Path) -> String {
    format!("sources = [{:?}]", path.to_str().expect("text"))
}

#[track_caller]
fn interrupt(command: &mut Command, name: &str, ready: impl FnOnce()) -> Outcome {
    let child = command.spawn().expect("runs");
    ready();
    let since = Instant::now();
    signal(&child, name);
    let outcome = Outcome::of(child);
    assert!(since.elapsed() < Duration::from_secs(15), "{name} took {:?}: {outcome:#?}", since.elapsed());
    outcome
}

#[test]
fn an_idle_run_ends_in_order_at_either_signal() {
    let _machine = shared();
    for name in ["INT", "TERM"] {
        let place = Place::new();
        let config = place.config("idle", &[]);
        let args = ["run", "--json", "--config", config.to_str().expect("text")];
        let outcome = interrupt(&mut place.statim(&args), name, || place.wait_for("idle", STORED, 400));
        let report = outcome.json(0);
        assert_adds_up(&report["ingest"]);
        assert!(!place.catalogue("idle").is_empty());
    }
}

#[test]
fn a_run_interrupted_within_a_file_says_what_it_stored_and_a_second_run_completes_it() {
    let _machine = shared();
    let place = Place::new();
    let sources = source(large());
    let undisturbed = place.config("undisturbed", &[&sources]);
    let until_idle = |config: &std::path::Path| {
        let args = ["run", "--until-idle", "--json", "--config", config.to_str().expect("text")];
        let ingest = place.done(&args).json(0)["ingest"].clone();
        assert_adds_up(&ingest);
        assert_eq!(number(&ingest, "records"), LARGE);
    };
    until_idle(&undisturbed);
    let expected = place.catalogue("undisturbed");
    for name in ["INT", "TERM"] {
        let config = place.config(name, &[&sources]);
        let args = ["run", "--json", "--config", config.to_str().expect("text")];
        let outcome = interrupt(&mut place.statim(&args), name, || place.wait_for(name, STORED, 300));
        let ingest = outcome.json(0)["ingest"].clone();
        assert_eq!(number(&ingest, "interrupted"), 1, "{name} came too late: {ingest}");
        assert!((300..LARGE).contains(&number(&ingest, "records")), "{ingest}");
        // The record that the reader was at when it was told.
        assert!(number(&ingest, "not_stored") <= 1, "{ingest}");
        assert_adds_up(&ingest);
        assert!(place.catalogue(name).len() < expected.len());
        until_idle(&config);
        assert!(place.catalogue(name) == expected, "{name}: the catalogue is not that of an undisturbed run");
    }
}

#[test]
fn an_interrupted_ingest_fails_and_says_what_it_stored() {
    let _machine = shared();
    let place = Place::new();
    let url = place.url("ingest.db");
    let args = ["ingest", "--json", "--database", &url, large().to_str().expect("text")];
    let outcome = interrupt(&mut place.statim(&args), "INT", || place.wait_for("ingest", STORED, 300));
    let ingest = outcome.json(1);
    assert_eq!(number(&ingest, "interrupted"), 1, "{ingest}");
    assert_adds_up(&ingest);
    assert!(outcome.err.contains("run the same command again"), "{outcome:#?}");
}

#[test]
fn an_interrupted_generation_leaves_nothing_behind() {
    let _machine = shared();
    let place = Place::new();
    let output = place.path("many.ndjson");
    let output = output.to_str().expect("text");
    let args = ["generate", "studies", "--count", "1000000", "--seed", "1", "--output", output];
    let files = || std::fs::read_dir(place.path("")).expect("lists").count();
    let outcome = interrupt(&mut place.statim(&args), "INT", || {
        while files() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert!(outcome.err.contains("nothing was written"), "{outcome:#?}");
    assert_eq!(files(), 0);
}
