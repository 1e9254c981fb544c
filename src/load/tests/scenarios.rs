use super::targets::*;
use crate::load::*;

fn faults(change: impl FnOnce(&mut Scenario)) -> Vec<String> {
    let mut scenario = scenario(100.0, 10);
    change(&mut scenario);
    scenario.faults().map(|(field, _)| field).collect()
}

#[test]
fn a_scenario_is_read_back_as_it_was_written() {
    let mut scenario = scenario(12.5, 7);
    scenario.breaking = Some(Breaking { p99: Some(ms(1_500)), ..Breaking::default() });
    scenario.arrivals = Arrivals::Closed { think: ms(250) };
    scenario.thresholds = vec!["p99 < 50ms".parse().unwrap()];
    let json = serde_json::to_value(&scenario).unwrap();
    assert_eq!(json["stages"][0]["duration_seconds"], 7.0);
    assert_eq!(json["arrivals"], serde_json::json!({"model": "closed", "think_seconds": 0.25}));
    assert_eq!(json["breaking"]["p99_seconds"], 1.5);
    assert_eq!(serde_json::from_value::<Scenario>(json).unwrap(), scenario);
}

#[test]
fn a_duration_below_zero_is_refused_when_it_is_read() {
    let mut json = serde_json::to_value(scenario(1.0, 1)).unwrap();
    for bad in [-1.0, 1e300] {
        json["drain_seconds"] = bad.into();
        assert!(serde_json::from_value::<Scenario>(json.clone()).is_err());
    }
}

#[test]
fn every_field_that_makes_no_sense_is_named() {
    assert_eq!(faults(|_| ()), [""; 0]);
    assert_eq!(faults(|it| it.stages.clear()), ["stages", "stages"]);
    assert_eq!(faults(|it| it.stages[0].rate = f64::NAN), ["stages[0].rate"]);
    assert_eq!(faults(|it| it.stages[0].rate = -1.0), ["stages[0].rate"]);
    assert_eq!(faults(|it| it.warm_up = 11 * SECOND), ["warm_up"]);
    assert_eq!(faults(|it| it.mix.clear()), ["mix"]);
    assert_eq!(faults(|it| it.mix[0].weight = 0), ["mix"]);
    assert_eq!(faults(|it| it.mix[0].kind.clear()), ["mix[0].kind"]);
    assert_eq!(faults(|it| it.in_flight = 0), ["in_flight"]);
    assert_eq!(faults(|it| it.timeout = ms(0)), ["timeout"]);
    let closed = |it: &mut Scenario| it.arrivals = Arrivals::Closed { think: ms(1) };
    let crowd = |it: &mut Scenario| {
        closed(it);
        it.stages[0].users = 20_000;
    };
    assert_eq!(faults(crowd), ["in_flight"]);
    let nobody = |it: &mut Scenario| {
        closed(it);
        it.stages[0].users = 0;
    };
    assert_eq!(faults(nobody), ["stages[0].users"]);
    let flat = Breaking { factor: 1.0, ..Breaking::default() };
    assert_eq!(faults(|it| it.breaking = Some(flat)), ["breaking.factor"]);
    let closed_climb = |it: &mut Scenario| {
        closed(it);
        it.breaking = Some(Breaking::default());
    };
    assert_eq!(faults(closed_climb), ["breaking"]);
}

#[test]
fn the_error_names_scenario_and_field() {
    let error = Scenario { in_flight: 0, ..scenario(1.0, 1) }.validate().unwrap_err();
    assert_eq!(error.to_string(), "scenario test: in_flight: must be at least 1");
}
