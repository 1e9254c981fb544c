//! What a scenario file may say.

use std::time::Duration;

use statim::Priority;
use statim::load::{Arrivals, Share, Stage};

use super::LoadConfig;
use crate::load::{kinds, usual_priorities};

fn faults(text: &str) -> Vec<String> {
    let faults = LoadConfig::parse(text, "f.toml", &kinds()).expect_err("has faults");
    faults.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_built_in_scenarios_have_the_guides_figures() {
    let figures = LoadConfig::NAMES.map(|name| {
        let scenario = LoadConfig::built_in(name, &kinds()).expect("is there").expect("is right").scenario;
        scenario.validate().expect("can be run");
        assert_eq!(scenario.name, name);
        let last = scenario.stages.last().expect("a stage");
        let bounds: Vec<_> =
            scenario.thresholds.iter().take(2).map(|it| it.expression().to_owned()).collect();
        (last.users, last.rate, bounds.join(", "), scenario.breaking.map(|it| (it.users, it.start_rate)))
    });
    assert_eq!(
        figures,
        [
            (10, 20.0, "avg < 1s, error_rate < 1%".to_owned(), None),
            (50, 250.0, "avg < 2s, error_rate < 5%".to_owned(), None),
            (100, 1_000.0, "avg < 5s, error_rate < 10%".to_owned(), None),
            (200, 4_000.0, "error_rate{priority=critical} < 1%".to_owned(), Some((200, 4_000.0))),
        ]
    );
    assert!(LoadConfig::built_in("lihgt", &kinds()).is_none());
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let text = r#"
        name = "mine"
        title = "Mine"
        seed = 7
        arrivals = "closed"
        think = "250ms"
        warm_up = "2s"
        drain = "3s"
        timeout = "4s"
        generator_lag = "5ms"
        in_flight = 99
        thresholds = ["p99{kind=deduplication} < 50ms"]
        [[stage]]
        duration = "1m"
        users = 4
        rate_per_user = 2.5
        ramp = true
        [[stage]]
        duration = "2m"
        users = 5
        rate = "30/m"
        [[mix]]
        kind = "patient_consent"
        [[mix]]
        kind = "deduplication"
        priority = "low"
        weight = 3
        batch_keys = 8
    "#;
    let config = LoadConfig::parse(text, "f.toml", &kinds()).expect("is right");
    assert_eq!(config.origin(), "f.toml");
    let mut scenario = config.scenario;
    usual_priorities(&mut scenario);
    assert_eq!(scenario.arrivals, Arrivals::Closed { think: Duration::from_millis(250) });
    assert_eq!(
        (
            scenario.seed,
            scenario.warm_up,
            scenario.drain,
            scenario.timeout,
            scenario.generator_lag,
            scenario.in_flight
        ),
        (
            7,
            Duration::from_secs(2),
            Duration::from_secs(3),
            Duration::from_secs(4),
            Duration::from_millis(5),
            99
        )
    );
    assert_eq!(
        scenario.stages,
        [
            Stage { duration: Duration::from_mins(1), users: 4, rate: 10.0, ramp: true },
            Stage { duration: Duration::from_mins(2), users: 5, rate: 0.5, ramp: false },
        ]
    );
    assert_eq!(
        scenario.mix,
        [
            Share { priority: Some(Priority::High), ..Share::new("patient_consent", 1) },
            Share { priority: Some(Priority::Low), batch_keys: 8, ..Share::new("deduplication", 3) },
        ]
    );
}

#[test]
fn every_fault_is_said_at_once_with_its_line_and_what_would_be_right() {
    let text = r#"nmae = "mine"
arrivals = "poison"
think = "1s"
warm_up = 5
thresholds = ["p98 < 50ms", "p99{kind=deduplicatoin} < 1s"]
[[stage]]
duration = "soon"
users = 0
rate = 5
rate_per_user = 5
[[mix]]
kind = "patient_concent"
priority = "urgent"
[breaking]
factor = 1
error_rate = "200%"
[breaking.cool_down]
hold = 0
"#;
    let faults = faults(text);
    let expected = [
        "f.toml:1:1: name: is missing; give it a name, such as \"light\"",
        "f.toml:1:1: nmae: is not known; did you mean name?",
        "f.toml:2:12: arrivals: \"poison\" is not known; did you mean poisson?",
        "f.toml:3:9: think: is for users who wait for their answers: arrivals = \"closed\"",
        "f.toml:4:11: warm_up: is a whole number; give a duration such as",
        "f.toml:5:15: thresholds[0]: \"p98 < 50ms\", character 1:",
        "f.toml:5:29: thresholds[1]: kind \"deduplicatoin\" is not known; did you mean deduplication?",
        "f.toml:7:12: stage[0].duration: \"soon\" is not one; give a duration such as",
        "f.toml:8:9: stage[0].users: 0 is out of range; give a whole number from 1",
        "f.toml:9:8: stage[0].rate: is there beside rate_per_user; give one of them",
        "f.toml:12:8: mix[0].kind: \"patient_concent\" is not known; did you mean patient_consent?",
        "f.toml:13:12: mix[0].priority: \"urgent\" is not known; the choices are critical, high, normal, low",
        "f.toml:15:10: breaking.factor: must be at least 1.01",
        "f.toml:16:14: breaking.error_rate: must be 0 to 100 percent",
        "f.toml:18:8: breaking.cool_down.hold: 0 is out of range; give a whole number from 1 to 3600",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}\n{expected}");
    }
}

#[test]
fn a_scenario_needs_something_to_send_and_a_time_for_it() {
    let faults = faults("name = \"mine\"\n");
    let named = |field: &str| faults.iter().any(|fault| fault.contains(&format!(" {field}: ")));
    assert!(named("mix") && named("stage"), "{faults:#?}");
}

#[test]
fn hostile_bytes_are_faults() {
    for text in
        ["[[stage]", "stage = 5", "mix = [1]", "breaking = []", "[[stage]]\nrate = 1e999", "name = \"\u{0}\""]
    {
        assert!(LoadConfig::parse(text, "f.toml", &kinds()).is_err(), "{text}");
    }
}
