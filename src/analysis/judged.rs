//! The parts of an analysis that are not bottlenecks: verdict, tables, headroom, and what could not be judged.

use super::demand::Demand;
use super::findings::{Bottleneck, Headroom, Recommendation, ResourceLine, ResponseLine, Unjudged, Verdict};
use super::limits::{CPU_FULL, FEWEST, MEMORY_FULL, SATURATED};
use super::show;

/// Things that are told to be closest to their limit.
const CLOSEST: usize = 5;

/// Part of a mailbox or of the open files from which on they are full.
const FULL: f64 = 0.9;

pub(super) fn verdict(demand: &Demand<'_>, bottlenecks: &[Bottleneck], headroom: &[Headroom]) -> Verdict {
    let load = demand.evidence.load.as_ref();
    let targets = load.map(|it| it.targets.clone()).unwrap_or_default();
    let missed = targets.iter().filter(|it| it.met == Some(false)).count();
    let closest = headroom.first();
    let headline = match (bottlenecks, demand.work.is_empty()) {
        ([], true) if load.is_none() => "Nothing was measured: no agent handled a message.".to_owned(),
        ([], _) => {
            let closest = closest.map_or_else(String::new, |it| {
                let used =
                    format!(" Closest to its limit is {}, {} used", it.resource, show::percent(it.used));
                if it.times > 1.0 {
                    let (times, limit) = (show::three(it.times), show::percent(it.limit));
                    format!("{used}; it takes {times} times the load to bring it to {limit}.")
                } else {
                    format!(
                        "{used}; that is too much, but nobody waits for it yet, or too little was measured."
                    )
                }
            });
            format!("No bottleneck found.{closest}")
        }
        ([first, rest @ ..], _) => {
            let more = match rest.len() {
                0 => String::new(),
                1 => " One more was found.".to_owned(),
                more => format!(" {more} more were found."),
            };
            format!("The first bottleneck is `{}`. {}{more}", first.resource, first.summary)
        }
    };
    let mut details = Vec::new();
    if let Some(load) = load {
        details.push(format!(
            "Offered were {}, completed {}; {} of {} messages failed; p99 {}.",
            show::rate(load.offered),
            show::rate(load.throughput),
            show::count(load.failed),
            show::count(load.total),
            show::time(load.p99)
        ));
        if load.dropped_sends > 0 {
            details.push(format!(
                "{} messages were not sent at all, because as many were under way as the scenario allows.",
                show::count(load.dropped_sends)
            ));
        }
        details.push(match missed {
            0 => "Every threshold and target that this run tells was met.".to_owned(),
            1 => "One threshold or target was missed.".to_owned(),
            missed => format!("{missed} thresholds or targets were missed."),
        });
    }
    if missed > 0 && bottlenecks.is_empty() {
        details.push(
            "What was missed is not explained by anything measured; see below for what was not measured."
                .to_owned(),
        );
    }
    Verdict { healthy: bottlenecks.is_empty() && missed == 0, headline, details, targets }
}

pub(super) fn responses(demand: &Demand<'_>) -> Vec<ResponseLine> {
    let wanted = demand.evidence.load.as_ref().map(|it| &it.wanted_p99);
    let mut lines: Vec<_> = demand
        .work
        .iter()
        .flat_map(|work| work.agent.lanes.iter().map(move |(priority, lane)| (work, priority, lane)))
        .map(|(work, priority, lane)| {
            let wanted_p99 = wanted.and_then(|it| it.get(priority)).copied();
            ResponseLine {
                agent: work.agent.name.clone(),
                priority: *priority,
                count: lane.count,
                wait: lane.wait.mean,
                service: lane.service.mean,
                response: lane.response.mean,
                response_p99: lane.response.p99,
                wanted_p99,
                met: wanted_p99.map(|wanted| lane.response.p99 <= wanted),
            }
        })
        .collect();
    // Where messages spent the most time comes first.
    let seconds = |it: &ResponseLine| it.response * it.count as f64;
    lines.sort_by(|a, b| seconds(b).total_cmp(&seconds(a)));
    lines
}

