//! A day in bounded memory, and quantiles that are those of all messages.

use super::*;
use crate::sync::Arc;
use crate::telemetry::sparse::Sparse;

const SECOND: Duration = Duration::from_secs(1);

fn values(values: impl IntoIterator<Item = u64>) -> Sparse {
    let mut histogram = Sparse::default().to_histogram();
    values.into_iter().for_each(|value| histogram.record(value).unwrap());
    Sparse::of(&histogram)
}

fn agent(name: &str, busy_ms: u64, handled: u64) -> AgentObservation {
    AgentObservation {
        handled,
        busy: Duration::from_millis(busy_ms),
        ..AgentObservation::new(Arc::from(name))
    }
}

/// A second in which each of `agents` handled ten messages.
fn second(number: u64, agents: u64) -> Observation {
    let mut observation = Observation {
        span: SECOND,
        handled: 10 * agents,
        cpu_percent: Gauge::of(Some((number % 100) as f64), SECOND),
        agents: (0..agents).map(|it| agent(&format!("agent-{it}"), it % 50, 10)).collect(),
        ..Observation::default()
    };
    observation.lanes[2].end_to_end = values((0..100).map(|it| (it + number % 7) * 1_000_000));
    observation
}

#[test]
fn a_day_of_a_thousand_agents_stays_within_its_memory() {
    let mut history = History::new(HistoryOptions::default());
    let template: Vec<_> = (0..7).map(|number| second(number, 1000)).collect();
    // Sampled to keep the test short: looks a minute long fill the coarsest tier as a day of them would.
    for minute in 0..2000_usize {
        let mut look = template[minute % 7].clone();
        look.span = Duration::from_secs(60);
        history.observe(look);
    }
    let of_minutes = history.bytes();
    for number in 0..3000_usize {
        history.observe(template[number % 7].clone());
    }
    assert!(history.bytes() < 16 << 20, "{} bytes, {of_minutes} of them in minutes", history.bytes());
    assert_eq!(history.forgotten(), 0);
    assert!(history.since(Duration::MAX).count() <= 24 * 60 + 1);
}

#[test]
fn beyond_its_memory_the_finest_are_forgotten_first_and_counted() {
    let bytes = 100_000;
    let mut history = History::new(HistoryOptions { bytes, ..HistoryOptions::default() });
    for number in 0..600 {
        history.observe(second(number, 30));
    }
    assert!(history.bytes() <= bytes, "{}", history.bytes());
    assert!(history.forgotten() > 0);
    let last = history.summary(Duration::from_secs(300));
    assert!((last.seconds - 300.0).abs() <= 60.0, "{}", last.seconds);
    assert_eq!(last.handled as f64, last.seconds * 300.0);
}

#[test]
fn a_quantile_over_minutes_is_one_of_all_messages() {
    let mut history = History::new(HistoryOptions::default());
    let mut all = Vec::new();
    for number in 0..900_u64 {
        let measured: Vec<u64> = (0..20).map(|it| 1 + (it * 7919 + number * 104_729) % 10_000_000).collect();
        let mut look = Observation { span: SECOND, handled: 20, ..Observation::default() };
        look.lanes[0].end_to_end = values(measured.iter().copied());
        history.observe(look);
        all.extend(measured);
    }
    let expected = values(all[18_000 - 20 * 300..].iter().copied()).quantiles().unwrap();
    let five_minutes = history.summary(Duration::from_secs(300));
    assert_eq!((five_minutes.seconds, five_minutes.handled), (300.0, 6000));
    assert_eq!(five_minutes.end_to_end[&crate::Priority::Critical], expected);
    let quarter = history.summary(Duration::from_secs(900));
    assert_eq!((quarter.seconds, quarter.handled), (900.0, 18_000));
    assert_eq!(quarter.end_to_end[&crate::Priority::Critical], values(all).quantiles().unwrap());
}

#[test]
fn looks_longer_and_shorter_than_a_slot_are_counted_once() {
    for span in [Duration::from_millis(50), Duration::from_millis(700), Duration::from_secs(45)] {
        let mut history = History::new(HistoryOptions::default());
        for _ in 0..200 {
            history.observe(Observation { span, handled: 3, ..Observation::default() });
        }
        let all = history.summary(span * 200);
        assert_eq!((all.handled, all.seconds), (600, (span * 200).as_secs_f64()));
    }
}

#[test]
fn a_gauge_has_its_mean_over_time_and_what_was_not_known_is_left_out() {
    let mut history = History::new(HistoryOptions::default());
    for (seconds, cpu) in [(1, Some(90.0)), (3, Some(10.0)), (6, None)] {
        let span = Duration::from_secs(seconds);
        history.observe(Observation { span, cpu_percent: Gauge::of(cpu, span), ..Observation::default() });
    }
    let summary = history.summary(Duration::from_secs(60));
    assert_eq!(summary.cpu_percent, Some(GaugeSummary { mean: 30.0, max: 90.0 }));
    assert_eq!((summary.resident_bytes, summary.failure_ratio), (None, None));
}

#[test]
fn the_busiest_agents_are_named_and_nobodys_messages_are_lost() {
    let mut history = History::new(HistoryOptions { agents: 2, ..HistoryOptions::default() });
    for number in 0..30 {
        // A different one is busy each second.
        let agents = (0..5)
            .map(|it| agent(&format!("agent-{it}"), if it == number % 5 { 500 } else { it }, 1))
            .collect();
        history.observe(Observation { span: SECOND, handled: 5, agents, ..Observation::default() });
    }
    let summary = history.summary(Duration::from_secs(30));
    assert_eq!(summary.agents.iter().map(|agent| agent.handled).sum::<u64>(), 150);
    assert!(summary.agents.len() <= 6, "{:?}", summary.agents);
    assert!(summary.agents.iter().any(|agent| agent.name == "(other)"));
}
