//! `statim consent`.

use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::shell::{Outcome, Shell};

fn consent(shell: &Shell, args: &[&str]) -> Outcome {
    shell.statim(&[&["consent"], args, &["--database", "sqlite://d.db"]].concat())
}

fn decide(shell: &Shell, patient: &str, data_type: &str) -> Value {
    let args = ["decide", "--patient", patient, "--actor", "org:uni", "--purpose", "research"];
    consent(shell, &[&args[..], &["--data-type", data_type, "--json"]].concat()).done().json()
}

fn grant(shell: &Shell, args: &[&str]) {
    let granted = consent(shell, &[&["grant", "--patient", "P1", "--by", "nurse"], args].concat()).done();
    assert!(granted.out.starts_with("recorded as event "), "{granted:#?}");
}

#[test]
fn what_is_granted_is_permitted_until_it_is_revoked() {
    let shell = Shell::new();
    let unknown = decide(&shell, "P1", "labs");
    assert_eq!((&unknown["outcome"], &unknown["reason"]), (&json!("deny"), &json!("no_consent")));

    grant(
        &shell,
        &["--provision", "study-7", "--purpose", "research", "--data-type", "labs", "--data-type", "notes"],
    );
    let permitted = decide(&shell, "P1", "notes");
    assert_eq!(
        (&permitted["outcome"], &permitted["reason"], &permitted["provision"], &permitted["seq"]),
        (&json!("permit"), &json!("permitted"), &json!("study-7"), &json!(3))
    );
    assert_eq!(decide(&shell, "P1", "genomics")["reason"], "no_consent");
    assert_eq!(decide(&shell, "P2", "labs")["reason"], "no_consent");

    let revoked = consent(&shell, &["revoke", "--patient", "P1", "--provision", "study-7", "--json"]).done();
    assert_eq!(
        (&revoked.json()["kind"], &revoked.json()["provision"], &revoked.json()["seq"], revoked.err.as_str()),
        (&json!("revoke"), &json!("study-7"), &json!(6), "")
    );
    let denied = decide(&shell, "P1", "labs");
    assert_eq!(
        (&denied["outcome"], &denied["reason"], &denied["provision"]),
        (&json!("deny"), &json!("revoked"), &json!("study-7"))
    );
}

#[test]
fn a_denial_is_an_answer_for_people_too() {
    let shell = Shell::new();
    grant(&shell, &["--provision", "all", "--actor", "org:uni"]);
    grant(&shell, &["--provision", "no-genes", "--effect", "deny", "--data-type", "genomics"]);
    let ask = |data_type: &str| {
        let args =
            ["decide", "--patient", "P1", "--actor", "org:uni", "--purpose", "x", "--data-type", data_type];
        consent(&shell, &args).done().out
    };
    assert_eq!(ask("labs"), "permit: permitted, by provision all\n");
    assert_eq!(ask("genomics"), "deny: denied_by_provision, by provision no-genes\n");
}

#[test]
fn a_period_has_its_last_day_and_not_the_next() {
    let shell = Shell::new();
    grant(&shell, &["--provision", "may", "--start", "2026-05-01", "--end", "2026-05"]);
    let at = |time: &str| {
        let args =
            ["decide", "--patient", "P1", "--actor", "a", "--purpose", "x", "--data-type", "y", "--at", time];
        let answer = consent(&shell, &[&args[..], &["--json"]].concat()).done().json();
        (answer["reason"].clone(), answer["decided_at"].clone())
    };
    assert_eq!(at("2026-05-31T23:59:59Z"), (json!("permitted"), json!("2026-05-31T23:59:59Z")));
    assert_eq!(at("2026-06"), (json!("expired"), json!("2026-06-01T00:00:00Z")));
    assert_eq!(at("2026-05-01T01:00:00+02:00").0, "not_yet_in_force");
}

#[test]
fn revoking_everything_holds_for_what_is_imported_later() {
    let shell = Shell::new();
    let revoked = consent(&shell, &["revoke", "--patient", "P1"]).done();
    assert_eq!(revoked.out, "recorded as event 1: revoke everything\n");
    assert!(revoked.err.contains("holds if it is imported later"), "{revoked:#?}");
    shell.write(
        "late.ndjson",
        "{\"id\":\"x\",\"patient\":\"P1\",\"effect\":\"permit\",\"issued\":\"2020-01-01T00:00:00Z\"}",
    );
    assert_eq!(
        consent(&shell, &["import", "late.ndjson"]).done().out,
        "1 imported, 0 unchanged, 0 refused\n"
    );
    assert_eq!(decide(&shell, "P1", "labs")["reason"], "revoked");
}

