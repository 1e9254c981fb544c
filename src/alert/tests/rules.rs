//! What is wrong with rules.

use super::*;
use crate::telemetry::names;

fn faults(change: impl FnOnce(&mut Rule)) -> Vec<String> {
    let mut changed = rule();
    change(&mut changed);
    let found = check(&[changed], seconds(STEP)).err().map(|RuleFaults(faults)| faults).unwrap_or_default();
    found.into_iter().map(|it| format!("{} {}", it.field, it.what)).collect()
}

#[test]
fn a_rule_without_fault_has_none() {
    assert_eq!(faults(|_| {}), [""; 0]);
    assert_eq!(check(&[Rule::new("Watchdog", Condition::Always)], seconds(STEP)), Ok(()));
}

#[test]
fn each_fault_is_found() {
    type Case = (fn(&mut Rule), &'static str);
    let found: [Case; 18] = [
        (|it| it.name = "a b".to_owned(), "name is a letter, then"),
        (|it| it.name = "é".to_owned(), "name is a letter, then"),
        (|it| threshold(it).clear = 11.0, "clear 11 is above the threshold, 10"),
        (
            |it| {
                threshold(it).comparison = Comparison::Below;
            },
            "clear 5 is below the threshold, 10",
        ),
        (|it| threshold(it).bound = f64::NAN, "threshold is not a finite number"),
        (|it| it.hold = seconds(9), "for is shorter than the evaluation interval, 10s"),
        (|it| it.hold = seconds(86_401), "for 86401s is out of range"),
        (|it| threshold(it).window = seconds(9), "window is shorter than the evaluation interval, 10s"),
        (|it| threshold(it).window = seconds(90_000), "window 90000s is out of range"),
        (|it| threshold(it).minimum_samples = 0, "minimum_samples 0 is out of range"),
        (|it| it.flap.fires = 1, "flap_fires 1 is out of range"),
        (|it| it.repeat = Duration::ZERO, "repeat 0ns is out of range"),
        (|it| it.labels = Labels::new([("severity", "x")]).unwrap(), "labels.severity is set by Statim"),
        (|it| it.actions.push(Action::notify()), "actions has notify twice"),
        (
            |it| threshold(it).per = Some(Per { metric: "x".to_owned(), at_least: 0.0 }),
            "per_at_least is not above 0",
        ),
        (
            |it| threshold(it).metric = names::DEAD_LETTERS.to_owned(),
            "metric statim_dead_letters_total is a counter",
        ),
        (
            |it| {
                threshold(it).metric = names::MEMORY_USED.to_owned();
                threshold(it).matchers = vec![Matcher::is("agent", "a")];
            },
            "where.agent is not a label of statim_memory_used_ratio; it has none",
        ),
        (
            |it| {
                threshold(it).metric = names::MAILBOX_USED.to_owned();
                it.annotations.push(("summary".to_owned(), Template::parse("{label.agnet}").unwrap()));
            },
            "summary names the label agnet, which statim_mailbox_used_ratio does not have; it has agent",
        ),
    ];
    for (change, wanted) in found {
        let said = faults(change);
        assert!(said.len() == 1 && said[0].starts_with(wanted), "{wanted}: {said:?}");
    }
}

#[test]
fn every_fault_is_found_at_once() {
    let said = faults(|it| {
        it.name.clear();
        it.hold = seconds(1);
        it.actions = vec![Action::ScaleUp { agent: None, step: 0, maximum: 0, cooldown: Duration::ZERO }];
    });
    assert_eq!(said.len(), 5, "{said:?}");
    let many = vec![rule(); 1_002];
    let RuleFaults(found) = check(&many, seconds(STEP)).unwrap_err();
    assert_eq!(found.iter().filter(|it| it.what.contains("too many")).count(), 1);
    assert_eq!(found.iter().filter(|it| it.what.contains("unique")).count(), 1_001);
}

#[test]
fn a_metric_of_ones_own_has_the_unit_that_its_name_says() {
    use names::Unit;
    let unit = |metric| Threshold::new(metric, Aggregate::Last, seconds(60), Comparison::Above, 0.0).unit();
    let units =
        ["ward_wait_seconds_total", "ward_bytes", "ward_beds_ratio", "ward_beds", names::UPTIME].map(unit);
    assert_eq!(units, [Unit::Seconds, Unit::Bytes, Unit::Ratio, Unit::Count, Unit::Seconds]);
}
