//! What comes of cases, and what is said when something else comes of them.

use super::*;
use crate::config::alerts::CasesFile;

const RULES: &str = r#"
custom_metrics = ["depth"]
[evaluation]
interval = "10s"
[[rule]]
name = "Deep"
metric = "depth"
aggregate = "last"
window = "30s"
threshold = 10
for = "20s"
summary = "{value} deep"
"#;

fn failures(cases: &str) -> Vec<String> {
    let config = AlertsConfig::parse(RULES, "r.toml").unwrap();
    let cases = CasesFile::parse(cases, "c.toml").unwrap();
    cases.cases.iter().flat_map(|case| play(&config, case).unwrap().failures).collect()
}

#[test]
fn the_shipped_cases_hold_for_the_shipped_rules() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/");
    let config = AlertsConfig::load(format!("{folder}alerts.toml").as_ref()).unwrap();
    let cases = CasesFile::load(format!("{folder}alerts.test.toml").as_ref()).unwrap();
    let verdicts: Vec<Verdict> = cases.cases.iter().map(|case| play(&config, case).unwrap()).collect();
    for Verdict { name, failures, checks, .. } in &verdicts {
        assert!(failures.is_empty() && *checks > 0, "{name}:\n{}", failures.join("\n"));
    }
    let expected: Vec<&str> =
        cases.cases.iter().flat_map(|case| &case.expectations).map(|it| it.rule.as_str()).collect();
    let told = cases.cases.iter().flat_map(|case| case.notifications.iter().flatten());
    let told: String = told.cloned().collect();
    for rule in &config.rules {
        assert!(expected.contains(&&*rule.name) || told.contains(&rule.name), "{} has no case", rule.name);
    }
}

#[test]
fn a_case_that_holds_has_no_failure() {
    let found = failures(
        r#"
[[case]]
name = "deep"
notifications = ["30s fired to log: Deep{agent=\"a\"} firing", "1m30s resolved to log: Deep{agent=\"a\"} resolved"]
[[case.series]]
series = 'depth{agent="a"}'
values = "12x4 1x6"
[[case.expect]]
at = "29s"
rule = "Deep"
state = "firing"
value = 12
summary = "12 deep"
[[case.expect]]
at = "19s"
rule = "Deep"
state = "pending"
[[case.expect]]
at = "19s"
rule = "Deep"
labels = { agent = "b" }
state = "inactive"
"#,
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_not_as_expected_is_said_with_what_was_found() {
    let found = failures(
        r#"
[[case]]
name = "deep"
notifications = ["30s fired to log: Deep{agent=\"b\"} firing", "1m30s resolved to log: Deep{agent=\"a\"} resolved"]
[[case.series]]
series = 'depth{agent="a"}'
values = "12x4 1x6"
[[case.expect]]
at = "10s"
rule = "Deep"
state = "firing"
value = 13
[[case.expect]]
at = "10s"
rule = "Deep"
labels = { agent = "z" }
state = "pending"
[[case.expect]]
at = "10s"
rule = "Dep"
state = "inactive"
"#,
    );
    assert_eq!(
        found,
        [
            "there is no rule Dep",
            "line 9: at 10s Deep should be firing\n    {agent=\"a\", alertname=\"Deep\", severity=\"warning\"} is \
             pending, has the value 12 and not 13\n      found 12; fires at >= 10 (last of depth within 30s)",
            "line 14: at 10s Deep{agent=\"z\"} should be pending, and is not watched: no series has these labels",
            "the notifications differ (- expected, + sent)\n    - 30s fired to log: Deep{agent=\"b\"} firing\n    \
             + 30s fired to log: Deep{agent=\"a\"} firing\n      1m30s resolved to log: Deep{agent=\"a\"} resolved",
        ]
    );
}

#[test]
fn silences_of_the_file_are_in_force() {
    let silenced = format!(
        "{RULES}\n[[silence]]\nname = \"s\"\nstarts = 2026-01-01T00:00:00Z\nends = 2026-01-01T00:01:00Z\nwhere = {{ alertname = \"De*\" }}\n"
    );
    let config = AlertsConfig::parse(&silenced, "r.toml").unwrap();
    let cases = r#"
[[case]]
name = "deep"
start = "2026-01-01T00:00:00Z"
notifications = ["1m fired to log: Deep firing"]
[[case.series]]
series = 'depth'
values = "12x9"
"#;
    let cases = CasesFile::parse(cases, "c.toml").unwrap();
    assert_eq!(play(&config, &cases.cases[0]).unwrap().failures, [""; 0]);
}
