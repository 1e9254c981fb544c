//! What the engine and the dispatcher do.

mod dispatch;
mod engine;
mod lifecycle;
mod properties;
mod rules;

use std::time::Duration;

use super::*;

/// The evaluation interval of these tests, in seconds.
const STEP: u64 = 10;
const METRIC: &str = "depth";

fn at(second: u64) -> Moment {
    Moment::from_millis(second * 1_000)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn agent(name: &str) -> Labels {
    Labels::new([("agent", name)]).unwrap()
}

/// The newest sample of the last 30 s at 10 or above for 20 s; good below 5.
fn rule() -> Rule {
    let deep = Threshold::new(METRIC, Aggregate::Last, seconds(30), Comparison::AtLeast, 10.0);
    let deep = Threshold { clear: 5.0, ..deep };
    let flap = Flap { fires: 0, ..Flap::default() };
    Rule { hold: seconds(20), flap, ..Rule::new("Deep", Condition::Threshold(deep)) }
}

fn threshold(rule: &mut Rule) -> &mut Threshold {
    match &mut rule.condition {
        Condition::Threshold(threshold) => threshold,
        Condition::Always => panic!("a watchdog has no threshold"),
    }
}

fn options() -> EngineOptions {
    EngineOptions { interval: seconds(STEP), ..EngineOptions::default() }
}

fn engine(rules: impl IntoIterator<Item = Rule>) -> Engine {
    Engine::new(options(), rules.into_iter().collect()).unwrap()
}

/// What an engine says of a series with a value or none every 10 s, without repetitions: the second and the kind.
fn play(engine: &mut Engine, from: u64, values: &[Option<f64>]) -> Vec<(u64, &'static str)> {
    let mut said = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let second = from + index as u64 * STEP;
        if let Some(value) = value {
            engine.observe(METRIC, &agent("a"), *value, at(second));
        }
        let events = engine.evaluate(at(second));
        said.extend(
            events.iter().map(|it| (second, it.kind())).filter(|(_, kind)| !kind.starts_with("still")),
        );
    }
    said
}

fn values(text: &str) -> Vec<Option<f64>> {
    text.split_whitespace().map(|it| it.parse().ok()).collect()
}
