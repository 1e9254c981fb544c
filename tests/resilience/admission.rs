//! Admission control: what it refuses, when, and what that does for those it admits.

use std::time::Duration;

use proptest::prelude::*;
use statim::Priority;
use statim::resilience::{
    AdmissionController, AdmissionOptions, AdmissionSnapshot, Controller, Decision, Environment, Time,
};

use crate::simulation::{CAPACITY, Discipline, Run, Stage, goodput, latency, run, total};
use crate::support::{Heard, ms};

/// Mostly bulk. Ten times the load leaves Critical and High at half of what can be served, and Normal beyond it.
const MIX: [f64; 4] = [0.01, 0.04, 0.15, 0.80];

fn overload(load: f64, discipline: Discipline, admission: Option<&AdmissionOptions>) -> Run {
    run(&[Stage { seconds: 20.0, load, mix: MIX }], discipline, admission, 42)
}

#[test]
fn at_twice_and_ten_times_the_load_the_urgent_are_served_in_time_and_the_server_stays_busy() {
    let peak = goodput(overload(1.0, Discipline::Urgency, None).from(0));
    for load in [2.0, 10.0] {
        let run = overload(load, Discipline::Urgency, Some(&AdmissionOptions::default()));
        for priority in [Priority::Critical, Priority::High] {
            let (longest, _) = latency(run.from(0), priority);
            assert!(longest <= 21.0, "{priority:?} took {longest} ms at {load} times the load");
            assert_eq!(total(run.from(0), priority, |it| &it.shed), 0);
        }
        let goodput = goodput(run.from(0));
        assert!(goodput >= 0.9 * peak, "{goodput} a second at {load} times the load, {peak} at most");
    }
}

#[test]
fn low_is_shed_first_and_normal_only_when_it_must() {
    let run = overload(2.0, Discipline::Urgency, Some(&AdmissionOptions::default()));
    assert_eq!(total(run.from(0), Priority::Normal, |it| &it.shed), 0, "Normal fits");
    assert!(total(run.from(1), Priority::Low, |it| &it.shed) > 10_000);
    let run = overload(10.0, Discipline::Urgency, Some(&AdmissionOptions::default()));
    let (offered, shed) = (
        total(run.from(2), Priority::Normal, |it| &it.offered) as f64,
        total(run.from(2), Priority::Normal, |it| &it.shed) as f64,
    );
    assert!((0.5..0.8).contains(&(shed / offered)), "two thirds do not fit: {shed} of {offered}");
    let (low, normal) = (run.first_shed[3].unwrap(), run.first_shed[2].unwrap());
    assert!(low <= normal, "Low was first shed at {low} s, Normal at {normal} s");
    assert_eq!(run.first_shed[..2], [None, None]);
}

#[test]
fn every_message_is_served_or_shed_or_waits() {
    for discipline in [Discipline::Urgency, Discipline::Arrival] {
        let run = overload(10.0, discipline, Some(&AdmissionOptions::default()));
        let sum = |count: fn(&crate::simulation::Second) -> &[u64; 4]| {
            Priority::ALL.into_iter().map(|priority| total(run.from(0), priority, count)).sum::<u64>()
        };
        let served: u64 = run.seconds.iter().map(|it| it.served).sum();
        assert_eq!(sum(|it| &it.offered), sum(|it| &it.shed) + served + run.left);
    }
}

#[test]
fn it_keeps_a_queue_without_priorities_short_too() {
    for load in [2.0, 10.0] {
        let wild = overload(load, Discipline::Arrival, None);
        let (_, wild) = latency(wild.from(3), Priority::High);
        assert!(wild > 5000.0, "without admission control High took {wild} ms");
        let run = overload(load, Discipline::Arrival, Some(&AdmissionOptions::default()));
        let (_, tame) = latency(run.from(5), Priority::High);
        assert!(tame < 100.0, "with admission control High took {tame} ms at {load} times the load");
        assert!(goodput(run.from(0)) >= 0.9 * CAPACITY, "{} a second", goodput(run.from(0)));
        assert_eq!(total(run.from(5), Priority::High, |it| &it.shed), 0);
    }
}

