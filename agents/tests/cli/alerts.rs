//! `statim alerts`: rules checked, tested and listed.

use std::path::{Path, PathBuf};

use crate::shell::{Outcome, Shell};

const BAD: &str = "\
[[sink]]
name = \"oncall\"
kind = \"pagerduty\"
secret_env = \"STATIM_TEST_KEY\"
[[rule]]
name = \"Memory\"
metric = \"statim_memory_used_ratio\"
aggregate = \"mean\"
threshold = \"2s\"
clear = 0.9
for = \"1s\"
";

const RIGHT: &str = "\
[[sink]]
name = \"oncall\"
kind = \"pagerduty\"
secret_env = \"STATIM_TEST_KEY\"
[[rule]]
name = \"Memory\"
metric = \"statim_memory_used_ratio\"
aggregate = \"mean\"
threshold = \"85%\"
for = \"1m\"
";

const CASES: &str = "\
[[case]]
name = \"full\"
[[case.series]]
series = \"statim_memory_used_ratio\"
values = \"0.9x8\"
[[case.expect]]
at = \"59s\"
rule = \"Memory\"
state = \"pending\"
[[case.expect]]
at = \"1m\"
rule = \"Memory\"
state = \"STATE\"
";

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name).canonicalize().expect("exists")
}

#[test]
fn check_says_every_fault_at_once_with_line_and_field_and_ends_with_2() {
    let shell = Shell::new();
    shell.write("a.toml", BAD);
    let outcome = shell.statim(&["alerts", "check", "a.toml"]);
    outcome.refused(
        2,
        &[
            "has 2 faults\n",
            "\n  a.toml:9:13: rule.Memory.threshold: is a share: give a number such as 0.85",
            "\n  a.toml:11:7: rule.Memory.for: is shorter than the evaluation interval, 15s",
        ],
    );
    let outcome = shell.statim(&["alerts", "check", "a.toml", "--json"]);
    assert_eq!(outcome.status, 2);
    let json = outcome.json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["faults"][0]["line"], 9);
    assert_eq!(json["faults"][1]["field"], "rule.Memory.for");
    shell.statim(&["alerts", "check", "absent.toml"]).refused(2, &["absent.toml: cannot be read"]);
}

#[test]
fn check_says_when_a_secret_is_missing_and_prints_none() {
    let shell = Shell::new();
    shell.write("a.toml", RIGHT);
    let check = ["alerts", "check", "a.toml"];
    shell.statim(&check).refused(
        2,
        &["a.toml:4:14: sink.oncall.secret_env: the environment variable STATIM_TEST_KEY is not set, or empty"],
    );
    let outcome = Outcome::of(shell.command(&check).env("STATIM_TEST_KEY", "hunter2"));
    assert!(!format!("{outcome:?}").contains("hunter2"));
    outcome.refused(
        2,
        &["a.toml:4:14: sink.oncall.secret_env: the key is not a routing key of the Events API v2"],
    );
    let key = "R0123456789abcdefghijKLMNOPQRST5";
    let outcome = Outcome::of(shell.command(&check).env("STATIM_TEST_KEY", key)).done();
    assert_eq!(outcome.out, "a.toml is right: 1 rules, 1 sinks, 0 silences\n");
    assert!(!format!("{outcome:?}").contains(key));
}