pub(super) fn resources(demand: &Demand<'_>) -> Vec<ResourceLine> {
    let mut lines = Vec::new();
    let mut line = |resource: String, used: String, limit: String, ratio: Option<f64>, note: &str| {
        lines.push(ResourceLine { resource, used, limit, ratio, note: note.to_owned() });
    };
    if let Some(system) = &demand.evidence.system {
        if let Some(used) = system.cpu {
            let cores =
                system.cpu_cores.map_or_else(String::new, |it| format!("{} processors", show::three(it)));
            let time = system
                .cpu_seconds
                .map_or_else(|| show::percent(used), |it| format!("{} of processor time", show::time(it)));
            line("Processors".to_owned(), time, cores, Some(used), "of what the process may use");
        }
        if let Some(used) = system.host_cpu {
            line(
                "Processors of the host".to_owned(),
                show::percent(used),
                String::new(),
                Some(used),
                "everybody's",
            );
        }
        if let Some(held) = system.throttled {
            let seconds = system.throttled_seconds.map_or_else(String::new, show::time);
            line(
                "Processor limit".to_owned(),
                seconds,
                String::new(),
                Some(held),
                "periods in which it held the process back",
            );
        }
        if let Some(bytes) = system.memory_bytes {
            let limit = system.memory_limit_bytes.map_or_else(String::new, |it| show::bytes(it as f64));
            line("Memory".to_owned(), show::bytes(bytes as f64), limit, system.memory(), "the most held");
        }
        let whose = if system.pressure_is_own { "of the control group" } else { "of the whole host" };
        let pressures = [
            ("processors", system.cpu_pressure),
            ("memory", system.memory_pressure),
            ("disks", system.io_pressure),
        ];
        for (what, pressure) in pressures {
            if let Some(ratio) = pressure {
                line(format!("Waits for {what}"), show::percent(ratio), String::new(), Some(ratio), whose);
            }
        }
        let disk = [("Disk, written", system.disk_written), ("Disk, read", system.disk_read)];
        for (what, bytes) in disk {
            if let Some(bytes) = bytes {
                line(
                    what.to_owned(),
                    format!("{}/s", show::bytes(bytes)),
                    String::new(),
                    None,
                    "by the process",
                );
            }
        }
        if let Some(ratio) = system.files {
            line(
                "Open files".to_owned(),
                show::percent(ratio),
                String::new(),
                Some(ratio),
                "of how many may be open",
            );
        }
    }
    for (name, store) in demand.stores() {
        let ratio = super::evidence::ratio(store.in_use as f64, store.connections as f64);
        let waits = format!(
            "callers wait {} on average, {} gave up",
            show::time(store.pool.mean()),
            show::count(store.timeouts)
        );
        line(
            format!("Connections of {name}"),
            show::count(store.in_use as u64),
            show::count(store.connections as u64),
            ratio,
            &waits,
        );
        if store.turns.count > 0 {
            let turns = format!("{} turns", show::count(store.turns.count));
            let waits = format!("writers wait {} on average", show::time(store.turns.mean()));
            line(format!("Turn to write of {name}"), turns, String::new(), None, &waits);
        }
        let busy = super::evidence::ratio(
            store.statement_seconds,
            demand.evidence.seconds * (store.connections.max(1)) as f64,
        );
        line(
            format!("Statements of {name}"),
            show::count(store.statements),
            String::new(),
            busy.map(|it| it.min(1.0)),
            &format!("{} of work, over time and connections", show::time(store.statement_seconds)),
        );
    }
    if let Some(cache) = &demand.evidence.cache {
        let held = format!("{} results, {}", show::count(cache.entries), show::bytes(cache.bytes as f64));
        let note = format!("hits, of {} queries", show::count(cache.queries));
        line("Query cache".to_owned(), held, String::new(), Some(cache.hit_ratio()), &note);
    }
    lines
}

