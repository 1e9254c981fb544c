//! What may not wait does not, and the agent stays as busy as it can be.

use std::time::Duration;

use statim::prelude::*;

use crate::load::{CAPACITY, MIX, Run, Stage, admitting, run};

fn overload(load: u64) -> Run {
    run(&[Stage { seconds: 10, load }], MIX, admitting())
}

/// A second of the load that the agent just bears.
fn peak() -> u64 {
    let run = run(&[Stage { seconds: 5, load: 1 }], MIX, AgentOptions::default());
    run.goodput().into_iter().max().unwrap()
}

#[test]
fn critical_and_high_stay_inside_their_latency_at_twice_and_ten_times_the_load() {
    for load in [2, 10] {
        let run = overload(load);
        for (priority, allowed) in [(Priority::Critical, 6), (Priority::High, 14)] {
            let longest = run.longest(priority, 0);
            assert!(longest <= Duration::from_millis(allowed), "{priority}: {longest:?} at {load} times");
            assert_eq!(run.refused_of(priority), 0, "{priority} at {load} times the load");
        }
    }
}

#[test]
fn goodput_stays_within_a_tenth_of_its_peak() {
    let peak = peak();
    assert!(peak >= CAPACITY * 95 / 100, "{peak} a second");
    for load in [2, 10] {
        let goodput = overload(load).goodput();
        for (second, handled) in goodput.iter().enumerate() {
            assert!(*handled * 10 >= peak * 9, "{handled} in second {second} at {load} times: {goodput:?}");
        }
    }
}

#[test]
fn low_is_refused_first_and_normal_only_when_it_must() {
    let run = overload(2);
    assert_eq!(run.refused_of(Priority::Normal), 0, "Normal fits");
    assert!(run.refused_of(Priority::Low) > 8_000, "{:?}", run.refused);
    let run = overload(10);
    let (low, normal) = (run.first_refused[&Priority::Low], run.first_refused[&Priority::Normal]);
    assert!(low <= normal, "Low after {low:?}, Normal after {normal:?}");
    let share = run.refused_of(Priority::Normal) as f64 / run.sent[2] as f64;
    assert!((0.4..0.8).contains(&share), "two thirds of Normal do not fit: {share}");
}

#[test]
fn what_is_admitted_does_not_wait_for_long_and_without_admission_it_does() {
    for load in [2, 10] {
        let tame = overload(load).longest(Priority::Normal, 2);
        assert!(tame <= Duration::from_millis(250), "{tame:?} at {load} times the load");
    }
    let wild =
        run(&[Stage { seconds: 10, load: 10 }], MIX, AgentOptions::default()).longest(Priority::Normal, 2);
    assert!(wild >= Duration::from_secs(1), "{wild:?}");
}
