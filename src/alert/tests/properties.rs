//! What holds for every series of samples, under every rule.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// An agent's depth at each step, if it says it.
type Depths = Vec<Option<u8>>;

fn depths(steps: std::ops::Range<usize>) -> impl Strategy<Value = Depths> {
    // Long stretches of one kind are what fires and resolves; single values are what flaps.
    let depth = prop_oneof![4 => (10..20_u8).prop_map(Some), 4 => (0..5_u8).prop_map(Some), 1 => (5..10_u8).prop_map(Some), 1 => Just(None)];
    let stretch = (depth, 1..6_usize).prop_map(|(depth, length)| vec![depth; length]);
    prop::collection::vec(stretch, steps).prop_map(|it| it.concat())
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let no_data = prop_oneof![Just(NoData::Ok), Just(NoData::Firing), Just(NoData::Keep)];
    let flap = (prop_oneof![Just(0_u32), 2..5_u32], 5..60_u64, 1..6_u64);
    (0..4_u64, 0..4_u64, no_data, flap, 1..4_u64).prop_map(|(hold, keep, no_data, flap, samples)| {
        let (fires, within, flap_hold) = flap;
        let flap = Flap { fires, within: seconds(within * STEP), hold: seconds(flap_hold * STEP) };
        let (hold, keep_firing_for) = (seconds(hold * STEP), seconds(keep * STEP));
        let mut any = Rule { hold, keep_firing_for, no_data, flap, ..rule() };
        threshold(&mut any).minimum_samples = samples.min(2);
        any
    })
}

struct Deployment {
    engine: Engine,
    dispatcher: Dispatcher,
    step: u64,
}

fn dispatch() -> DispatchOptions {
    DispatchOptions { wait: seconds(STEP), interval: seconds(3 * STEP), ..DispatchOptions::default() }
}

impl Deployment {
    fn new(rule: &Rule) -> Self {
        Self { engine: engine([rule.clone()]), dispatcher: Dispatcher::new(dispatch()), step: 0 }
    }

    fn step(&mut self, a: Option<u8>, b: Option<u8>) -> (Vec<Event>, Vec<Notification>) {
        let now = at(self.step * STEP);
        self.step += 1;
        for (name, depth) in [("a", a), ("b", b)] {
            if let Some(depth) = depth {
                self.engine.observe(METRIC, &agent(name), f64::from(depth), now);
            }
        }
        let events = self.engine.evaluate(now);
        let notifications = self.dispatcher.step(&events, now);
        (events, notifications)
    }

    fn keys(alerts: Vec<Alert>) -> BTreeSet<String> {
        alerts.into_iter().map(|it| it.dedup_key).collect()
    }
}

/// Steps after which everything is over and told, once all is well.
const CALM: usize = 6 + 2 + 3 + 2;

