//! Processors, memory and disks. A resource at its limit that nobody waits for is not a bottleneck, but close to being one.

use crate::analysis::demand::Demand;
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::Gain;
use crate::analysis::limits::{CPU_FULL, IO_STALLED, MEMORY_FULL, MEMORY_STALLED, THROTTLED, WORTH_IT};
use crate::analysis::show;

/// Of a figure of the whole host only half is believed to be this process's.
const OF_HOST: f64 = 0.5;

pub(super) fn processors(demand: &Demand<'_>) -> Option<Bottleneck> {
    let system = demand.evidence.system?;
    let used = system.cpu.filter(|used| *used >= CPU_FULL && demand.suffers)?;
    let mut evidence = vec![Fact::new("processor time over what may be used", show::percent(used))];
    evidence.extend(system.cpu_cores.map(|it| Fact::new("processors", show::three(it))));
    evidence.extend(system.host_cpu.map(|it| Fact::new("busy part of the host", show::percent(it))));
    evidence.extend(
        system
            .cpu_pressure
            .map(|it| Fact::new("time in which something waited for a processor", show::percent(it))),
    );
    let mut busiest: Vec<_> = demand.work.iter().collect();
    busiest.sort_by(|a, b| b.agent.busy_seconds.total_cmp(&a.agent.busy_seconds));
    evidence.extend(
        busiest.iter().take(2).map(|it| {
            Fact::new(format!("in handlers of {}", it.agent.name), show::time(it.agent.busy_seconds))
        }),
    );
    Some(Bottleneck {
        kind: BottleneckKind::Cpu,
        resource: "processors".to_owned(),
        summary: format!("The process uses {} of the processors that it may.", show::percent(used)),
        evidence,
        weight: used * demand.hot_part.max(WORTH_IT),
        gain: Gain::by_doubling(2.0, "twice the processors, and work that spreads over them"),
        advice: "Give the process more processors, or make the handlers named here cheaper; more instances of anything will not help."
            .to_owned(),
    })
}

pub(super) fn throttling(demand: &Demand<'_>) -> Option<Bottleneck> {
    let system = demand.evidence.system?;
    let held = system.throttled.filter(|held| *held >= THROTTLED && demand.suffers)?;
    let mut evidence = vec![Fact::new("periods in which the limit held it back", show::percent(held))];
    evidence.extend(system.throttled_seconds.map(|it| Fact::new("held back for", show::time(it))));
    evidence.extend(system.cpu_cores.map(|it| Fact::new("limit, in processors", show::three(it))));
    evidence.extend(system.cpu.map(|it| Fact::new("used of the limit, on average", show::percent(it))));
    Some(Bottleneck {
        kind: BottleneckKind::Throttling,
        resource: "processor limit".to_owned(),
        summary: format!(
            "The control group's processor limit stops the process in {} of its periods; every message then waits for the next.",
            show::percent(held)
        ),
        evidence,
        weight: held * demand.hot_part.max(OF_HOST),
        gain: Gain::of_time(0.0, held, "the waits for the next period are the part of the time that is held back"),
        advice: "Raise the processor limit (`cpu.max`) or remove it and keep the request; or use fewer arbiters than the limit has processors."
            .to_owned(),
    })
}

pub(super) fn memory(demand: &Demand<'_>) -> Option<Bottleneck> {
    let system = demand.evidence.system?;
    let used = system.memory().unwrap_or(0.0);
    let stalled = system
        .memory_pressure
        .filter(|_| system.pressure_is_own || used >= MEMORY_FULL * OF_HOST)
        .unwrap_or(0.0);
    let is_short = used >= MEMORY_FULL || stalled >= MEMORY_STALLED;
    if !(system.oom_kills > 0 || (is_short && demand.suffers)) {
        return None;
    }
    let mut evidence = vec![Fact::new("killed for want of memory", show::count(system.oom_kills))];
    evidence.extend(system.memory_bytes.map(|it| Fact::new("most held", show::bytes(it as f64))));
    evidence.extend(system.memory_limit_bytes.map(|it| Fact::new("limit", show::bytes(it as f64))));
    evidence.extend(
        system
            .memory_pressure
            .map(|it| Fact::new("time in which something stalled for memory", show::percent(it))),
    );
    let queued: u64 = demand.work.iter().fold(0, |sum, it| sum.saturating_add(it.agent.queued));
    evidence.push(Fact::new("messages queued at the end", show::count(queued)));
    Some(Bottleneck {
        kind: BottleneckKind::Memory,
        resource: "memory".to_owned(),
        summary: if system.oom_kills > 0 {
            "Processes were killed for want of memory.".to_owned()
        } else {
            format!("The process holds {} of the memory that it may.", show::percent(used))
        },
        evidence,
        weight: if system.oom_kills > 0 {
            1.0
        } else {
            stalled.max(used - MEMORY_FULL) * demand.hot_part.max(OF_HOST)
        },
        gain: Gain::of_time(0.0, stalled, "the stalls for memory end"),
        advice: "Raise the limit, or hold less: smaller mailboxes, a smaller query cache, smaller batches."
            .to_owned(),
    })
}

pub(super) fn disks(demand: &Demand<'_>) -> Option<Bottleneck> {
    let system = demand.evidence.system?;
    let stalled = system.io_pressure.filter(|it| *it >= IO_STALLED && demand.suffers)?;
    let worked: f64 = demand.stores().map(|(_, it)| it.statement_seconds + it.turns.seconds).sum();
    // Without work on the disk it is somebody else's.
    let part = demand.part(worked);
    if part < WORTH_IT {
        return None;
    }
    let mut evidence = vec![
        Fact::new("time in which something waited for a disk", show::percent(stalled)),
        Fact::new("part of all time in handlers that is the store's", show::percent(part)),
    ];
    evidence.extend(
        system.disk_written.map(|it| Fact::new("written by the process", format!("{}/s", show::bytes(it)))),
    );
    evidence.extend(system.disk_read.map(|it| Fact::new("read by it", format!("{}/s", show::bytes(it)))));
    let believed = if system.pressure_is_own { 1.0 } else { OF_HOST };
    Some(Bottleneck {
        kind: BottleneckKind::Disk,
        resource: "disk".to_owned(),
        summary: format!(
            "Something waits for a disk in {} of the time, and the store is part of it.",
            show::percent(stalled)
        ),
        evidence,
        weight: demand.weight(part) * stalled * believed,
        gain: Gain::of_time(0.0, stalled * part, "the store's waits are waits for this disk"),
        advice: "Write less often (batches, fewer commits) or put the database on a faster disk.".to_owned(),
    })
}
