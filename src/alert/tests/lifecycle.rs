//! Restarts, reloads, pauses.

use super::*;

fn stored(engine: &Engine) -> EngineSnapshot {
    serde_json::from_str(&serde_json::to_string(&engine.snapshot()).unwrap()).unwrap()
}

#[test]
fn an_incident_outlives_the_process() {
    let mut before = engine([rule()]);
    play(&mut before, 0, &values("10 10 10"));
    let incident = before.firing()[0].incident.clone();
    let (mut after, events) = Engine::restore(options(), vec![rule()], stored(&before), at(25)).unwrap();
    assert_eq!((events.len(), after.firing()[0].incident.clone()), (0, incident));
    assert_eq!(play(&mut after, 30, &values("10 1")), [(40, "resolved")]);
}

#[test]
fn states_alone_hold_incidents_and_what_is_pending_until_samples_say_otherwise() {
    let mut before = engine([rule()]);
    play(&mut before, 0, &values("10 10 10"));
    before.observe(METRIC, &agent("b"), 1.0, at(20));
    let stored = serde_json::to_string(&before.states()).unwrap();
    assert!(!stored.contains("\"agent\":\"b\""), "what has no state is left out");
    let restore = || {
        let states = serde_json::from_str(&stored).unwrap();
        Engine::restore(options(), vec![rule()], states, at(25)).unwrap().0
    };
    assert_eq!((restore().firing(), restore().stats().label_sets), (before.firing(), 1));
    assert_eq!(play(&mut restore(), 30, &values("_ 1")), [(40, "resolved")]);
    // What is silent for a window's time after that is silent.
    assert_eq!(play(&mut restore(), 30, &values("_ _ _")), [(50, "no_data"), (50, "resolved")]);
    let mut pending = engine([rule()]);
    play(&mut pending, 0, &values("10 10"));
    let (mut pending, _) = Engine::restore(options(), vec![rule()], pending.states(), at(15)).unwrap();
    assert_eq!(play(&mut pending, 20, &values("10")), [(20, "fired")]);
}

#[test]
fn time_in_which_nobody_looked_counts_neither_for_firing_nor_for_resolving() {
    let mut pending = engine([Rule { hold: seconds(300), keep_firing_for: seconds(100), ..rule() }]);
    assert_eq!(play(&mut pending, 0, &values("10 10 10")), [(0, "pending")]);
    // An hour later: of the break, four intervals count.
    let said = play(&mut pending, 3_600, &vec![Some(10.0); 40]);
    assert_eq!(said, [(3_600 + 300 - 20 - 40, "fired")]);
    // Two hours later there is no sample, and nothing is over before there could be one.
    let said = play(&mut pending, 7_200, &vec![None; 20]);
    assert_eq!(said, [(7_230, "no_data"), (7_330, "resolved")]);
}

#[test]
fn a_restart_finds_rules_that_are_gone_and_resolves_what_they_had_open() {
    let mut before = engine([rule()]);
    play(&mut before, 0, &values("10 10 10"));
    let other = Rule { name: "Other".to_owned(), ..rule() };
    let (after, events) = Engine::restore(options(), vec![other], stored(&before), at(25)).unwrap();
    assert!(matches!(&events[..], [Event::Resolved(alert, Ending::RuleGone)] if alert.rule == "Deep"));
    assert!(after.firing().is_empty());
}

#[test]
fn a_reload_keeps_the_state_of_rules_that_judge_the_same() {
    let mut engine = engine([rule()]);
    play(&mut engine, 0, &values("10 10"));
    let louder = Rule { severity: Severity::Critical, ..rule() };
    assert_eq!(engine.reload(vec![louder], at(15)).unwrap(), []);
    assert_eq!(play(&mut engine, 20, &values("10")), [(20, "fired")]);
    let mut higher = rule();
    threshold(&mut higher).bound = 100.0;
    let key = engine.firing()[0].dedup_key.clone();
    assert_eq!(engine.reload(vec![higher], at(25)).unwrap(), []);
    assert_eq!(engine.firing()[0].dedup_key, key);
    assert_eq!(play(&mut engine, 30, &values("10 1")), [(40, "resolved")]);
}

#[test]
fn a_reload_with_a_fault_changes_nothing() {
    let mut engine = engine([rule()]);
    play(&mut engine, 0, &values("10 10 10"));
    let before = engine.snapshot();
    let faults = engine.reload(vec![rule(), rule()], at(25)).unwrap_err();
    assert!(faults.to_string().contains("names are unique"), "{faults}");
    assert_eq!(engine.snapshot(), before);
}

#[test]
fn a_rule_that_measures_otherwise_begins_anew_and_what_fires_goes_on_until_it_knows() {
    let mut engine = engine([rule()]);
    play(&mut engine, 0, &values("10 10 10"));
    let mut longer = rule();
    threshold(&mut longer).window = seconds(60);
    assert_eq!(engine.reload(vec![longer], at(25)).unwrap(), []);
    assert_eq!(engine.firing().len(), 1);
    assert_eq!(play(&mut engine, 30, &values("_ _ 1")), [(50, "resolved")]);
}

#[test]
fn incidents_that_a_rule_is_no_longer_about_are_resolved() {
    for change in [
        (|rule| threshold(rule).metric = "other".to_owned()) as fn(&mut Rule),
        |rule| threshold(rule).matchers = vec![Matcher::is("agent", "b")],
        |rule| (rule.condition, rule.hold) = (Condition::Always, Duration::ZERO),
    ] {
        let mut engine = engine([rule()]);
        play(&mut engine, 0, &values("10 10 10"));
        let mut changed = rule();
        change(&mut changed);
        let events = engine.reload(vec![changed], at(25)).unwrap();
        assert!(matches!(&events[..], [Event::Resolved(_, Ending::RuleGone)]), "{events:?}");
        assert!(engine.firing().is_empty());
    }
}

#[test]
fn what_is_forgotten_is_resolved() {
    let mut engine = engine([Rule { no_data: NoData::Keep, ..rule() }]);
    play(&mut engine, 0, &values("10 10 10"));
    assert_eq!(engine.forget(&agent("b"), at(25)), []);
    let events = engine.forget(&agent("a"), at(25));
    assert!(matches!(&events[..], [Event::Resolved(_, Ending::Forgotten)]));
    assert_eq!(engine.stats(), EngineStats::default());
}

#[test]
fn a_snapshot_of_another_version_or_with_surprises_is_refused() {
    let stored = serde_json::to_string(&engine([rule()]).snapshot()).unwrap();
    let other = stored.replace("\"version\":1", "\"version\":2");
    let error = serde_json::from_str::<EngineSnapshot>(&other).unwrap_err().to_string();
    assert!(error.contains("version 2, and this program reads version 1"), "{error}");
    let surprise = stored.replacen('{', "{\"surprise\":1,", 1);
    assert!(serde_json::from_str::<EngineSnapshot>(&surprise).is_err());
    for end in 0..stored.len() {
        assert!(serde_json::from_str::<EngineSnapshot>(&stored[..end]).is_err());
    }
}
