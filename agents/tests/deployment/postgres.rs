//! The same on PostgreSQL, through the binary.

use serde_json::Value;
use sqlx::Row;
use statim::store::{Dialect, Store};

use crate::place::{Place, block_on, number, root, shared};

/// Everything a catalogue holds that does not depend on the order of arrival.
fn catalogue(url: &str) -> Vec<String> {
    block_on(async {
        let store = Store::open(url).await.expect("opens");
        let hex = match store.dialect() {
            Dialect::Sqlite => "hex(v.hash)",
            Dialect::Postgres => "upper(encode(v.hash, 'hex'))",
        };
        let sql = format!(
            "SELECT 'record ' || r.kind || ' ' || r.id || ' ' || CASE WHEN v.vid IS NULL THEN 'deleted' ELSE {hex} END AS line
             FROM records AS r LEFT JOIN record_versions AS v ON v.vid = r.vid
             UNION ALL
             SELECT 'version ' || kind || ' ' || own_id || ' ' || {hex} || ' ' || first_index || ' ' || last_index
             FROM record_versions AS v
             UNION ALL
             SELECT 'name ' || kind || ' ' || scheme || ' ' || value || ' ' || id || ' ' || evidence FROM identifiers"
        );
        let mut reader = store.read().await.expect("a reader");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *reader).await.expect("reads");
        let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        lines.sort_unstable();
        lines
    })
}

fn ingest(place: &Place, url: &str) -> Value {
    let sample = root().join("data/sample");
    place.done(&["ingest", sample.to_str().expect("text"), "--json", "--database", url]).json(0)
}

#[test]
fn a_catalogue_in_postgresql_is_the_one_in_sqlite() {
    let _machine = shared();
    let place = Place::new();
    let sqlite = place.url("catalogue.db");
    let postgres = statim_servers::database("agents").expect("a private PostgreSQL");
    let (ours, theirs) = (ingest(&place, &sqlite), ingest(&place, &postgres));
    for key in ["records", "quarantined", "counts"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    assert!(number(&theirs, "records") > 0, "{theirs}");
    let lines = catalogue(&postgres);
    assert!(!lines.is_empty());
    assert!(lines == catalogue(&sqlite), "the catalogues differ");
    let again = ingest(&place, &postgres);
    assert_eq!((number(&again, "inserted"), number(&again, "updated")), (0, 0), "{again}");
    assert!(lines == catalogue(&postgres), "taking it in again changed something");
}

#[test]
fn consent_is_granted_decided_revoked_and_verified_in_postgresql() {
    let _machine = shared();
    let place = Place::new();
    let url = statim_servers::database("agents").expect("a private PostgreSQL");
    let consent = |args: &[&str]| {
        let args = [&["consent"], args, &["--json", "--database", &url]].concat();
        place.done(&args)
    };
    let grant =
        ["grant", "--patient", "P1", "--provision", "x", "--purpose", "research", "--data-type", "labs"];
    let missing = consent(&["verify"]);
    assert_eq!(missing.status, Some(1), "{missing:#?}");
    assert!(missing.err.contains("there is no consent ledger"), "{missing:#?}");
    consent(&grant).json(0);
    let ask =
        ["decide", "--patient", "P1", "--actor", "org:a", "--purpose", "research", "--data-type", "labs"];
    let permitted = consent(&ask).json(0);
    assert_eq!(permitted["outcome"], "permit", "{permitted}");
    consent(&["revoke", "--patient", "P1"]).json(0);
    let denied = consent(&ask).json(0);
    assert_eq!(denied["outcome"], "deny", "{denied}");
    let verified = consent(&["verify"]).json(0);
    assert_eq!(verified["intact"], true, "{verified}");
}

#[test]
fn a_whole_deployment_runs_on_postgresql() {
    let _machine = shared();
    let place = Place::new();
    let url = statim_servers::database("agents").expect("a private PostgreSQL");
    let config = place.config("d", &["rescan_seconds = 0"]);
    let text = std::fs::read_to_string(&config).expect("reads");
    let database = format!("url = {:?}", place.url("d.db"));
    assert!(text.contains(&database));
    let config = place.write("p.toml", &text.replace(&database, &format!("url = {url:?}")));
    let config = config.to_str().expect("text");
    let report = place.done(&["run", "--until-idle", "--json", "--config", config]).json(0);
    assert!(number(&report["ingest"], "records") > 0, "{report}");
    let sqlite = place.url("catalogue.db");
    ingest(&place, &sqlite);
    assert!(catalogue(&url) == catalogue(&sqlite), "the catalogues differ");
}