pub(super) fn headroom(demand: &Demand<'_>) -> Vec<Headroom> {
    let of = |resource: String, used: f64, limit: f64| {
        (used > 0.0).then(|| Headroom { resource, used, limit, times: limit / used })
    };
    let agents = demand.work.iter().flat_map(|work| {
        let agent = work.agent;
        let queued = super::evidence::ratio(agent.queued as f64, agent.capacity as f64).unwrap_or(0.0);
        [
            of(format!("the agent `{}`", agent.name), work.utilization, SATURATED),
            of(format!("the mailbox of `{}`", agent.name), queued, FULL),
        ]
    });
    let system = demand.evidence.system.iter().flat_map(|system| {
        [
            of("the processors".to_owned(), system.cpu.unwrap_or(0.0), CPU_FULL),
            of("the memory".to_owned(), system.memory().unwrap_or(0.0), MEMORY_FULL),
            of("the number of open files".to_owned(), system.files.unwrap_or(0.0), FULL),
        ]
    });
    let stores = demand.stores().map(|(name, store)| {
        // Connections work at least as long as their statements do.
        let connections = store.connections.max(1) as f64 * demand.evidence.seconds;
        let worked = super::evidence::ratio(store.statement_seconds, connections).unwrap_or(0.0);
        let handed = super::evidence::ratio(store.in_use as f64, store.connections as f64).unwrap_or(0.0);
        of(format!("the connections of `{name}`"), worked.max(handed), FULL)
    });
    let mut all: Vec<_> = agents.flatten().chain(system.flatten()).chain(stores.flatten()).collect();
    all.sort_by(|a, b| a.times.total_cmp(&b.times));
    all.truncate(CLOSEST);
    all
}

pub(super) fn recommendations(bottlenecks: &[Bottleneck]) -> Vec<Recommendation> {
    let recommend = |it: &Bottleneck| Recommendation {
        resource: it.resource.clone(),
        advice: it.advice.clone(),
        gain: it.gain.clone(),
    };
    bottlenecks.iter().map(recommend).collect()
}

pub(super) fn unjudged(demand: &Demand<'_>) -> Vec<Unjudged> {
    let evidence = demand.evidence;
    let mut all: Vec<Unjudged> = Vec::new();
    let mut add = |what: &str, how: &str| all.push(Unjudged { what: what.to_owned(), how: how.to_owned() });
    if evidence.agents.is_empty() {
        add(
            "Agents",
            "The source names none; analyse a load test in process, or the `/snapshot` of a running system.",
        );
    } else if demand.work.iter().all(|it| it.agent.attempts() < FEWEST) {
        add(
            "Agents that handled fewer than 20 messages",
            "Let it run longer, or offer more; a mean of so few is not to be believed.",
        );
    } else if demand.work.iter().any(|it| it.agent.lanes.is_empty() && it.agent.attempts() > 0) {
        add(
            "Waits of agents without latencies",
            "Switch the recording of latencies on (`RuntimeBuilder::latencies`).",
        );
    }
    if evidence.agents.iter().all(|it| it.arbiters.is_empty()) && !evidence.agents.is_empty() {
        add("Which agents share a thread", "Take the snapshot with a version that says `arbiters`.");
    }
    if evidence.stores.is_empty() {
        add(
            "Pool, turn to write and statements of the store",
            "Let the target's observation carry the store's statistics (`statim::analysis::statistics`).",
        );
    }
    if evidence.cache.is_none() {
        add(
            "The query cache",
            "Let the target's observation carry the cache's snapshot, if there is a cache.",
        );
    }
    match &evidence.system {
        None => add(
            "Processors, memory and disks",
            "Run on Linux with a monitor that looks, or a target that observes its process.",
        ),
        Some(system) => {
            if system.cpu.is_none() {
                add(
                    "Processor use",
                    "It is a difference of two looks at least 200 ms apart; take the snapshot later.",
                );
            }
            if system.memory_limit_bytes.is_none() {
                add("Memory against its limit", "No limit is known; set one for the control group.");
            }
            if system.cpu_pressure.is_none() {
                add("Pressure", "The kernel does not tell; it needs `CONFIG_PSI` and `psi=1`.");
            }
            if system.throttled.is_none() {
                add(
                    "Throttling",
                    "There is no control group with a processor limit, or only one reading of it.",
                );
            }
        }
    }
    if evidence.links.is_empty() && demand.work.len() > 1 {
        add(
            "Who asks whom",
            "Questions outside links are not counted one by one; put a link between agents to have them told.",
        );
    }
    add(
        "Waits for locks and services of the program's own",
        "Time them with `monitor.registry().time(…)`; to the runtime they are time in a handler.",
    );
    all.extend(
        evidence.gaps.iter().map(|gap| Unjudged { what: "Of the source".to_owned(), how: gap.clone() }),
    );
    all
}