#[test]
fn a_flood_of_high_is_shed_only_after_the_rest_and_never_critical() {
    let mix = [0.02, 0.68, 0.15, 0.15];
    let stage = Stage { seconds: 20.0, load: 4.0, mix };
    let run = run(&[stage], Discipline::Urgency, Some(&AdmissionOptions::default()), 7);
    let steady = run.from(3);
    assert_eq!(total(run.from(0), Priority::Critical, |it| &it.shed), 0);
    let (longest, _) = latency(run.from(0), Priority::Critical);
    assert!(longest <= 21.0, "Critical took {longest} ms");
    for below in [Priority::Normal, Priority::Low] {
        let offered = total(steady, below, |it| &it.offered);
        assert_eq!(total(steady, below, |it| &it.shed), offered, "{below:?}");
    }
    let (_, high) = latency(steady, Priority::High);
    assert!(high < 100.0, "High took {high} ms");
    assert!(goodput(steady) >= 0.9 * CAPACITY, "{} a second", goodput(steady));

    let options = AdmissionOptions { refuse_high: false, ..AdmissionOptions::default() };
    let run = crate::simulation::run(&[stage], Discipline::Urgency, Some(&options), 7);
    assert_eq!(total(run.from(0), Priority::High, |it| &it.shed), 0);
}

#[test]
fn it_admits_everything_again_when_the_load_has_fallen() {
    let stages = [
        Stage { seconds: 10.0, load: 10.0, mix: MIX },
        Stage { seconds: 10.0, load: 0.5, mix: MIX },
        Stage { seconds: 10.0, load: 2.0, mix: MIX },
    ];
    let run = run(&stages, Discipline::Urgency, Some(&AdmissionOptions::default()), 3);
    let shed = |seconds: std::ops::Range<usize>| {
        Priority::ALL.map(|priority| total(&run.seconds[seconds.clone()], priority, |it| &it.shed))
    };
    assert!(shed(9..10)[3] > 5000);
    let [critical, high, normal, low] = shed(10..14);
    assert_eq!([critical, high, normal], [0; 3], "only Low still waits for what was admitted before");
    assert!(low < 200, "{low} of about 1600 while that is worked off");
    assert_eq!(shed(14..20), [0; 4]);
    assert!(shed(21..30)[3] > 5000, "and it still works");
}

#[test]
fn nothing_is_refused_while_messages_wait_less_than_the_target() {
    let run = overload(0.8, Discipline::Urgency, Some(&AdmissionOptions::default()));
    assert_eq!(run.first_shed, [None; 4]);
}

#[test]
fn a_burst_that_passes_is_no_overload() {
    let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
    // Long waits in every interval, but the queue is empty in between.
    for millis in 0..2000 {
        let now = ms(millis);
        assert!(controller.admit(Priority::Low, now));
        controller.observe(Priority::Low, ms(millis % 50), now);
    }
}

#[test]
fn between_the_target_and_its_clear_mark_nothing_changes() {
    let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
    let mut load = |wait: Duration, from: u64, to: u64| {
        for millis in from..to {
            for _ in 0..4 {
                controller.admit(Priority::Low, ms(millis));
            }
            controller.observe(Priority::Low, wait, ms(millis));
        }
        controller.refused_share(Priority::Low)
    };
    let refused = load(ms(30), 0, 150);
    assert!((0.7..0.8).contains(&refused), "{refused}");
    let held = load(ms(15), 150, 2000);
    assert!((held - refused).abs() < 0.02, "{held}");
    let calm = load(ms(5), 2000, 2600);
    assert!(calm < refused - 0.05, "{calm}");
}

#[test]
fn what_is_left_of_a_priority_that_is_refused_whole_is_not_asked_how_long_it_waits() {
    let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
    let mut load = |normal: Duration, from: u64, to: u64| {
        for millis in from..to {
            for priority in [Priority::Normal, Priority::Normal, Priority::Low] {
                controller.admit(priority, ms(millis));
            }
            let (priority, wait) = match millis % 10 {
                0 => (Priority::Low, Duration::from_secs(10)),
                _ => (Priority::Normal, normal),
            };
            controller.observe(priority, wait, ms(millis));
        }
        controller.refused_shares()
    };
    let [_, _, normal, low] = load(ms(30), 0, 350);
    assert!((0.4..0.6).contains(&normal) && low == 1.0, "{normal} of Normal, {low} of Low");
    // Normal is between its target and its clear mark; that Low is far above its own changes nothing.
    let [_, _, held, low] = load(ms(15), 350, 3000);
    assert!((held - normal).abs() < 0.05 && low == 1.0, "{held} of Normal, {low} of Low");
}

#[test]
fn it_opens_when_nothing_has_been_taken_for_ten_intervals() {
    let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
    let mut arrivals = |taken: bool, from: u64, to: u64| {
        for millis in from..to {
            for _ in 0..10 {
                controller.admit(Priority::Low, ms(millis));
            }
            if taken {
                controller.observe(Priority::Low, ms(500), ms(millis));
            }
        }
        controller.refused_share(Priority::Low)
    };
    assert!(arrivals(true, 0, 500) > 0.9);
    assert!(arrivals(false, 500, 1400) > 0.9, "what stands still is no sign of an empty queue yet");
    assert_eq!(arrivals(false, 1400, 1600), 0.0);
}

