//! Guards on the links of a deployment: nothing is lost by them, and what they did is told.

use serde_json::Value;

use crate::place::{Place, agent, assert_adds_up, number, shared};

const GUARDS: &str = r#"
[links."ingestion -> deduplication"]
preset = "resilience4j"
rate_limit = { permits = 400, burst = 20, max_wait_seconds = 0 }
bulkhead = { max_concurrent = 8 }

[links."replay -> consent"]
preset = "health_sync"
timeout_seconds = 30

[links."drill -> consent"]
rate_limit = { permits = 1, per_seconds = 3600, max_wait_seconds = 0 }
breaker = { preset = "health_sync" }

[admission.consent]
high_target_seconds = 10
"#;

fn link<'a>(run: &'a Value, name: &str) -> &'a Value {
    let links = run["links"].as_array().expect("a list");
    links.iter().find(|link| link["name"] == name).unwrap_or_else(|| panic!("{name} is missing in {run}"))
}

fn ended(link: &Value) -> u64 {
    link["ended"].as_object().expect("counts").values().filter_map(Value::as_u64).sum()
}

#[test]
fn guarded_links_hold_records_back_and_lose_none_and_never_refuse_a_revocation() {
    let _machine = shared();
    let place = Place::new();
    let config = place.config("guarded", &["every_ms = 5"]);
    let text = std::fs::read_to_string(&config).expect("reads") + GUARDS;
    let config = place.write("guarded.toml", &text);
    let config = config.to_str().expect("text");
    let run = place.done(&["run", "--until-idle", "--json", "--config", config]).json(0);

    let ingest = &run["ingest"];
    assert_eq!((number(ingest, "records"), number(ingest, "not_stored")), (510, 0));
    assert_adds_up(ingest);
    let records = link(&run, "ingestion -> deduplication");
    let refused = number(&records["ended"], "rate_limited");
    assert!(refused > 10, "400 records a second were let pass: {records}");
    // Every record that passed was handled; the last message of the job is not a record's.
    let handled = number(agent(&run, "deduplication"), "handled");
    assert_eq!(number(&records["ended"], "passed"), handled - 1, "{records}");
    assert_eq!(ended(records), number(records, "offered"));
    assert_eq!(number(&records["outcomes"], "success"), handled - 1, "{records}");
    assert_eq!(records["guards"]["breaker"]["state"], "closed");

    let decisions = &run["decisions"];
    assert_eq!((number(decisions, "permitted"), number(decisions, "denied")), (49, 38));
    assert_eq!(number(decisions, "unanswered"), 0);
    assert_eq!(
        ended(link(&run, "replay -> consent")),
        number(&link(&run, "replay -> consent")["ended"], "passed")
    );

    let drill = link(&run, "drill -> consent");
    let sent = number(drill, "offered");
    assert!(sent > 20, "{drill}");
    assert_eq!((number(drill, "exempt"), number(&drill["ended"], "passed")), (sent, sent), "{drill}");
    assert!(agent(&run, "consent")["admission"]["admitted"]["critical"].as_u64() >= Some(sent));
}

#[test]
fn links_without_guards_are_counted_too() {
    let _machine = shared();
    let place = Place::new();
    let config = place.config("plain", &[]);
    let run =
        place.done(&["run", "--until-idle", "--json", "--config", config.to_str().expect("text")]).json(0);
    let names: Vec<_> = run["links"].as_array().expect("a list").iter().map(|link| &link["name"]).collect();
    assert_eq!(
        names,
        [
            "drill -> consent",
            "ingestion -> deduplication",
            "monitor -> alerting",
            "replay -> consent",
            "requeue -> consent"
        ]
    );
    let records = link(&run, "ingestion -> deduplication");
    assert_eq!(number(&records["ended"], "passed"), number(agent(&run, "deduplication"), "handled") - 1);
    assert_eq!(records["guards"]["breaker"], Value::Null);
}

#[test]
fn check_names_the_guards_and_every_fault_in_them() {
    let place = Place::new();
    let config = place.write("right.toml", &("[ingestion]\nsources = []\n".to_owned() + GUARDS));
    let checked = place.done(&["check", "--config", config.to_str().expect("text")]);
    assert_eq!(checked.status, Some(0), "{checked:#?}");
    for line in [
        "  link       ingestion -> deduplication: circuit breaker, rate limit, bulkhead, timeout, retry\n",
        "  link       replay -> consent: circuit breaker, timeout\n",
        "  admission  consent\n",
    ] {
        assert!(checked.out.contains(line), "{line} in {checked:#?}");
    }
    let wrong = "[links.\"monitor -> alarting\"]\n[links.\"replay -> consent\"]\nbreaker = { probs = 1, probes = 0 }\n";
    let config = place.write("wrong.toml", wrong);
    let checked = place.done(&["check", "--config", config.to_str().expect("text")]);
    assert_eq!(checked.status, Some(2), "{checked:#?}");
    for fault in [
        "has 3 faults",
        ":1:8: links.\"monitor -> alarting\": is not known; did you mean monitor -> alerting?",
        ":3:13: links.\"replay -> consent\".breaker.probs: is not known; did you mean probes?",
        ":3:33: links.\"replay -> consent\".breaker.probes: give a number from 1 to 10000",
    ] {
        assert!(checked.err.contains(fault), "{fault} in {checked:#?}");
    }
}
