//! What each agent did between the looks before and after the run.

use maud::{Markup, html};

use super::Section;
use crate::AgentSnapshot;
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::{foreign, nothing, numbers, table, words};
use crate::telemetry::Snapshot;

/// More rows than this nobody reads.
const MOST_AGENTS: usize = 200;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let after = run.result.snapshot_after.as_ref()?.runtime.as_ref()?;
    let before = run.result.snapshot_before.as_ref().and_then(|it| it.runtime.as_ref());
    if after.agents.is_empty() {
        return None;
    }
    let columns = [
        words("Agent"),
        numbers("Instances"),
        numbers("Handled"),
        numbers("Failed"),
        numbers("Not handled"),
        numbers("Restarts"),
        numbers("Queued after"),
        numbers("Busy, %"),
    ];
    let mut agents: Vec<&AgentSnapshot> = after.agents.iter().collect();
    agents.sort_by_key(|it| std::cmp::Reverse(it.handled));
    let left_out = agents.len().saturating_sub(MOST_AGENTS);
    let rows: Vec<Vec<Markup>> =
        agents.into_iter().take(MOST_AGENTS).map(|it| row(it, before, after)).collect();
    Section::new(
        "agents",
        "Agents",
        html! {
            p.says { "Between the looks before and after the run. Busy is time in handlers, waiting inside them included." }
            (table("Agents", &columns, &rows))
            @if left_out > 0 { p.note { (left_out) " agents that handled less are in the raw figures." } }
        },
    )
}

fn row(agent: &AgentSnapshot, before: Option<&Snapshot>, after: &Snapshot) -> Vec<Markup> {
    let earlier = before.and_then(|it| it.agent(&agent.name));
    let since = |count: fn(&AgentSnapshot) -> u64| {
        let count = count(agent).saturating_sub(earlier.map_or(0, count));
        html! { (number::count(count)) }
    };
    let seconds = after.uptime_seconds - before.map_or(0.0, |it| it.uptime_seconds);
    let busy = agent.busy_seconds - earlier.map_or(0.0, |it| it.busy_seconds);
    let busy = busy / seconds / agent.instances.max(1) as f64 * 100.0;
    vec![
        foreign(&agent.name),
        html! { (agent.instances) },
        since(|it| it.handled),
        since(|it| it.failed),
        since(|it| it.dropped.values().fold(0, |sum: u64, it| sum.saturating_add(*it))),
        since(|it| it.restarts),
        html! { (number::count(agent.depth.values().fold(0, |sum, it| sum.saturating_add(*it)))) },
        if busy.is_finite() && busy >= 0.0 {
            html! { (number::figure(busy)) }
        } else {
            nothing()
        },
    ]
}
