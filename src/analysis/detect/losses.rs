//! Handlers that fail, and mailboxes that have no room although their agent has time.

use super::links::is_behind_breaker;
use crate::analysis::demand::{Demand, TOO_MUCH, Work, is_asked};
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::Gain;
use crate::analysis::limits::{FEWEST_FOR_PARTS, LOST};
use crate::analysis::show;

pub(super) fn failures(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let fails = |it: &&Work<'_>| {
        let agent = it.agent;
        agent.attempts() >= FEWEST_FOR_PARTS
            && agent.failed as f64 >= LOST * agent.attempts() as f64
            && !is_behind_breaker(demand, &agent.name, agent.failed)
    };
    let found = demand.work.iter().filter(fails).map(|work| {
        let agent = work.agent;
        let failed = agent.failed as f64 / agent.attempts() as f64;
        Bottleneck {
            kind: BottleneckKind::Failures,
            resource: agent.name.clone(),
            summary: format!("{} of the attempts of `{}` fail.", show::percent(failed), agent.name),
            evidence: vec![
                Fact::new("failed attempts", format!("{} of {}", show::count(agent.failed), show::count(agent.attempts()))),
                Fact::new("panics", show::count(agent.panicked)),
                Fact::new("restarts", show::count(agent.restarts)),
                Fact::new("part of the time in handlers that failed attempts took, at their mean", show::percent(failed)),
            ],
            weight: (agent.failed as f64 / demand.most).min(1.0),
            gain: Gain::of_losses(failed * 0.5, 1.0, "the failures have one cause and it is mended"),
            advice: format!(
                "Read the log of `{}` and its dead letters for the error; each failed attempt costs as much as a good one.",
                agent.name
            ),
        }
    });
    found.collect()
}

pub(super) fn mailboxes(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let loses = |(place, it): &(usize, &Work<'_>)| {
        // A saturated agent's losses are told with it.
        !it.is_saturated && !is_asked(&demand.work, *place) && it.lost() >= 10 && it.lost_part() >= LOST
    };
    let found = demand.work.iter().enumerate().filter(loses).map(|(_, work)| {
        let agent = work.agent;
        let reasons = TOO_MUCH.iter().filter_map(|it| Some((it, agent.dropped.get(it)?)));
        let mut evidence: Vec<_> =
            reasons.map(|(reason, count)| Fact::new(reason.as_str(), show::count(*count))).collect();
        evidence.push(Fact::new("room in the mailbox", show::count(agent.capacity as u64)));
        evidence.push(Fact::new("busy", show::percent(work.utilization)));
        evidence.push(Fact::new("mean wait", show::time(work.wait)));
        Bottleneck {
            kind: BottleneckKind::Mailbox,
            resource: agent.name.clone(),
            summary: format!(
                "`{}` refuses or sheds {} of its messages although it is busy only {} of the time: they come in bursts that its mailbox or its admission control does not take.",
                agent.name,
                show::percent(work.lost_part()),
                show::percent(work.utilization)
            ),
            evidence,
            weight: (work.lost() as f64 / demand.most).min(1.0),
            gain: Gain::of_losses(0.0, (1.0 - work.utilization).clamp(0.0, 1.0), "the bursts fit, and whoever sends them can wait as long"),
            advice: format!(
                "Let the senders of `{}` wait (`Overflow::Wait`) or spread what they send; enlarge its mailbox by the size of a burst.",
                agent.name
            ),
        }
    });
    found.collect()
}
