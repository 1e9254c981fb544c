//! What a rule file says, and what is said about a bad one.

use std::time::Duration;

use proptest::prelude::*;
use statim::alert::{Action, Aggregate, Comparison, Condition, Flap, Matcher, NoData, Severity};
use statim::telemetry::names;

use super::*;

fn faults(text: &str) -> Vec<String> {
    let faults = AlertsConfig::parse(text, "a.toml").expect_err("is wrong");
    faults.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn an_empty_file_has_no_rules_and_a_log() {
    let config = AlertsConfig::parse("", "a.toml").unwrap();
    assert_eq!((config.rules.len(), config.evaluation), (0, EngineOptions::default()));
    assert_eq!((config.sinks[0].kind, config.dispatch.sinks), (SinkKind::Log, vec!["log".to_owned()]));
}

#[test]
fn the_built_in_rules_are_those_of_the_guide_and_more() {
    let config = AlertsConfig::built_in().unwrap();
    config.check_secrets().unwrap();
    let rule = |name: &str| config.rules.iter().find(|it| it.name == name).unwrap();
    let minutes = Duration::from_mins;
    for (name, metric, bound, hold, action) in [
        ("ResponseTimeHigh", names::AGENT_RESPONSE, 2.0, 5, "scale_up"),
        ("ErrorRateHigh", names::AGENT_FAILED, 0.05, 1, "investigate"),
        ("MemoryHigh", names::MEMORY_USED, 0.85, 3, "restart_agents"),
    ] {
        let rule = rule(name);
        let threshold = rule.threshold().unwrap();
        assert_eq!((threshold.metric.as_str(), threshold.bound, rule.hold), (metric, bound, minutes(hold)));
        let actions: Vec<_> = rule.actions.iter().map(Action::as_str).collect();
        assert_eq!(actions, ["notify", action]);
        assert!(threshold.clear < bound, "{name} has a clear threshold of its own");
    }
    assert_eq!(rule("Watchdog").condition, Condition::Always);
    for rule in &config.rules {
        assert!(rule.annotations.iter().any(|(name, _)| name == "summary"), "{}", rule.name);
        let known = rule.threshold().is_none_or(|it| names::find(&it.metric).is_some());
        assert!(known, "{}", rule.name);
    }
}

#[test]
fn every_field_can_be_set() {
    let config = AlertsConfig::parse(
        r#"
        custom_metrics = ["ward_beds_used_ratio", "ward_beds_bytes"]
        [evaluation]
        interval = "10s"
        resend = "30s"
        resend_resolved_for = "5m"
        label_sets = 50
        namespace = "ward-3"
        [grouping]
        by = "agent"
        wait = "0s"
        interval = "2m"
        [[sink]]
        name = "desk"
        kind = "webhook"
        url = "https://desk.example.org/hook"
        secret_env = "DESK"
        [[sink]]
        name = "am"
        kind = "alertmanager"
        url = ["http://127.0.0.1:9093", "http://127.0.0.1:9094"]
        [[escalation]]
        after = "15m"
        sinks = ["am"]
        severity = "error"
        [[silence]]
        name = "upgrade"
        starts = 2026-11-22T10:00:00+01:00
        ends = "2026-11-22T10:00:00Z"
        by = "ann"
        comment = "because"
        where = { alertname = ["A", "B*"] }
        where_not = { agent = "x" }
        [[rule]]
        name = "Beds"
        metric = "ward_beds_used_ratio"
        where = { ward = "3" }
        per = "ward_beds_bytes"
        per_at_least = 7
        window = "2m"
        aggregate = "p90"
        comparison = "<"
        threshold = "20%"
        clear = 0.3
        for = "1m30s"
        keep_firing_for = "1m"
        minimum_samples = 4
        no_data = "firing"
        flap_fires = 5
        flap_within = "2h"
        flap_hold = "20m"
        repeat = "1h"
        severity = "critical"
        labels = { team = "x" }
        summary = "{value} in {label.ward}"
        annotations = { runbook_url = "https://example.org" }
        notify = ["desk"]
        scale_up = { agent = "a", step = 2, maximum = 4, cooldown = "1m" }
        restart_agents = { agent = "b", at_most = 1, within = "2h" }
        investigate = { most_bytes = "1MiB", cooldown = "1h" }
        "#,
        "a.toml",
    )
    .unwrap();
    let seconds = Duration::from_secs;
    let EngineOptions { namespace, interval, resend, resend_resolved_for, label_sets } = config.evaluation;
    assert_eq!((namespace.as_str(), interval, resend), ("ward-3", seconds(10), seconds(30)));
    assert_eq!((resend_resolved_for, label_sets), (seconds(300), 50));
    let DispatchOptions { sinks, group_by, wait, interval, escalation } = config.dispatch;
    assert_eq!((sinks, group_by), (vec!["desk".to_owned(), "am".to_owned()], vec!["agent".to_owned()]));
    assert_eq!((wait, interval), (Duration::ZERO, seconds(120)));
    let step = EscalationStep { after: seconds(900), sinks: vec!["am".to_owned()], least: Severity::Error };
    assert_eq!(escalation, [step]);
    assert_eq!(config.sinks[1].addresses.len(), 2);
    let silence = &config.silences[0];
    assert_eq!(silence.ends.since(silence.starts), seconds(3_600));
    assert_eq!(
        silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["alertname=A|B*", "agent!=x"]
    );
    let rule = &config.rules[0];
    let threshold = rule.threshold().unwrap();
    assert_eq!(threshold.matchers, [Matcher::is("ward", "3")]);
    assert_eq!(
        threshold.per.as_ref().map(|it| (it.metric.as_str(), it.at_least)),
        Some(("ward_beds_bytes", 7.0))
    );
    assert_eq!((threshold.window, threshold.aggregate), (seconds(120), Aggregate::P90));
    assert_eq!((threshold.comparison, threshold.bound, threshold.clear), (Comparison::Below, 0.2, 0.3));
    assert_eq!((threshold.minimum_samples, rule.no_data), (4, NoData::Firing));
    assert_eq!((rule.hold, rule.keep_firing_for, rule.repeat), (seconds(90), seconds(60), seconds(3_600)));
    assert_eq!(rule.flap, Flap { fires: 5, within: seconds(7_200), hold: seconds(1_200) });
    assert_eq!(
        (rule.severity, rule.labels.get("team"), rule.annotations.len()),
        (Severity::Critical, "x", 2)
    );
    let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
    let actions = [
        Action::Notify { sinks: vec!["desk".to_owned()] },
        Action::ScaleUp { agent: a, step: 2, maximum: 4, cooldown: seconds(60) },
        Action::RestartAgents { agent: b, at_most: 1, within: seconds(7_200) },
        Action::Investigate { most_bytes: 1 << 20, cooldown: seconds(3_600) },
    ];
    assert_eq!(rule.actions, actions);
}

#[test]
fn every_fault_is_said_at_once_with_line_and_field() {
    let said = faults(
        r#"[evaluation]
interval = "30s"
[[rule]]
name = "Memory"
metric = "statim_memory_usd_ratio"
aggregate = "mean"
threshold = "85 MiB"
clear = "90%"
for = "5s"
[[rule]]
name = "Memory"
metric = "statim_memory_used_ratio"
aggregate = "p98"
window = 60
threshold = 0.8
clear = 0.9
treshold = 3
severity = "warnign"
notify = ["dsek", "log"]
summary = "{value} {label.agent}"
[[rule]]
metric = "own_metric"
scale_up = { step = 0, by = 2 }
where = { "a b" = "x" }
"#,
    );
    assert_eq!(
        said,
        [
            "a.toml:5:10: rule.Memory.metric: is not a metric that is known; did you mean statim_memory_used_ratio?",
            "a.toml:7:13: rule.Memory.threshold: is a share: give a number such as 0.85, or a text such as \"85%\", not \"85 MiB\"",
            "a.toml:9:7: rule.Memory.for: is shorter than the evaluation interval, 30s; give 0s or at least that",
            "a.toml:11:8: rule.Memory.name: \"Memory\" is the name of an earlier rule too; names are unique",
            "a.toml:13:13: rule.Memory.aggregate: \"p98\" is not known; did you mean p90?",
            "a.toml:14:10: rule.Memory.window: is a whole number; give a duration such as \"30s\", \"5m\" or \"1h30m\"",
            "a.toml:16:9: rule.Memory.clear: 90 % is above the threshold, 80 %, so that it would be good and bad at once (>=)",
            "a.toml:17:1: rule.Memory.treshold: is not known; did you mean threshold?",
            "a.toml:18:12: rule.Memory.severity: \"warnign\" is not known; did you mean warning?",
            "a.toml:19:11: rule.Memory.notify: \"dsek\" is no sink that is known; the sinks are log",
            "a.toml:20:11: rule.Memory.summary: names the label agent, which statim_memory_used_ratio does not have; it has none",
            "a.toml:21:1: rule[2].name: is missing; give it a name, such as \"MemoryHigh\"",
            "a.toml:21:1: rule[2].aggregate: is missing; say what is made of the samples, such as \"p99\", \"mean\" or \"increase\"",
            "a.toml:22:10: rule[2].metric: is not a metric that is known; if it is your own, name it in custom_metrics",
            "a.toml:23:12: rule[2].scale_up.step: 0 is out of range; give 1 to 64",
            "a.toml:23:24: rule[2].scale_up.by: is not known; rule[2].scale_up has agent, step, maximum, cooldown",
            "a.toml:24:9: rule[2].where.a b: is not the name of a label",
        ]
    );
}

#[test]
fn faults_of_sinks_silences_and_escalation_are_said() {
    let said = faults(
        r#"watchdog = true
[[sink]]
name = "a"
kind = "slak"
[[sink]]
name = "a"
kind = "slack"
url = "https://hooks.example.org/hunter2"
[[sink]]
name = "c"
kind = "pagerduty"
secret = "hunter2"
[[sink]]
name = "d"
kind = "webhook"
url = "https://ann:hunter2@example.org/"
secret_env = "hunter 2"
[[escalation]]
sinks = ["a"]
after = "0s"
[[silence]]
name = "s"
starts = 2026-01-02
ends = 2026-01-01T00:00:00Z
"#,
    );
    assert_eq!(
        said,
        [
            "a.toml:1:1: watchdog: is not known; there are custom_metrics, evaluation, sink, grouping, escalation, silence, rule",
            "a.toml:4:8: sink.a.kind: \"slak\" is not known; did you mean slack?",
            "a.toml:6:8: sink[1].name: is the name of an earlier sink too; names are unique",
            "a.toml:8:7: sink.a.url: is a secret, since whoever knows it can send; name the environment variable (url_env) or file (url_file) that holds it",
            "a.toml:9:1: sink.c.secret_env: is missing; name the environment variable (secret_env) or file (secret_file) that holds the key",
            "a.toml:12:1: sink.c.secret: is not known; sink.c has name, kind, url, url_env, url_file, secret_env, secret_file",
            "a.toml:16:7: sink.d.url: holds a user or password; name the variable (url_env) or file (url_file) that holds it",
            "a.toml:17:14: sink.d.secret_env: is not the name of an environment variable: letters, digits and _",
            "a.toml:20:9: escalation[0].after: 0ns is out of range; give 1s to 604800s",
            "a.toml:21:1: silence.s.where: is missing; say which alerts, such as { alertname = \"MemoryHigh\" }",
            "a.toml:23:10: silence.s.starts: \"2026-01-02\" is not a time; give one with its offset, such as 2026-11-22T10:00:00Z",
        ]
    );
    assert!(!said.join("\n").contains("hunter"), "{said:#?}");
}

#[test]
fn a_secret_that_is_not_there_is_a_fault_and_one_that_is_there_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (full, empty) = (folder.path().join("full"), folder.path().join("empty"));
    std::fs::write(&full, "hunter2\n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let sink =
        |name: &str, line: &str| format!("[[sink]]\nname = \"{name}\"\nkind = \"pagerduty\"\n{line}\n");
    let text = [
        sink("a", "secret_env = \"STATIM_TEST_NO_SUCH_SECRET\""),
        sink("b", &format!("secret_file = \"{}\"", empty.display())),
        sink("c", &format!("secret_file = \"{}/absent\"", folder.path().display())),
        sink("d", &format!("secret_file = \"{}\"", full.display())),
        // Every process has one, and its value must not be seen.
        sink("e", "secret_env = \"PATH\""),
    ]
    .concat();
    let config = AlertsConfig::parse(&text, "a.toml").unwrap();
    let said = config.check_secrets().unwrap_err();
    let places: Vec<_> =
        said.faults().iter().map(|it| (it.position.unwrap().line, it.field.as_deref())).collect();
    assert_eq!(
        places,
        [(4, Some("sink.a.secret_env")), (8, Some("sink.b.secret_file")), (12, Some("sink.c.secret_file"))]
    );
    assert!(said.to_string().contains("STATIM_TEST_NO_SUCH_SECRET is not set"), "{said}");
    assert_eq!(config.sinks[3].secret.as_ref().unwrap().load().unwrap(), "hunter2");
    let path = std::env::var("PATH").unwrap();
    assert!(
        !format!("{said} {said:?} {config:?}").contains(&path) && !format!("{config:?}").contains("hunter2")
    );
}

#[test]
fn faults_of_cases_are_said_with_line_and_field() {
    let faults = CasesFile::parse(
        "[[case]]\nname = \"x\"\n[[case.series]]\nseries = \"up{\"\nvalues = \"1y\"\n[[case.expect]]\nat = 5\nstate = \"on\"\n",
        "c.toml",
    )
    .unwrap_err();
    let said: Vec<String> = faults.to_string().lines().skip(1).map(|it| it.trim().to_owned()).collect();
    assert_eq!(
        said,
        [
            "c.toml:4:10: case[0].series[0].series: is not a series, such as statim_mailbox_used_ratio{agent=\"consent\"}",
            "c.toml:5:10: case[0].series[0].values: \"1y\" is none of 5, 5x3, 0+10x5, 9-1x4, _, _x3, and with measured values 0.2#100x4",
            "c.toml:6:1: case[0].expect[0].rule: is missing; name a rule",
            "c.toml:7:6: case[0].expect[0].at: is a whole number; give a duration such as \"30s\", \"5m\" or \"1h30m\"",
            "c.toml:8:9: case[0].expect[0].state: \"on\" is not known; the choices are inactive, pending, firing, resolved",
        ]
    );
    let many = "[[case.series]]\nseries = 'up'\nvalues = '0x99999'\n".repeat(30);
    let faults = CasesFile::parse(&format!("[[case]]\nname = 'x'\n{many}"), "c.toml").unwrap_err();
    assert_eq!(faults.faults().len(), 10, "{faults}");
    assert!(CasesFile::parse("", "c.toml").unwrap_err().to_string().contains("case: is missing"));
}

#[test]
fn hostile_files_give_faults_in_bounds() {
    let deep = format!("rule = {}", "[".repeat(100_000));
    let dotted = format!("{}x = 1", "a.".repeat(50_000));
    let many = "[[rule]]\n".repeat(5_000);
    let long = format!("[[rule]]\nname = \"{}\"\nmetric = \"{}\"", "x".repeat(200_000), "y".repeat(200_000));
    for text in [
        deep,
        dotted,
        many,
        long,
        "rule = 5".to_owned(),
        "[rule]\nname = 5".to_owned(),
        "rule = [5]".to_owned(),
    ] {
        let faults = AlertsConfig::parse(&text, "a.toml").expect_err("is wrong");
        assert!((1..=100).contains(&faults.faults().len()));
        let said = faults.to_string();
        assert!(said.len() < 50_000, "{}", &said[..2_000]);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[\\[|\\]\\]|\\[|\\]|=|\"|\n|[0-9.,{}#é]| |rule|sink|case|name|where|threshold|url|watchdog|true|\"5m\"|\"85%\")*") {
        let _ = AlertsConfig::parse(&text, "a.toml");
        let _ = CasesFile::parse(&text, "c.toml");
    }
}
