//! Guarded links: open breakers, limits, retries.

use crate::analysis::demand::Demand;
use crate::analysis::evidence::LinkEvidence;
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::Gain;
use crate::analysis::limits::{FEWEST_FOR_PARTS, LOST, MANY_RETRIES};
use crate::analysis::show;

fn part(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

fn enough(link: &&LinkEvidence) -> bool {
    link.offered >= FEWEST_FOR_PARTS
}

/// The part of the busiest flow's messages.
fn weight(demand: &Demand<'_>, count: u64) -> f64 {
    (count as f64 / demand.most).min(1.0)
}

/// Whether the breaker of a link accounts for failures at this agent, at either end.
pub(super) fn is_behind_breaker(demand: &Demand<'_>, agent: &str, failed: u64) -> bool {
    demand.evidence.links.iter().filter(|link| is_open(link)).any(|link| {
        link.to == agent || (link.from == agent && failed <= link.circuit_open.saturating_add(link.failed))
    })
}

fn is_open(link: &LinkEvidence) -> bool {
    enough(&link) && part(link.circuit_open, link.offered) >= LOST
}

pub(super) fn breakers(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let found = demand.evidence.links.iter().filter(|link| is_open(link)).map(|link| {
        let refused = part(link.circuit_open, link.offered);
        let behind = demand.evidence.agent(&link.to);
        let mut evidence = vec![
            Fact::new("offered to the link", show::count(link.offered)),
            Fact::new("refused by its open breaker", format!("{} ({})", show::count(link.circuit_open), show::percent(refused))),
            Fact::new("times the breaker opened", show::count(link.opened)),
            Fact::new("its state at the end", link.breaker.map_or_else(|| "not known".to_owned(), |it| it.to_string())),
        ];
        if let Some(agent) = behind {
            let failed = part(agent.failed, agent.attempts());
            evidence.push(Fact::new(
                format!("failed at {}", agent.name),
                format!("{} of {} ({})", show::count(agent.failed), show::count(agent.attempts()), show::percent(failed)),
            ));
        }
        if let Some(seconds) = demand.evidence.load.as_ref().and_then(|it| it.breaker_open_seconds.get(&format!("{} -> {}", link.from, link.to))) {
            evidence.push(Fact::new("seconds with an open breaker", show::time(*seconds)));
        }
        Bottleneck {
            kind: BottleneckKind::Breaker,
            resource: link.to.clone(),
            summary: format!(
                "`{}` fails, and the breaker of `{}` towards it refuses {} of the messages.",
                link.to,
                link.from,
                show::percent(refused)
            ),
            evidence,
            weight: weight(demand, link.circuit_open.saturating_add(link.failed)),
            gain: Gain::of_losses(refused * 0.5, 1.0, "the agent behind the breaker succeeds again; the breaker is not the fault"),
            advice: format!(
                "Mend `{}`: the breaker only keeps its failures from costing more. Meanwhile answer its callers from something older, or tell them later.",
                link.to
            ),
        }
    });
    found.collect()
}

pub(super) fn limits(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let limited = |link: &&LinkEvidence| part(link.limited, link.offered) >= LOST;
    let found = demand.evidence.links.iter().filter(enough).filter(limited).map(|link| {
        let refused = part(link.limited, link.offered);
        Bottleneck {
            kind: BottleneckKind::LinkLimit,
            resource: format!("{} -> {}", link.from, link.to),
            summary: format!(
                "The rate limit or bulkhead from `{}` to `{}` refuses {} of the messages.",
                link.from,
                link.to,
                show::percent(refused)
            ),
            evidence: vec![
                Fact::new("offered to the link", show::count(link.offered)),
                Fact::new("refused by rate limit or bulkhead", show::count(link.limited)),
            ],
            weight: weight(demand, link.limited),
            gain: Gain::of_losses(refused * 0.5, 1.0, "the agent behind the link has time for what is refused now"),
            advice: format!(
                "Compare the limit with how busy `{}` is: raise it if there is time left, and slow `{}` down if there is not.",
                link.to, link.from
            ),
        }
    });
    found.collect()
}

pub(super) fn retries(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let many = |link: &&LinkEvidence| part(link.retries, link.offered) >= MANY_RETRIES;
    let found =
        demand.evidence.links.iter().filter(enough).filter(many).filter(|it| !is_open(it)).map(|link| {
            let again = part(link.retries, link.offered);
            Bottleneck {
                kind: BottleneckKind::Retries,
                resource: link.to.clone(),
                summary: format!(
                    "`{}` repeats {} of its calls to `{}`.",
                    link.from,
                    show::percent(again),
                    link.to
                ),
                evidence: vec![
                    Fact::new("offered to the link", show::count(link.offered)),
                    Fact::new("attempts beyond the first", show::count(link.retries)),
                ],
                // Each is a message more for the agent behind.
                weight: weight(demand, link.retries) / 2.0,
                gain: Gain::of_time(
                    0.0,
                    again / (1.0 + again),
                    "of the agent behind the link: without the repetitions it has that much less to do",
                ),
                advice: format!(
                    "Find why first attempts at `{}` fail; repeating them costs it {} more work.",
                    link.to,
                    show::percent(again)
                ),
            }
        });
    found.collect()
}
