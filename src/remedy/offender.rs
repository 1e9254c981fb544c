//! Which agent is the worst.

use std::time::Duration;

use crate::telemetry::{AgentReading, AgentState};

/// The name of the agent that is the worst of those that serve and that `may` be chosen; `None` if nobody stands out.
///
/// If memory is short and counted, the one that holds most of it. Else the one whose queue would take longest to be
/// handled: messages waiting times the mean service time over the instances. If nobody has a queue, the busiest since
/// the last look. Of equal ones the first by name.
pub(super) fn worst<'a>(
    agents: &'a [AgentReading],
    memory_is_short: bool,
    may: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let candidates =
        || agents.iter().filter(|agent| agent.state == AgentState::Running).filter(|agent| may(&agent.name));
    let most = |score: &dyn Fn(&AgentReading) -> f64| {
        let mut worst: Option<(&'a str, f64)> = None;
        for agent in candidates() {
            let score = score(agent);
            if score > worst.map_or(0.0, |(_, most)| most) {
                worst = Some((&agent.name, score));
            }
        }
        worst.map(|(name, _)| name)
    };
    let held = |agent: &AgentReading| agent.allocated.unwrap_or(0) as f64;
    let busy = |agent: &AgentReading| agent.utilization.unwrap_or(0.0);
    let by_memory = memory_is_short.then(|| most(&held)).flatten();
    by_memory.or_else(|| most(&backlog_seconds)).or_else(|| most(&busy))
}

/// How long the queue would take.
fn backlog_seconds(agent: &AgentReading) -> f64 {
    let service = agent.busy.as_secs_f64() / agent.totals.attempts().max(1) as f64;
    // Of one that has handled nothing yet, nobody knows; its queue is counted all the same.
    let service = service.max(Duration::from_nanos(1).as_secs_f64());
    agent.queued() as f64 * service / agent.instances.max(1) as f64
}
