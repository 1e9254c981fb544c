//! `statim dead-letters`.

use std::time::Duration;

use serde_json::{Value, json};
use statim::delivery::{LetterStore, NewLetter};
use statim::store::Store;

use crate::shell::{Outcome, Shell};

fn letters(shell: &Shell, args: &[&str]) -> Outcome {
    shell.statim(&[&["dead-letters"], args, &["--database", "sqlite://d.db"]].concat())
}

fn listed(shell: &Shell, args: &[&str]) -> Vec<i64> {
    let list = letters(shell, &[&["list", "--json"], args].concat()).done().json();
    list["letters"].as_array().expect("a list").iter().map(|it| it["id"].as_i64().expect("an id")).collect()
}

/// Four letters: two for ingestion (the first long dead), one for consent without a body, one whose body is not text.
fn filled() -> Shell {
    let shell = Shell::new();
    let now = std::time::SystemTime::now();
    let letter = |agent: &str, reason: &str, body: Option<&[u8]>| NewLetter {
        at: now,
        agent: agent.to_owned(),
        kind: "record".to_owned(),
        priority: "low".to_owned(),
        reason: reason.to_owned(),
        attempts: 3,
        age: Duration::from_millis(1500),
        body: body.map(<[u8]>::to_vec),
    };
    let mut old = letter("ingestion", "poisoned", Some(br#"{"name":"SECRET"}"#));
    old.at = now - std::time::Duration::from_secs(48 * 3_600);
    let kept = vec![
        old,
        letter("ingestion", "expired", Some(b"SECRET \x1b[31m")),
        letter("consent\x1b[2J", "poisoned", None),
        letter("ingestion", "poisoned", Some(&[0xff, 0x00])),
    ];
    let url = format!("sqlite://{}/d.db", shell.path().display());
    let work = async {
        let store = Store::open(&url).await.expect("opens");
        LetterStore::open(&store).await.expect("opens").insert(kept).await.expect("keeps");
        store.close().await;
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(work);
    shell
}

#[test]
fn an_empty_database_has_no_dead_letters() {
    let shell = Shell::new();
    assert_eq!(letters(&shell, &["list"]).done().out, "no dead letters\n");
    assert_eq!(letters(&shell, &["list", "--json"]).done().json(), json!({ "letters": [], "more": false }));
    letters(&shell, &["show", "1"]).refused(1, &["there is no dead letter 1"]);
    let requeued = letters(&shell, &["requeue", "1", "--json"]);
    assert_eq!(requeued.status, 1);
    assert_eq!(
        requeued.json(),
        json!({ "requeued": 0, "refused": [{ "id": 1, "reason": "does not exist" }] })
    );
    assert_eq!(letters(&shell, &["requeue", "--all", "--json"]).done().json()["requeued"], 0);
    assert_eq!(letters(&shell, &["purge", "--all", "--json"]).done().json(), json!({ "purged": 0 }));
}

#[test]
fn a_list_is_narrowed_and_never_shows_content() {
    let shell = filled();
    assert_eq!(listed(&shell, &[]), [1, 2, 3, 4]);
    assert_eq!(listed(&shell, &["--reason", "poisoned"]), [1, 3, 4]);
    assert_eq!(listed(&shell, &["--reason", "poisoned", "--agent", "ingestion"]), [1, 4]);
    assert_eq!(listed(&shell, &["--status", "done"]), Vec::<i64>::new());
    let short = letters(&shell, &["list", "--reason", "poisoned", "--limit", "2", "--json"]).done().json();
    assert_eq!((short["letters"].as_array().map(Vec::len), &short["more"]), (Some(2), &json!(true)));
    let whole = letters(&shell, &["list", "--reason", "poisoned", "--limit", "3", "--json"]).done().json();
    assert_eq!(whole["more"], false);
    let human = letters(&shell, &["list"]).done().out;
    assert_eq!(human.lines().count(), 5, "{human}");
    assert!(!human.contains("SECRET") && !human.contains('\u{1b}'), "{human}");
    let machine = letters(&shell, &["list", "--json"]).done().out;
    assert!(!machine.contains("SECRET"), "{machine}");
}

#[test]
fn one_is_shown_with_its_content_in_the_form_it_has() {
    let shell = filled();
    let shown = |id: &str| letters(&shell, &["show", id, "--json"]).done().json();
    let forms: Vec<(Value, Value)> =
        ["1", "2", "3", "4"].map(shown).map(|it| (it["body_form"].clone(), it["body"].clone())).to_vec();
    assert_eq!(forms[0], (json!("json"), json!({ "name": "SECRET" })));
    assert_eq!(forms[1], (json!("text"), json!("SECRET \u{1b}[31m")));
    assert_eq!(forms[2], (json!("none"), Value::Null));
    assert_eq!(forms[3], (json!("hex"), json!("ff00")));
    assert_eq!((&shown("1")["attempts"], &shown("1")["age_ms"]), (&json!(3), &json!(1500)));
    let human = letters(&shell, &["show", "2"]).done().out;
    assert!(human.ends_with("\nSECRET \\u{1b}[31m\n") && human.contains("reason    expired\n"), "{human}");
}

#[test]
fn what_has_content_is_requeued_and_the_rest_is_named() {
    let shell = filled();
    let outcome = letters(&shell, &["requeue", "1", "3", "77"]);
    assert_eq!((outcome.status, outcome.out.lines().count()), (1, 1), "{outcome:#?}");
    assert!(
        outcome.err.contains("3 has no content that could be handed over, 77 does not exist"),
        "{outcome:#?}"
    );
    assert_eq!(listed(&shell, &["--status", "requeued"]), [1]);
    assert_eq!(letters(&shell, &["requeue", "--all", "--json"]).done().json()["requeued"], 2);
    assert_eq!(listed(&shell, &["--status", "requeued"]), [1, 2, 4]);
    assert_eq!(listed(&shell, &["--status", "parked"]), [3]);
}

#[test]
fn purging_takes_the_old_the_named_or_all() {
    let shell = filled();
    let purge = |args: &[&str]| letters(&shell, &[&["purge"], args].concat()).done().out;
    assert_eq!(purge(&["--older-than", "3d"]), "0 purged\n");
    assert_eq!(purge(&["--older-than", "24h"]), "1 purged\n");
    assert_eq!(listed(&shell, &[]), [2, 3, 4]);
    assert_eq!(purge(&["2", "3", "99"]), "2 purged\n");
    assert_eq!(purge(&["--all"]), "1 purged\n");
    assert_eq!(listed(&shell, &[]), Vec::<i64>::new());
}
