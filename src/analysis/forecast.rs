//! How much more load there is room for.

use serde::Serialize;

use super::demand::Demand;
use super::findings::Bottleneck;
use super::limits::SATURATED;
use super::show;
use crate::load::usl::{self, Usl};

/// How much more load there is room for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// The Universal Scalability Law, if it fits what was measured.
    pub law: Option<Usl>,
    /// Why it does not; `None` if it does.
    pub refused: Option<String>,
    /// Messages a second at which the busiest agent is busy all the time: no more can be done, by the utilization law. As
    /// many messages of that agent.
    pub bound: Option<Bound>,
    /// In sentences.
    pub sentences: Vec<String>,
}

/// What the utilization law allows the busiest agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// Which.
    pub agent: String,
    /// Messages a second it handled.
    pub rate: f64,
    /// Messages a second it can handle at most: m / S.
    pub most: f64,
    /// Messages a second at which waits begin to grow fast.
    pub comfortable: f64,
}

pub(super) fn forecast(demand: &Demand<'_>, bottlenecks: &[Bottleneck]) -> Forecast {
    let mut forecast = Forecast { bound: bound(demand), ..Forecast::default() };
    match usl::fit(&demand.evidence.curve) {
        Ok(law) => {
            forecast.sentences.extend(of_law(&law));
            forecast.law = Some(law);
        }
        Err(refused) => {
            let refused = if demand.evidence.curve.is_empty() {
                "no curve of throughput against load was measured; `statim load stress` raises the load step by step and measures one".to_owned()
            } else {
                refused.to_string()
            };
            forecast.sentences.push(format!("The Universal Scalability Law was not fitted: {refused}."));
            forecast.refused = Some(refused);
        }
    }
    if let Some(bound) = &forecast.bound {
        forecast.sentences.push(format!(
            "By the utilization law `{}` can handle at most {} (it handled {}), and {} before its waits grow fast (at {}). This holds while a message costs it what it costs now.",
            bound.agent,
            show::rate(bound.most),
            show::rate(bound.rate),
            show::rate(bound.comfortable),
            show::percent(SATURATED)
        ));
    }
    if let Some(load) = &demand.evidence.load {
        if let Some(broke) = load.breaking_rate {
            let knee = load
                .knee_rate
                .map_or_else(String::new, |it| format!(", with its knee at {}", show::rate(it)));
            forecast.sentences.push(format!("The target broke at {}{knee}.", show::rate(broke)));
        }
        if let Some(seconds) = load.recovery_seconds {
            forecast
                .sentences
                .push(format!("It was normal again {} after the load fell.", show::time(seconds)));
        }
    }
    if let Some(first) = bottlenecks.first() {
        forecast.sentences.push(format!(
            "All of this is with the bottleneck `{}` in place; measure again once it is gone.",
            first.resource
        ));
    }
    forecast
}

fn bound(demand: &Demand<'_>) -> Option<Bound> {
    let busiest = demand
        .work
        .iter()
        .filter(|it| it.service > 0.0 && it.utilization > 0.0)
        .max_by(|a, b| a.utilization.total_cmp(&b.utilization))?;
    let most = busiest.agent.instances as f64 / busiest.service;
    Some(Bound { agent: busiest.agent.name.clone(), rate: busiest.rate, most, comfortable: most * SATURATED })
}

fn of_law(law: &Usl) -> Vec<String> {
    let [low, high] = law.interval;
    let mut sentences = vec![format!(
        "Throughput follows X(N) = {} · N / (1 + {} · (N − 1) + {} · N · (N − 1)), N being the messages in flight (Universal Scalability Law, fitted to {} load levels; R² = {:.3}).",
        show::three(law.lambda),
        show::three(law.alpha),
        small(law.beta),
        law.points,
        law.r_squared
    )];
    let interval = format!("95 % interval {} to {}", show::rate(low), show::rate(high));
    sentences.push(match law.peak_concurrency {
        Some(at) if law.peak_was_measured() => format!(
            "It peaks at {} ({interval}) with {} messages in flight, and falls beyond: more load gives less.",
            show::rate(law.peak_rate),
            show::three(at)
        ),
        Some(at) => format!(
            "It would peak at {} ({interval}) with {} messages in flight; measured was up to {}, so the peak is a forecast and was not seen.",
            show::rate(law.peak_rate),
            show::three(at),
            show::three(law.measured_to)
        ),
        None => format!(
            "It still grows at twice the highest load measured ({} messages in flight): {} there ({interval}). Farther out nothing is forecast.",
            show::three(law.measured_to),
            show::rate(law.peak_rate)
        ),
    });
    sentences.push(if law.alpha >= law.beta * law.measured_to && law.alpha > 0.01 {
        format!(
            "What limits it is contention (α = {}): something that one message has at a time.",
            show::three(law.alpha)
        )
    } else if law.beta > 0.0 {
        format!(
            "What limits it is coherency (β = {}): messages cost more the more there are.",
            small(law.beta)
        )
    } else {
        "Neither contention nor coherency limits it within what was measured.".to_owned()
    });
    sentences
}

/// β is often a millionth.
fn small(value: f64) -> String {
    if value == 0.0 || value >= 0.001 { show::three(value) } else { format!("{value:.2e}") }
}
