//! One rule, one series.

use super::*;

#[test]
fn a_breach_that_lasts_fires_once_and_resolves_once() {
    let said = play(&mut engine([rule()]), 0, &values("1 10 11 12 13 99 9 4 1 1"));
    assert_eq!(said, [(10, "pending"), (30, "fired"), (70, "resolved")]);
}

#[test]
fn a_breach_that_passes_is_cancelled_and_fires_nothing() {
    let said = play(&mut engine([rule()]), 0, &values("10 10 9 10 10 1"));
    assert_eq!(said, [(0, "pending"), (20, "cancelled"), (30, "pending"), (50, "cancelled")]);
}

#[test]
fn without_a_time_to_hold_it_fires_at_the_first_breach() {
    let said = play(&mut engine([Rule { hold: Duration::ZERO, ..rule() }]), 0, &values("1 10 1"));
    assert_eq!(said, [(10, "fired"), (20, "resolved")]);
}

#[test]
fn between_threshold_and_clear_what_fires_goes_on_and_what_does_not_does_not_begin() {
    let said = play(&mut engine([rule()]), 0, &values("9 9 9 10 10 10 5 9 5 9 4.9"));
    assert_eq!(said, [(30, "pending"), (50, "fired"), (100, "resolved")]);
}

#[test]
fn below_works_like_above_turned_round() {
    let mut low = rule();
    *threshold(&mut low) =
        Threshold { comparison: Comparison::Below, bound: 2.0, clear: 4.0, ..threshold(&mut low).clone() };
    let said = play(&mut engine([low]), 0, &values("2 1 1 1 3 1 3 4"));
    assert_eq!(said, [(10, "pending"), (30, "fired"), (70, "resolved")]);
}

#[test]
fn it_keeps_firing_until_it_was_good_for_long_enough() {
    let keeping = Rule { keep_firing_for: seconds(20), hold: Duration::ZERO, ..rule() };
    let said = play(&mut engine([keeping]), 0, &values("10 1 1 10 1 1 7 1 1 1"));
    assert_eq!(said, [(0, "fired"), (90, "resolved")]);
}

#[test]
fn flapping_holds_one_incident_open_and_counts() {
    let flap = Flap { fires: 3, within: seconds(600), hold: seconds(40) };
    let mut engine = engine([Rule { hold: Duration::ZERO, flap, ..rule() }]);
    let said = play(&mut engine, 0, &values("10 1 10 1 10 1 10 1 1 10 1 1 1 1"));
    let fires = [(0, "fired"), (10, "resolved"), (20, "fired"), (30, "resolved"), (40, "fired")];
    assert_eq!(said, fires);
    let held = engine.firing();
    let incident = held[0].incident.as_ref().unwrap();
    assert!(incident.flapping && incident.flaps == 2, "{incident:?}");
    assert_eq!(play(&mut engine, 140, &values("1")), [(140, "resolved")]);
}

#[test]
fn fires_of_long_ago_do_not_make_it_flap() {
    let flap = Flap { fires: 2, within: seconds(50), hold: seconds(900) };
    let mut engine = engine([Rule { hold: Duration::ZERO, flap, ..rule() }]);
    let said = play(&mut engine, 0, &values("10 1 1 1 1 1 10 1"));
    assert_eq!(said.last(), Some(&(70, "resolved")));
}

#[test]
fn no_data_is_ok_firing_or_nothing_as_the_rule_says() {
    let firing = "10 10 10 _ _ _ _ _";
    let ok = play(&mut engine([rule()]), 0, &values(firing));
    // The window is 30 s: what was seen at 20 s is judged until 40 s.
    assert_eq!(ok, [(0, "pending"), (20, "fired"), (50, "no_data"), (50, "resolved")]);
    let keep = Rule { no_data: NoData::Keep, ..rule() };
    assert_eq!(
        play(&mut engine([keep.clone()]), 0, &values(firing)),
        [(0, "pending"), (20, "fired"), (50, "no_data")]
    );
    let bad = Rule { no_data: NoData::Firing, ..rule() };
    let said = play(&mut engine([bad]), 0, &values("1 _ _ _ _ _ 1"));
    assert_eq!(said, [(30, "no_data"), (30, "pending"), (50, "fired"), (60, "resolved")]);
}

