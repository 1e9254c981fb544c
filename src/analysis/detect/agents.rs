//! Agents with more work than time.

use crate::analysis::demand::{Demand, TOO_MUCH, Work, is_asked};
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::Gain;
use crate::analysis::limits::{CPU_FULL, MOSTLY, SHORTEST_WAIT, SKEWED, TOO_MANY_URGENT, WORTH_IT};
use crate::analysis::show;
use crate::message::Priority;

/// Agents at their limit whose own work is most of it, and agents that those mostly wait for. `others_named`: a store's or
/// the cache's part in it is a bottleneck of its own already.
pub(super) fn saturated(demand: &Demand<'_>, others_named: bool) -> Vec<Bottleneck> {
    let found = demand.work.iter().enumerate().filter_map(|(place, work)| {
        let is_waited_for = is_asked(&demand.work, place);
        if !(work.is_saturated || is_waited_for) {
            return None;
        }
        let behind = if others_named { demand.behind(work) } else { 0.0 };
        // What it waits for is the cause, and it is where that shows.
        let elsewhere = work.asks.as_ref().map_or(0.0, |asks| asks.part).max(behind);
        (elsewhere < MOSTLY).then(|| bottleneck(demand, place, elsewhere))
    });
    found.collect()
}

fn bottleneck(demand: &Demand<'_>, place: usize, elsewhere: f64) -> Bottleneck {
    let work = &demand.work[place];
    let agent = work.agent;
    let askers: Vec<_> = demand
        .work
        .iter()
        .filter(|it| it.is_saturated)
        .filter_map(|it| {
            Some((it, it.asks.as_ref().filter(|asks| asks.whom == place && asks.part >= MOSTLY)?))
        })
        .collect();
    // The askers' queues are queues for it.
    let behind: f64 = askers.iter().map(|(asker, asks)| asker.wait_seconds * asks.part).sum();
    let seconds = (work.message_seconds() + behind) * (1.0 - elsewhere);
    let time = seconds / demand.message_seconds.max(f64::MIN_POSITIVE);
    let skew = skew(demand, work);
    let mut evidence = facts(demand, work);
    for (asker, asks) in askers.iter().take(3) {
        let how = if asks.by_link { "by their link" } else { "concluded from counts and times" };
        evidence.push(Fact::new(
            format!("{} waits for it in its handler, {how}", asker.agent.name),
            format!("{} of its time, busy {}", show::percent(asks.part), show::percent(asker.utilization)),
        ));
    }
    if let Some(times) = skew {
        evidence.push(Fact::new(
            "work over the mean of the pool's other members",
            format!("{} times", show::three(times)),
        ));
    }
    let summary = if askers.is_empty() || work.is_saturated {
        format!(
            "`{}` is busy {} of the time: a message is {} in its handler and waits {} before it.",
            agent.name,
            show::percent(work.utilization),
            show::time(work.service),
            show::time(work.wait)
        )
    } else {
        format!(
            "`{}` takes {} for an answer, which is {} of the time of `{}`, where messages queue.",
            agent.name,
            show::time(work.service),
            show::percent(askers[0].1.part),
            askers[0].0.agent.name
        )
    };
    Bottleneck {
        kind: if skew.is_some() { BottleneckKind::HotMember } else { BottleneckKind::Agent },
        resource: agent.name.clone(),
        summary,
        evidence,
        weight: time.max(work.lost() as f64 / demand.most).min(1.0),
        gain: Gain::by_doubling(
            demand.room(),
            "twice the instances; half to all of its work can be done side by side, until the next limit",
        ),
        advice: advice(demand, work, skew.is_some()),
    }
}

fn facts(demand: &Demand<'_>, work: &Work<'_>) -> Vec<Fact> {
    let agent = work.agent;
    let mut facts = vec![
        Fact::new(
            "utilization (U = X · S / m)",
            format!(
                "{} = {} · {} / {}",
                show::percent(work.utilization),
                show::rate(work.rate),
                show::time(work.service),
                agent.instances
            ),
        ),
        Fact::new("wait over service", format!("{} / {}", show::time(work.wait), show::time(work.service))),
        Fact::new("wait, p99", show::time(work.wait_p99)),
        Fact::new(
            "messages in it on average (N = X · R)",
            show::three(work.rate * (work.wait + work.service)),
        ),
        Fact::new(
            "queued at the end",
            format!("{} of {}", show::count(agent.queued), show::count(agent.capacity as u64)),
        ),
    ];
    for reason in TOO_MUCH {
        if let Some(count) = agent.dropped.get(&reason) {
            facts.push(Fact::new(reason.as_str(), show::count(*count)));
        }
    }
    let next = demand
        .work
        .iter()
        .filter(|it| it.agent.name != agent.name)
        .max_by(|a, b| a.utilization.total_cmp(&b.utilization));
    facts.extend(next.map(|it| {
        Fact::new("the next busiest", format!("{}, {}", it.agent.name, show::percent(it.utilization)))
    }));
    facts.extend(
        computes(demand).map(|part| {
            Fact::new("processor time of the process over time in handlers", show::percent(part))
        }),
    );
    facts
}

