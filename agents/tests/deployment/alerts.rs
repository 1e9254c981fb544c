//! Alerting in a run of the binary: rules from a file, changed while it runs; what fires, seen and acknowledged from outside.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Outcome, Place, shared, signal};

const RULES: &str = "\
[evaluation]
interval = \"1s\"
[grouping]
wait = \"0s\"
interval = \"1s\"
[[rule]]
name = \"MemoryInUse\"
metric = \"process_resident_memory_bytes\"
aggregate = \"last\"
threshold = \"1KiB\"
severity = \"error\"
";

fn list(place: &Place, url: &str) -> Value {
    place.done(&["alerts", "list", "--database", url, "--json"]).json(0)
}

fn until(place: &Place, url: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let listed = list(place, url);
        if holds(&listed) {
            return listed;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{what}: {listed}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn open<'l>(listed: &'l Value, rule: &str) -> Option<&'l Value> {
    listed["open"].as_array().expect("a list").iter().find(|it| it["rule"] == rule)
}

#[test]
fn a_run_evaluates_the_rules_of_a_file_and_takes_up_changes_and_requests() {
    let _machine = shared();
    let place = Place::new();
    let rules = place.write("rules.toml", RULES);
    let named = format!("rules = {:?}", rules.display().to_string());
    let config =
        place.config("alerts", &[&named, "sources = []", "replay = \"data/sample/consents.ndjson\""]);
    let config = config.to_str().expect("text");
    let url = place.url("alerts.db");
    let checked = place.done(&["check", "--config", config]);
    assert_eq!(checked.status, Some(0), "{checked:#?}");
    assert!(checked.out.contains("1 rules of") && checked.out.contains("log: log"), "{}", checked.out);

    let child = place.statim(&["run", "--json", "--config", config]).spawn().expect("runs");
    let listed = until(&place, &url, "it fires", |it| {
        open(it, "MemoryInUse").is_some_and(|it| it["firing"] == true && it["told"][0] == "log")
    });
    let key = open(&listed, "MemoryInUse").expect("fires")["key"].as_str().expect("a key").to_owned();
    let asked = place.done(&["alerts", "acknowledge", &key, "--by", "ann", "--database", &url]);
    assert_eq!(asked.status, Some(0), "{asked:#?}");
    until(&place, &url, "it is acknowledged", |it| {
        open(it, "MemoryInUse").is_some_and(|it| it["acknowledged_by"] == "ann")
    });
    let silence = ["alerts", "silence", "quiet", "--where", "alertname=Other*", "--for", "1h", "--by", "ann"];
    let asked = place.done(&[&silence[..], &["--database", &url]].concat());
    assert_eq!(asked.status, Some(0), "{asked:#?}");

    // A wrong file changes nothing; a right one is taken up, at once when asked.
    place.write("rules.toml", &RULES.replace("1KiB", "1 parsec"));
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(open(&list(&place, &url), "MemoryInUse").is_some());
    place.write("rules.toml", &RULES.replace("MemoryInUse", "OtherMemoryInUse"));
    signal(&child, "HUP");
    let listed = until(&place, &url, "the new rule fires", |it| open(it, "OtherMemoryInUse").is_some());
    assert!(open(&listed, "MemoryInUse").is_none(), "{listed}");
    assert_eq!(open(&listed, "OtherMemoryInUse").expect("fires")["silenced_by"], "quiet");
    let text = place.done(&["alerts", "list", "--database", &url]).out;
    assert!(text.contains("firing   error") && text.contains("silenced by quiet"), "{text}");

    signal(&child, "TERM");
    let outcome = Outcome::of(child);
    outcome.json(0);
    assert!(outcome.err.contains("is a size") || outcome.err.contains("1 parsec"), "{}", outcome.err);
    assert!(outcome.err.contains("in the rule file"), "{}", outcome.err);
}

#[test]
fn a_run_with_a_wrong_rule_file_or_without_a_secret_does_not_start() {
    let _machine = shared();
    let place = Place::new();
    let rules = place.write("rules.toml", &RULES.replace("severity", "severty"));
    let named = format!("rules = {:?}", rules.display().to_string());
    let config = place.config("wrong", &[&named]);
    let config = config.to_str().expect("text");
    for command in [&["check", "--config", config][..], &["run", "--until-idle", "--config", config]] {
        let outcome = place.done(command);
        assert_eq!(outcome.status, Some(2), "{outcome:#?}");
        assert!(outcome.err.contains("rule.MemoryInUse.severty: is not known"), "{}", outcome.err);
    }
    let pager =
        "[[sink]]\nname = \"pager\"\nkind = \"pagerduty\"\nsecret_env = \"STATIM_TEST_NO_SUCH_SECRET\"\n";
    place.write("rules.toml", &format!("{pager}{RULES}"));
    for command in [&["check", "--config", config][..], &["run", "--until-idle", "--config", config]] {
        let outcome = place.done(command);
        assert_eq!(outcome.status, Some(2), "{outcome:#?}");
        assert!(outcome.err.contains("STATIM_TEST_NO_SUCH_SECRET is not set"), "{}", outcome.err);
    }
}