#[test]
fn a_case_that_holds_ends_with_0_and_one_that_does_not_with_1_and_what_differs() {
    let shell = Shell::new();
    shell.write("a.toml", RIGHT);
    shell.write("good.toml", CASES.replace("STATE", "firing"));
    shell.write("bad.toml", CASES.replace("STATE", "resolved"));
    let outcome = shell.statim(&["alerts", "test", "a.toml", "good.toml"]).done();
    assert_eq!(outcome.out, "ok      good.toml:2: full\n1 passed, 0 failed\n");
    let outcome = shell.statim(&["alerts", "test", "a.toml", "bad.toml"]);
    assert_eq!(outcome.status, 1);
    assert_eq!(
        outcome.out,
        "FAILED  bad.toml:2: full\n  line 11: at 1m Memory should be resolved\n    {alertname=\"Memory\", \
         severity=\"warning\"} is firing\n      found 90 %; fires at >= 85 % (mean of statim_memory_used_ratio over \
         60s)\n0 passed, 1 failed\n"
    );
    let outcome = shell.statim(&["alerts", "test", "a.toml", "bad.toml", "--json"]);
    let json = outcome.json();
    assert_eq!((outcome.status, &json["failed"], &json["cases"][0]["passed"]), (1, &1.into(), &false.into()));
    shell.statim(&["alerts", "test", "a.toml", "a.toml"]).refused(2, &["case: is missing"]);
}

#[test]
fn the_shipped_rules_are_right_and_their_cases_hold() {
    let shell = Shell::new();
    let (rules, cases) = (config("alerts.toml"), config("alerts.test.toml"));
    let (rules, cases) = (rules.to_str().expect("UTF-8"), cases.to_str().expect("UTF-8"));
    shell.statim(&["alerts", "check", rules]).done();
    let json = shell.statim(&["alerts", "test", rules, cases, "--json"]).done().json();
    assert!(json["passed"].as_u64() >= Some(10) && json["failed"] == 0, "{json}");
}

#[test]
fn list_shows_the_built_in_rules_or_those_of_a_file() {
    let shell = Shell::new();
    let json = shell.statim(&["alerts", "list", "--json"]).done().json();
    let rules = json["rules"].as_array().expect("a list");
    let found = rules.iter().find(|it| it["name"] == "ResponseTimeHigh").expect("is built in");
    assert_eq!((&found["threshold"], &found["for"]), (&2.0.into(), &300.0.into()));
    assert_eq!(found["actions"][1]["kind"], "scale_up");
    let out = shell.statim(&["alerts", "list"]).done().out;
    assert!(
        out.contains("p99 of statim_agent_response_seconds{priority!=low} over 60s >= 2 s for 300s"),
        "{out}"
    );
    shell.write("a.toml", RIGHT);
    let out = shell.statim(&["alerts", "list", "a.toml"]).done().out;
    assert!(out.starts_with("1 rules of a.toml") && out.contains("notify everyone"), "{out}");
}

#[test]
fn what_is_open_is_read_from_the_database_and_requests_are_left_there() {
    let shell = Shell::new();
    let list = ["alerts", "list", "--database", "sqlite://a.db"];
    let out = shell.statim(&list).done().out;
    assert_eq!(out, "no rules were ever evaluated with this database\n");
    let json = shell.statim(&["alerts", "list", "--database", "sqlite://a.db", "--json"]).done().json();
    assert_eq!((json["at"].is_null(), json["open"].as_array().map(Vec::len)), (true, Some(0)));
    let by = ["--by", "ann", "--database", "sqlite://a.db"];
    shell.statim(&[&["alerts", "acknowledge", "statim-1"], &by[..]].concat()).done();
    let silence = ["alerts", "silence", "s", "--where", "agent=consent", "--for", "2h"];
    let json = shell.statim(&[&silence[..], &by, &["--json"]].concat()).done().json();
    assert_eq!(json["name"], "s");
    shell.statim(&["alerts", "lift", "s", "--database", "sqlite://a.db"]).done();
    for wrong in [
        &["alerts", "silence", "s", "--for", "2h", "--by", "ann"][..],
        &["alerts", "silence", "s", "--where", "agent", "--for", "2h", "--by", "ann"],
        &["alerts", "silence", "s", "--where", "a=b", "--for", "soon", "--by", "ann"],
        &["alerts", "acknowledge", "statim-1"],
        &["alerts", "list", "a.toml", "--database", "sqlite://a.db"],
        &["alerts", "list", "--database", "mysql://x"],
    ] {
        assert_eq!(shell.statim(wrong).status, 2, "{wrong:?}");
    }
}