/// The process's processor time over all time in handlers: near 1, handlers compute; near 0, they wait.
fn computes(demand: &Demand<'_>) -> Option<f64> {
    let used = demand.evidence.system?.cpu_seconds?;
    let busy: f64 = demand.work.iter().map(|it| it.agent.busy_seconds).sum();
    (busy > 0.0).then(|| used / busy)
}

fn advice(demand: &Demand<'_>, work: &Work<'_>, is_skewed: bool) -> String {
    let name = &work.agent.name;
    if is_skewed {
        return format!(
            "Choose a finer key, so that the pool's members share the work of `{name}`; more members alone leave it where it is."
        );
    }
    let full = demand.evidence.system.and_then(|it| it.cpu).is_some_and(|used| used >= CPU_FULL);
    let waits = computes(demand).is_some_and(|part| part < WORTH_IT);
    if full {
        format!(
            "Make the handler of `{name}` cheaper: the processors are in use, so more instances would only share them."
        )
    } else if waits {
        format!(
            "Run more instances of `{name}` (`Pool::Shared`, or `Pool::ByKey` where order matters): its handler mostly waits, for something that is not measured here."
        )
    } else {
        format!(
            "Run more instances of `{name}` (`Pool::Shared`, or `Pool::ByKey` where order matters) on arbiters of their own, or make its handler faster."
        )
    }
}

/// How many times the mean work of its pool's other members it has, if that is too much.
fn skew(demand: &Demand<'_>, work: &Work<'_>) -> Option<f64> {
    let family = work.family()?;
    let others: Vec<f64> = demand
        .evidence
        .agents
        .iter()
        .filter(|it| {
            it.name != work.agent.name && it.name.rsplit_once('/').is_some_and(|(its, _)| its == family)
        })
        .map(|it| it.busy_seconds)
        .collect();
    let mean = others.iter().sum::<f64>() / others.len() as f64;
    let times = work.agent.busy_seconds / mean.max(1e-9);
    (!others.is_empty() && times >= SKEWED).then_some(times)
}

/// Most messages claim to be urgent, and those wait.
pub(super) fn urgency(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let found = demand.work.iter().filter(|it| it.is_saturated).filter_map(|work| {
        let lanes = &work.agent.lanes;
        let count = |urgent: bool| {
            let lanes = lanes.iter().filter(|(priority, _)| priority.is_bulk() != urgent);
            lanes.map(|(_, lane)| lane.count as f64).sum::<f64>()
        };
        let part = count(true) / (count(true) + count(false)).max(1.0);
        let waits = lanes.get(&Priority::Critical).map_or(0.0, |lane| lane.wait.mean);
        (part > TOO_MANY_URGENT && waits >= SHORTEST_WAIT.max(work.service)).then(|| Bottleneck {
            kind: BottleneckKind::Urgency,
            resource: work.agent.name.clone(),
            summary: format!(
                "{} of the messages to `{}` are Critical or High, and Critical ones wait {}.",
                show::percent(part),
                work.agent.name,
                show::time(waits)
            ),
            evidence: vec![
                Fact::new("Critical and High, of all", show::percent(part)),
                Fact::new("mean wait of Critical", show::time(waits)),
            ],
            // What it costs is time of urgent messages, not of all; the agent's own saturation comes first.
            weight: 0.1 * work.message_seconds() / demand.message_seconds.max(f64::MIN_POSITIVE),
            gain: Gain::of_time(
                0.0,
                part,
                "of Critical messages, if those that can wait are no longer among them",
            ),
            advice: format!("Grant Critical and High to less of what `{}` is sent.", work.agent.name),
        })
    });
    found.collect()
}