proptest! {
    #[test]
    fn nobody_is_told_of_what_is_only_pending(rule in any_rule(), a in depths(1..40), b in depths(1..40)) {
        let mut deployment = Deployment::new(&rule);
        for (a, b) in a.into_iter().zip(b) {
            let (_, notifications) = deployment.step(a, b);
            let firing = Deployment::keys(deployment.engine.firing());
            let pending = Deployment::keys(deployment.engine.pending());
            prop_assert!(firing.is_disjoint(&pending));
            for notice in notifications.iter().flat_map(|it| &it.notices) {
                prop_assert!(notice.status == Status::Resolved || firing.contains(&notice.alert.dedup_key));
            }
        }
    }

    #[test]
    fn whoever_is_told_that_it_fires_is_told_that_it_is_over_soon_after_the_cause_is_gone(
        rule in any_rule(), a in depths(1..40),
    ) {
        let mut deployment = Deployment::new(&rule);
        let mut open = BTreeMap::new();
        for depth in a.into_iter().chain([Some(0); CALM]) {
            for notice in deployment.step(depth, Some(0)).1.into_iter().flat_map(|it| it.notices) {
                open.insert(notice.alert.dedup_key, notice.status);
            }
        }
        prop_assert_eq!(deployment.engine.firing(), []);
        prop_assert!(open.values().all(|status| *status == Status::Resolved), "{:?}", open);
    }

    #[test]
    fn of_a_key_nothing_fires_twice_without_being_over_in_between(
        rule in any_rule(), a in depths(1..40), b in depths(1..40), restart in 0..60_u64,
    ) {
        let mut deployment = Deployment::new(&rule);
        let (mut fired, mut told) = (BTreeSet::new(), BTreeSet::new());
        let mut incidents = BTreeSet::new();
        for (a, b) in a.into_iter().zip(b) {
            if deployment.step == restart {
                let mut cosmetic = rule.clone();
                cosmetic.severity = Severity::Critical;
                // A restart that loses the samples, with a rule that says something else of the same.
                let now = at(restart * STEP);
                let states = deployment.engine.states();
                let (engine, events) = Engine::restore(options(), vec![cosmetic], states, now).unwrap();
                prop_assert_eq!(events, []);
                deployment.engine = engine;
            }
            let (events, notifications) = deployment.step(a, b);
            for event in events {
                match event {
                    Event::Fired(alert) => {
                        prop_assert!(fired.insert(alert.dedup_key), "fired twice");
                        prop_assert!(incidents.insert(alert.incident.unwrap().id), "an id was used twice");
                    }
                    Event::Resolved(alert, _) => prop_assert!(fired.remove(&alert.dedup_key), "over twice"),
                    _ => {}
                }
            }
            for Notice { alert, status, new } in notifications.into_iter().flat_map(|it| it.notices) {
                match (status, new) {
                    (Status::Resolved, _) => prop_assert!(told.remove(&alert.dedup_key), "told twice of its end"),
                    (_, true) => prop_assert!(told.insert(alert.dedup_key), "told twice that it fires"),
                    (_, false) => prop_assert!(told.contains(&alert.dedup_key), "a repetition of nothing"),
                }
            }
        }
    }

    #[test]
    fn what_flaps_is_told_a_bounded_number_of_times(
        bad in 1..4_usize, good in 1..4_usize, fires in 2..5_u32, hold in 4..10_usize,
    ) {
        // Good for less than `hold` at a time, for as long as `within`: after so many fires the incident stays open.
        let mut rule = Rule { hold: Duration::ZERO, ..rule() };
        rule.flap = Flap { fires, within: seconds(1_000 * STEP), hold: seconds(hold as u64 * STEP) };
        let mut deployment = Deployment::new(&rule);
        let mut told = 0;
        for step in 0..1_000 {
            let depth = if step % (bad + good) < bad { 10 } else { 0 };
            told += deployment.step(Some(depth), None).1.len();
        }
        prop_assert!(told <= 2 * fires as usize, "{told} notifications");
        let firing = deployment.engine.firing();
        let incident = firing[0].incident.as_ref().unwrap();
        prop_assert!(incident.flapping && incident.flaps > 100, "{incident:?}");
    }

    #[test]
    fn what_fires_often_flaps_and_is_over_only_when_it_was_good_for_long_enough(
        rule in any_rule(), a in depths(1..60),
    ) {
        let a: Vec<u8> = a.into_iter().map(Option::unwrap_or_default).collect();
        let mut deployment = Deployment::new(&rule);
        let mut fires: Vec<u64> = Vec::new();
        for step in 0..a.len() {
            for event in deployment.step(Some(a[step]), None).0 {
                let incident = event.alert().and_then(|it| it.incident.clone());
                match (&event, incident) {
                    (Event::Fired(_), Some(incident)) => {
                        fires.push(step as u64);
                        let within = rule.flap.within.as_secs() / STEP;
                        let recent = fires.iter().filter(|it| step as u64 - **it <= within).count();
                        let often = rule.flap.fires > 0 && recent >= rule.flap.fires as usize;
                        prop_assert_eq!(incident.flapping, often);
                    }
                    (Event::Resolved(..), Some(incident)) => {
                        let held = if incident.flapping { rule.flap.hold } else { Duration::ZERO };
                        let good = (held.max(rule.keep_firing_for).as_secs() / STEP) as usize;
                        prop_assert!(a[step - good..=step].iter().all(|depth| *depth < 5));
                        prop_assert!(a[step - good - 1] >= 5, "it was good before, and was not over");
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_restart_at_any_moment_changes_nothing(
        rule in any_rule(), a in depths(1..30), b in depths(1..30), restart in 0..60_u64,
    ) {
        let mut whole = Deployment::new(&rule);
        let mut restarted = Deployment::new(&rule);
        for (a, b) in a.into_iter().zip(b) {
            if restarted.step == restart {
                let stored = serde_json::to_string(&(restarted.engine.snapshot(), restarted.dispatcher.snapshot())).unwrap();
                let (engine, dispatcher) = serde_json::from_str(&stored).unwrap();
                let now = at(restart * STEP);
                let (engine, events) = Engine::restore(options(), vec![rule.clone()], engine, now).unwrap();
                prop_assert_eq!(events, []);
                restarted.engine = engine;
                restarted.dispatcher = Dispatcher::restore(dispatch(), dispatcher);
            }
            prop_assert_eq!(whole.step(a, b), restarted.step(a, b));
        }
        prop_assert_eq!(whole.engine.snapshot(), restarted.engine.snapshot());
    }

    #[test]
    fn a_reload_at_any_moment_keeps_the_state_of_what_is_unchanged(
        rule in any_rule(), a in depths(1..30), b in depths(1..30), reload in 0..60_u64,
    ) {
        let mut whole = Deployment::new(&rule);
        let mut reloaded = Deployment::new(&rule);
        for (a, b) in a.into_iter().zip(b) {
            if reloaded.step == reload {
                let mut other = Rule { name: "Other".to_owned(), ..rule.clone() };
                threshold(&mut other).metric = "other".to_owned();
                other.no_data = NoData::Ok;
                let events = reloaded.engine.reload(vec![other, rule.clone()], at(reload * STEP)).unwrap();
                prop_assert_eq!(events, []);
                reloaded.dispatcher.reload(dispatch());
            }
            prop_assert_eq!(whole.step(a, b), reloaded.step(a, b));
        }
    }
}
