//! What is in a bundle.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::alert::Alert;
use crate::monitor::Monitor;
use crate::runtime::RuntimeHandle;
use crate::telemetry::{AgentSnapshot, Snapshot, Summary};

/// So many agents stand out by each measure.
const STAND_OUT: usize = 20;
/// So many agents are in the snapshot, the busiest first.
const AGENTS: usize = 1_000;
/// So many dead letters, the newest.
const LETTERS: usize = 200;

const MINUTES: [u64; 4] = [1, 5, 15, 60];

/// What is in a bundle, the most telling first.
#[derive(Debug)]
pub(in crate::remedy) struct Contents {
    pub(super) parts: Vec<Part>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Contents {
    /// Reads everything. Blocks for as long as a look and a snapshot of the monitor.
    pub(in crate::remedy) fn gather(runtime: &RuntimeHandle, monitor: &Monitor, alert: &Alert) -> Self {
        let summaries = MINUTES.map(|minutes| monitor.summary(Duration::from_secs(minutes * 60)));
        let mut snapshot = runtime.snapshot();
        let agents = agents(&snapshot, &summaries[1]);
        let all = snapshot.agents.len();
        snapshot.agents.sort_by(|a, b| b.busy_seconds.total_cmp(&a.busy_seconds));
        snapshot.agents.truncate(AGENTS);
        let system = monitor.latest().map(|look| look.system.clone());
        let history: Vec<_> = MINUTES
            .iter()
            .zip(&summaries)
            .map(|(minutes, it)| json!({ "minutes": minutes, "summary": it }))
            .collect();
        let parts = vec![
            json_part("alert.json", alert),
            json_part("agents.json", &agents),
            json_part("events.json", &events(runtime)),
            json_part("system.json", &json!({ "sample": system, "threads": threads() })),
            json_part("history.json", &history),
            Part { name: "latency.hlog", bytes: monitor.hdr_log(Duration::from_secs(MINUTES[3] * 60)) },
            json_part("snapshot.json", &json!({ "agents_in_all": all, "runtime": snapshot })),
        ];
        Self { parts }
    }
}

#[cfg(test)]
impl Contents {
    /// These files.
    pub(in crate::remedy) fn of(parts: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        Self { parts: parts.into_iter().map(|(name, bytes)| Part { name, bytes }).collect() }
    }
}

fn json_part(name: &'static str, value: &impl Serialize) -> Part {
    // None of these can fail to be written as JSON; if one did, the others are worth having.
    let bytes = serde_json::to_vec_pretty(value).unwrap_or_else(|error| error.to_string().into_bytes());
    Part { name, bytes }
}

/// A name, and how much of it an agent has.
type Measure<'a> = (&'static str, &'a dyn Fn(&AgentSnapshot) -> f64);

/// Who stands out by what, and where the time of these goes.
fn agents(snapshot: &Snapshot, recent: &Summary) -> Value {
    let of_recent = |name: &str| recent.agents.iter().find(|agent| agent.name == name);
    let busy = |agent: &AgentSnapshot| of_recent(&agent.name).map_or(0.0, |it| it.busy_ratio);
    let failures = |agent: &AgentSnapshot| of_recent(&agent.name).map_or(0, |it| it.failed) as f64;
    let queued = |agent: &AgentSnapshot| agent.depth.values().sum::<u64>() as f64;
    let measures: [Measure<'_>; 8] = [
        ("busy_ratio_last_5_minutes", &busy),
        ("failed_last_5_minutes", &failures),
        ("queued", &queued),
        ("waited_seconds", &waited_seconds),
        ("busy_seconds", &|agent| agent.busy_seconds),
        ("failed", &|agent| agent.failed as f64),
        ("cpu_seconds", &|agent| agent.cpu_seconds.unwrap_or(0.0)),
        ("allocated_bytes", &|agent| agent.allocated_bytes.unwrap_or(0) as f64),
    ];
    let mut named = BTreeSet::new();
    let mut top = serde_json::Map::new();
    for (measure, score) in measures {
        let mut scored: Vec<_> = snapshot
            .agents
            .iter()
            .map(|agent| (score(agent), agent))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.truncate(STAND_OUT);
        named.extend(scored.iter().map(|(_, agent)| agent.name.as_str()));
        let scored = scored.iter().map(|(score, agent)| json!({ "agent": agent.name, "value": score }));
        top.insert(measure.to_owned(), scored.collect());
    }
    let agents = snapshot.agents.iter().filter(|agent| named.contains(agent.name.as_str()));
    json!({ "top": top, "time": agents.map(time).collect::<Vec<_>>() })
}

/// Where the time of an agent, and of its messages, went since it was spawned.
fn time(agent: &AgentSnapshot) -> Value {
    let elsewhere = agent.cpu_seconds.map(|cpu| (agent.busy_seconds - cpu).max(0.0));
    json!({
        "agent": agent.name,
        "type": agent.agent_type,
        "instances": agent.instances,
        "state": agent.state,
        "messages_waited_seconds": waited_seconds(agent),
        "handlers_busy_seconds": agent.busy_seconds,
        "of_these_processor_seconds": agent.cpu_seconds,
        "of_these_waiting_seconds": elsewhere,
        "utilization_ratio": agent.utilization,
        "latency_nanoseconds": agent.latency,
    })
}

/// How long its messages waited, all together.
fn waited_seconds(agent: &AgentSnapshot) -> f64 {
    agent.latency.values().map(|it| it.count as f64 * it.wait.mean / 1e9).sum()
}

/// What befell agents, and messages that were not handled: what they were, never what was in them.
fn events(runtime: &RuntimeHandle) -> Value {
    let letters = runtime.dead_letters();
    let latest = letters.iter().rev().take(LETTERS).map(|letter| {
        json!({
            "agent": letter.agent,
            "kind": letter.kind,
            "priority": letter.priority,
            "reason": letter.reason,
            "attempts": letter.attempts,
            "age_seconds": letter.age_nanos as f64 / 1e9,
            "at": letter.at,
        })
    });
    json!({ "events": runtime.recent_events(), "dead_letters": latest.collect::<Vec<_>>() })
}

/// The process's threads, with the time each ran and the time it could have run and did not.
#[cfg(target_os = "linux")]
fn threads() -> Value {
    /// More is no diagnosis.
    const MOST: usize = 1_000;
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Value::Null };
    let thread = |path: std::path::PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let times = std::fs::read_to_string(path.join("schedstat")).ok()?;
        let mut times = times.split(' ').filter_map(|it| it.trim().parse::<u64>().ok());
        let (ran, waited) = (times.next()?, times.next()?);
        Some(json!({
            "name": name.trim_end(),
            "ran_seconds": ran as f64 / 1e9,
            "waited_for_a_processor_seconds": waited as f64 / 1e9,
        }))
    };
    tasks.filter_map(|task| thread(task.ok()?.path())).take(MOST).collect()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> Value {
    Value::Null
}