#[test]
fn time_without_data_does_not_count_for_what_is_kept() {
    let keep = Rule { no_data: NoData::Keep, hold: seconds(60), ..rule() };
    let said = play(&mut engine([keep]), 0, &values("10 10 _ _ _ _ _ _ _ _ 10 10 10 10"));
    // Bad at 0 to 30 s, unknown at 40 to 90 s, bad from 100 s on: 60 s of it are over at 120 s.
    assert_eq!(said, [(0, "pending"), (40, "no_data"), (120, "fired")]);
}

#[test]
fn a_metric_that_was_never_there_fires_if_no_data_is_bad() {
    let mut bad = Rule { no_data: NoData::Firing, ..rule() };
    threshold(&mut bad).matchers = vec![Matcher::is("agent", "a")];
    let mut engine = engine([bad]);
    let said = play(&mut engine, 0, &values("_ _ _ _ _ _"));
    assert_eq!(said, [(30, "no_data"), (30, "pending"), (50, "fired")]);
    let alert = &engine.firing()[0];
    assert_eq!((alert.labels.get("agent"), alert.value), ("a", None));
    // The series that comes then has the same key: the incident goes on, and ends.
    assert_eq!(play(&mut engine, 60, &values("10 1")), [(70, "resolved")]);
    assert_eq!(engine.stats().label_sets, 1);
}

#[test]
fn too_few_samples_are_no_data() {
    let mut picky = rule();
    threshold(&mut picky).minimum_samples = 3;
    let said = play(&mut engine([picky]), 0, &values("99 99 _ _ 99 99 99 99 99"));
    assert_eq!(said.first(), Some(&(30, "no_data")));
    assert_eq!(said[1..], [(60, "pending"), (80, "fired")]);
}

#[test]
fn a_ratio_is_judged_only_where_there_is_enough_to_divide_by() {
    let failed = Threshold {
        per: Some(Per { metric: "attempts".to_owned(), at_least: 20.0 }),
        ..Threshold::new("failed", Aggregate::Increase, seconds(60), Comparison::AtLeast, 0.05)
    };
    let mut engine =
        engine([Rule { hold: Duration::ZERO, ..Rule::new("Failing", Condition::Threshold(failed)) }]);
    let mut said = Vec::new();
    for (second, failures, attempts) in
        [(0, 0, 0), (10, 5, 19), (20, 5, 40), (30, 5, 99), (40, 5, 101), (50, 6, 110)]
    {
        engine.observe("failed", &agent("a"), f64::from(failures), at(second));
        engine.observe("attempts", &agent("a"), f64::from(attempts), at(second));
        said.extend(engine.evaluate(at(second)).iter().map(|it| (second, it.kind())));
    }
    // 5 of 19 are too few to tell; 5 of 40 and of 99 are 5 % and more; 5 of 101 are less; 6 of 110 are more.
    assert_eq!(said, [(20, "fired"), (40, "resolved"), (50, "fired")]);
}

#[test]
fn each_label_set_is_judged_by_itself_and_matchers_pick() {
    let mut picky = Rule { hold: Duration::ZERO, ..rule() };
    threshold(&mut picky).matchers = vec![Matcher::is("agent", "ingest-*")];
    let mut engine = engine([picky]);
    for (name, value) in [("ingest-1", 50.0), ("ingest-2", 1.0), ("consent", 99.0)] {
        engine.observe(METRIC, &agent(name), value, at(0));
    }
    let events = engine.evaluate(at(0));
    let fired: Vec<_> = events.iter().map(|it| it.alert().unwrap().labels.get("agent").to_owned()).collect();
    assert_eq!(fired, ["ingest-1"]);
    assert_eq!(engine.stats().label_sets, 2);
}

