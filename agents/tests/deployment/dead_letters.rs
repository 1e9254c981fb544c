//! A file that cannot be read: kept, shown, given back, read.

use std::time::{Duration, Instant};

use serde_json::Value;
use statim::delivery::{LetterStore, NewLetter};
use statim::store::Store;

use crate::ledger::revocation;
use crate::place::{Outcome, Place, assert_adds_up, block_on, number, shared, signal};

const GIVEN_UP: &str = "SELECT count(*) FROM dead_letters";
const SOUND: &str = "SELECT count(*) FROM record_versions";

fn study(id: &str) -> String {
    format!(r#"{{"protocolSection":{{"identificationModule":{{"nctId":"{id}"}}}}}}"#)
}

fn letters(place: &Place, args: &[&str]) -> Value {
    let url = place.url("d.db");
    let args = [&["dead-letters"], args, &["--json", "--database", &url]].concat();
    place.done(&args).json(0)
}

/// A file that opens and cannot be read, whoever asks: the memory of a process, at address 0.
#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file_is_a_dead_letter_that_can_be_requeued_to_a_running_deployment() {
    let _machine = shared();
    let place = Place::new();
    let good = place.write("in/a.json", &study("NCT90000001"));
    let bad = good.with_file_name("b.json");
    std::os::unix::fs::symlink("/proc/self/mem", &bad).expect("links");
    let sources = format!("sources = [{:?}]", place.path("in").to_str().expect("text"));
    let config = place.config("d", &[&sources, "rescan_seconds = 0"]);
    let run =
        place.statim(&["run", "--json", "--config", config.to_str().expect("text")]).spawn().expect("runs");
    place.wait_for("d", SOUND, 1);
    place.wait_for("d", GIVEN_UP, 1);

    let list = letters(&place, &["list"]);
    let all = list["letters"].as_array().expect("a list");
    assert_eq!(all.len(), 1, "{list}");
    assert_eq!((&all[0]["kind"], &all[0]["agent"]), (&"file".into(), &"ingestion".into()), "{list}");
    assert_eq!((&all[0]["reason"], &all[0]["status"]), (&"poisoned".into(), &"parked".into()), "{list}");
    let shown = letters(&place, &["show", "1"]);
    assert_eq!(shown["body"]["path"], bad.to_str().expect("text"), "{shown}");

    std::fs::remove_file(&bad).expect("removes");
    std::fs::write(&bad, study("NCT90000002")).expect("writes");
    assert_eq!(number(&letters(&place, &["requeue", "1"]), "requeued"), 1);
    let since = Instant::now();
    while letters(&place, &["show", "1"])["status"] != "done" {
        assert!(since.elapsed() < Duration::from_secs(20), "it is not picked up");
        std::thread::sleep(Duration::from_millis(100));
    }
    eprintln!("a requeued file was read after {:?}", since.elapsed());

    signal(&run, "TERM");
    let ingest = Outcome::of(run).json(0)["ingest"].clone();
    assert_eq!((number(&ingest, "inserted"), number(&ingest, "records")), (2, 2), "{ingest}");
    assert_eq!(ingest["unreadable"].as_array().map(Vec::len), Some(1), "{ingest}");
    assert_adds_up(&ingest);
    assert!(place.catalogue("d").iter().any(|line| line.starts_with("record study NCT90000002")));
}

#[test]
fn a_revocation_that_was_given_up_is_recorded_when_the_deployment_starts_again() {
    let _machine = shared();
    let place = Place::new();
    let url = place.url("d.db");
    let grant = ["consent", "grant", "--patient", "P1", "--provision", "g", "--database", &url];
    assert_eq!(place.done(&grant).status, Some(0));
    let body = serde_json::to_vec(&revocation("P1", Some("g"))).expect("JSON");
    let letter = |kind: &str, body: Vec<u8>| NewLetter {
        at: std::time::SystemTime::now(),
        agent: "consent".to_owned(),
        kind: kind.to_owned(),
        priority: "critical".to_owned(),
        reason: "poisoned".to_owned(),
        attempts: 3,
        age: Duration::from_millis(1),
        body: Some(body),
    };
    let kept = vec![letter("revoke", body), letter("import", b"{}".to_vec())];
    block_on(async {
        let store = Store::open(&url).await.expect("opens");
        LetterStore::open(&store).await.expect("opens").insert(kept).await.expect("keeps");
        store.close().await;
    });

    std::fs::create_dir(place.path("in")).expect("folder");
    let sources = format!("sources = [{:?}]", place.path("in").to_str().expect("text"));
    let config = place.config("d", &[&sources]);
    place.done(&["run", "--until-idle", "--json", "--config", config.to_str().expect("text")]).json(0);

    let ask = [
        "consent",
        "decide",
        "--patient",
        "P1",
        "--actor",
        "org:uni",
        "--purpose",
        "research",
        "--data-type",
        "labs",
        "--json",
        "--database",
        &url,
    ];
    let decision = place.done(&ask).json(0);
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&"deny".into(), &"revoked".into()),
        "{decision}"
    );
    assert_eq!(letters(&place, &["show", "1"])["status"], "done");
    assert_eq!(letters(&place, &["show", "2"])["status"], "parked", "only revocations cannot wait");
}