#[test]
fn a_bad_line_of_an_import_stops_no_other_and_is_not_repeated() {
    let shell = Shell::new();
    let mut lines = String::new();
    for n in 0..1_200 {
        lines += &format!("{{\"id\":\"p\",\"patient\":\"Q{n}\",\"effect\":\"permit\"}}\n");
    }
    lines += "{\"id\":\"p\",\"patient\":\"SECRET\",\"effect\":\"permit\",\"purpose\":[\"x\"]}\n\nSECRET\n";
    let file = shell.write("p.ndjson", lines);
    let first = consent(&shell, &["import", "p.ndjson", "--json"]).done();
    let faults = json!([
        { "line": 1201, "reason": "the provision has a field that is not known" },
        { "line": 1203, "reason": "not one JSON object, at byte 1" },
    ]);
    assert_eq!(first.json(), json!({ "imported": 1200, "unchanged": 0, "refused": 2, "faults": faults }));
    assert!(first.err.contains("p.ndjson:1201: ") && !first.err.contains("SECRET"), "{}", first.err);

    let mut again = shell.command(&["consent", "import", "-", "--json", "--database", "sqlite://d.db"]);
    again.stdin(std::fs::File::open(file).expect("opens"));
    let again = Outcome::of(&mut again).done().json();
    assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(1200)));
    assert_eq!(consent(&shell, &["verify", "--json"]).done().json()["events"], 1200);

    consent(&shell, &["import", "absent.ndjson"]).refused(1, &["opening absent.ndjson failed\n  because: "]);
}

#[test]
fn the_history_of_a_patient_is_told_oldest_first() {
    let shell = Shell::new();
    grant(&shell, &["--provision", "esc\u{1b}[31m", "--purpose", "research", "--end", "2099"]);
    decide(&shell, "P1", "labs");
    consent(&shell, &["revoke", "--patient", "P1"]).done();
    let told = consent(&shell, &["history", "--patient", "P1"]).done().out;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[0].contains("esc\\u{1b}[31m permits anything for research to anybody until 2100-"),
        "{told}"
    );
    assert!(
        lines[1].contains("decision  org:uni asked for labs for research: permit: permitted, by"),
        "{told}"
    );
    assert!(lines[2].ends_with("revoke    everything"), "{told}");
    let last = consent(&shell, &["history", "--patient", "P1", "--limit", "1", "--json"]).done().json();
    assert_eq!((&last["events"][0]["seq"], &last["events"][1]), (&json!(3), &Value::Null));
    assert_eq!(last["events"][0]["change"]["kind"], "revoke");
    let nobody = consent(&shell, &["history", "--patient", "P2"]).done().out;
    assert_eq!(nobody, "nothing is recorded about this patient\n");
}

#[test]
fn verify_names_the_event_that_was_changed_behind_its_back() {
    let shell = Shell::new();
    for provision in ["a", "b", "c"] {
        grant(&shell, &["--provision", provision]);
    }
    let intact = consent(&shell, &["verify"]).done().out;
    assert!(intact.starts_with("intact: 3 events, head "), "{intact}");
    let head = consent(&shell, &["verify", "--json"]).done().json()["head"].clone();
    assert!(intact.contains(head.as_str().expect("a text")), "{intact} {head}");

    sqlite(&shell, "UPDATE consent_events SET body = body WHERE seq = 2", false);
    sqlite(
        &shell,
        "DROP TRIGGER consent_events_no_update;
         UPDATE consent_events SET body = replace(body, 'nurse', 'nobody') WHERE seq = 2",
        true,
    );
    let human = consent(&shell, &["verify"]);
    human.refused(1, &["error: the consent ledger is broken at event 2: content does not match its hash"]);
    let broken = consent(&shell, &["verify", "--json"]);
    assert_eq!(broken.status, 1);
    let fault = "content does not match its hash";
    assert_eq!(broken.json(), json!({ "intact": false, "seq": 2, "fault": fault }));

    sqlite(&shell, "DROP TRIGGER consent_events_no_delete; DELETE FROM consent_events WHERE seq = 1", true);
    consent(&shell, &["verify"]).refused(1, &["broken at event 1: missing"]);
}

#[test]
fn a_ledger_that_is_gone_is_not_called_intact() {
    let shell = Shell::new();
    for command in [&["verify"][..], &["history", "--patient", "P1"]] {
        consent(&shell, command).refused(1, &["there is no consent ledger to work on", "d.consent.db"]);
    }
    assert!(!shell.path().join("d.consent.db").exists());
    shell.write("d.consent.db", "this is a letter and not a database, whatever its name may say");
    consent(&shell, &["revoke", "--patient", "P1"]).refused(1, &["cannot open sqlite://d.consent.db"]);
}

/// Works on the file as somebody would who does not use `statim`.
fn sqlite(shell: &Shell, sql: &'static str, allowed: bool) {
    let path = shell.path().join("d.consent.db");
    let work = async {
        let mut connection =
            SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("opens");
        let done = connection.execute(sql).await;
        assert_eq!(done.is_ok(), allowed, "{done:?}");
        connection.close().await.expect("closes");
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(work);
}