#[test]
fn an_alert_says_what_was_found() {
    let mut slow = Rule::new(
        "Slow",
        Condition::Threshold(Threshold::new(
            crate::telemetry::names::AGENT_RESPONSE,
            Aggregate::P99,
            seconds(60),
            Comparison::AtLeast,
            2.0,
        )),
    );
    slow.annotations = vec![("summary".to_owned(), Template::parse("{label.agent} takes {value}").unwrap())];
    slow.labels = Labels::new([("team", "x"), ("agent", "overridden")]).unwrap();
    slow.severity = Severity::Critical;
    let mut engine = engine([slow]);
    let labels = Labels::new([("agent", "a"), ("priority", "high")]).unwrap();
    let measured = Distribution::from_counts([(0.5, 98), (2.5, 2)]);
    engine.observe(crate::telemetry::names::AGENT_RESPONSE, &labels, measured, at(0));
    let events = engine.evaluate(at(0));
    let alert = events[0].alert().unwrap();
    assert_eq!(events[0].kind(), "fired");
    assert_eq!((alert.value, alert.summary()), (Some(2.5), "a takes 2.5 s".to_owned()));
    let wanted = "{agent=\"a\", alertname=\"Slow\", priority=\"high\", severity=\"critical\", team=\"x\"}";
    assert_eq!(alert.labels.to_string(), wanted);
    assert_eq!(alert.finding, "2.5 s; fires at >= 2 s (p99 of statim_agent_response_seconds over 60s)");
    let incident = alert.incident.as_ref().unwrap();
    assert_eq!(
        (incident.fired, incident.id.as_str()),
        (at(0), &*format!("{}-{}", alert.dedup_key, at(0).millis()))
    );
}

#[test]
fn what_fires_and_what_was_resolved_are_said_again_for_those_who_forget() {
    let mut engine = engine([Rule { hold: Duration::ZERO, ..rule() }]);
    let mut said = Vec::new();
    for second in (0..1_300).step_by(10) {
        engine.observe(METRIC, &agent("a"), if second < 150 { 10.0 } else { 1.0 }, at(second));
        said.extend(engine.evaluate(at(second)).iter().map(|it| (second, it.kind())));
    }
    let expected = [(0, "fired"), (60, "still_firing"), (120, "still_firing"), (150, "resolved")];
    assert_eq!(said[..4], expected);
    let again: Vec<u64> = said[4..]
        .iter()
        .map(|(second, kind)| {
            assert_eq!(*kind, "still_resolved");
            *second
        })
        .collect();
    assert_eq!(again, (1..=15).map(|n| 150 + n * 60).collect::<Vec<_>>());
}

#[test]
fn label_sets_are_bounded_and_what_is_refused_is_said_aloud() {
    let options = EngineOptions { label_sets: 2, ..options() };
    let mut engine = Engine::new(options, vec![rule()]).unwrap();
    let mut said = Vec::new();
    for second in [0, 10] {
        for name in ["a", "b", "c", "d"] {
            engine.observe(METRIC, &agent(name), 1.0, at(second));
        }
        said.extend(engine.evaluate(at(second)));
    }
    assert_eq!(said, [Event::Refused { rule: "Deep".to_owned(), samples: 2, limit: 2 }]);
    assert_eq!((engine.stats().refused, engine.stats().label_sets), (4, 2));
    // Those that fell silent make room.
    assert_eq!(engine.evaluate(at(50)).len(), 2, "no data, twice");
    engine.observe(METRIC, &agent("c"), 1.0, at(50));
    assert_eq!((engine.stats().refused, engine.stats().label_sets), (4, 1));
}

#[test]
fn what_is_no_number_is_counted_and_changes_nothing() {
    let mut engine = engine([rule()]);
    engine.observe(METRIC, &agent("a"), f64::NAN, at(0));
    engine.observe(METRIC, &agent("a"), f64::INFINITY, at(0));
    engine.observe(METRIC, &agent("a"), 1.0, at(0));
    engine.observe(METRIC, &agent("a"), Distribution::from_counts([(1.0, 1)]), at(0));
    engine.observe("of no rule", &agent("a"), f64::NAN, at(0));
    assert_eq!((engine.stats().malformed, engine.stats().label_sets), (3, 1));
    assert!(engine.watches(METRIC) && !engine.watches("of no rule"));
}

#[test]
fn a_watchdog_fires_at_once_and_beats() {
    let mut engine = engine([Rule::new("Watchdog", Condition::Always)]);
    let kinds: Vec<_> = (0..=12).flat_map(|n| engine.evaluate(at(n * STEP))).map(|it| it.kind()).collect();
    assert_eq!(kinds, ["fired", "still_firing", "still_firing"]);
}