#[test]
fn a_clock_that_stands_still_changes_nothing() {
    let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
    for _ in 0..100_000 {
        assert!(controller.admit(Priority::Low, Duration::ZERO));
        controller.observe(Priority::Low, Duration::from_secs(10), Duration::ZERO);
    }
}

#[test]
fn every_decision_is_counted_and_heard() {
    let heard = Heard::default();
    let (time, clock) = Time::manual();
    let environment = Environment::default().time(time).listener(heard.listener());
    let admission = AdmissionController::new("intake", &AdmissionOptions::default(), &environment).unwrap();
    let mut refused = 0;
    for _ in 0..1000 {
        clock.advance(ms(1));
        for priority in Priority::ALL {
            refused += u64::from(admission.admit(priority).is_err());
        }
        admission.observe(Priority::Low, ms(500));
    }
    let snapshot = admission.snapshot();
    assert_eq!(snapshot.shed[&Priority::Low], refused);
    assert!(refused > 500 && snapshot.shed[&Priority::Critical] == 0);
    assert_eq!(snapshot.admitted.values().sum::<u64>() + refused, 4000);
    assert_eq!(snapshot.refused[&Priority::Low], admission.refused_share(Priority::Low));
    let heard = heard.take();
    let shed = heard.iter().filter(|it| matches!(it, Decision::Shed { .. })).count();
    assert_eq!(shed as u64, refused);
    assert!(heard.iter().any(|it| matches!(it, Decision::AdmissionChanged { .. })));
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<AdmissionSnapshot>(&json).unwrap(), snapshot);
}

/// Arrivals and departures of any kind at any time.
#[derive(Debug, Clone)]
enum Step {
    Arrive(Priority, u8),
    Take(Priority, u64),
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let priority = prop_oneof![1 => Just(Priority::Critical), 2 => Just(Priority::High),
        3 => Just(Priority::Normal), 4 => Just(Priority::Low)];
    let step = prop_oneof![
        (priority.clone(), 1_u8..50).prop_map(|(priority, count)| Step::Arrive(priority, count)),
        (priority, prop_oneof![0_u64..10, 10_u64..200, Just(u64::MAX / 2_000_000)])
            .prop_map(|(priority, wait)| Step::Take(priority, wait)),
    ];
    // Mostly small steps of time, some of them large; none at all is one, too.
    proptest::collection::vec((prop_oneof![8 => 0_u64..30, 1 => 0_u64..5000], step), 1..400)
}

proptest! {
    #[test]
    fn critical_is_never_refused_and_nothing_before_what_is_less_urgent(
        steps in steps(),
        refuse_high in any::<bool>(),
    ) {
        let options = AdmissionOptions { refuse_high, ..AdmissionOptions::default() };
        let mut controller = Controller::new(&options).unwrap();
        let mut now = 0;
        for (pause, step) in steps {
            now += pause;
            match step {
                Step::Arrive(priority, count) => {
                    for _ in 0..count {
                        let admitted = controller.admit(priority, ms(now));
                        prop_assert!(admitted || priority != Priority::Critical);
                        prop_assert!(admitted || refuse_high || priority != Priority::High);
                    }
                }
                Step::Take(priority, wait) => controller.observe(priority, ms(wait), ms(now)),
            }
            let [critical, high, normal, low] = controller.refused_shares();
            prop_assert_eq!(critical, 0.0);
            for (more, less) in [(high, normal), (normal, low)] {
                prop_assert!((0.0..=1.0).contains(&more) && (0.0..=1.0).contains(&less));
                prop_assert!(more == 0.0 || less == 1.0, "{:?}", controller.refused_shares());
            }
        }
    }

    #[test]
    fn it_recovers_whatever_happened_before(steps in steps(), sampled in any::<bool>()) {
        let mut controller = Controller::new(&AdmissionOptions::default()).unwrap();
        let mut now = 0;
        for (pause, step) in steps {
            now += pause;
            match step {
                Step::Arrive(priority, count) => {
                    for _ in 0..count {
                        controller.admit(priority, ms(now));
                    }
                }
                Step::Take(priority, wait) => controller.observe(priority, ms(wait), ms(now)),
            }
        }
        // Ten seconds of short waits, or of silence but for a message that arrives now and then.
        for _ in 0..1000 {
            now += 10;
            let admitted = controller.admit(Priority::Low, ms(now));
            if admitted && sampled {
                controller.observe(Priority::Low, ms(1), ms(now));
            }
        }
        prop_assert_eq!(controller.refused_shares(), [0.0; 4]);
    }
}
