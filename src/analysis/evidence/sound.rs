//! Evidence that can be reckoned with and written: every number finite and not negative, every name text.

use super::{AgentEvidence, Evidence, Lane, StoreEvidence, SystemEvidence, Times, Waits};

/// No second count, rate or size is larger: thirty thousand years, a terabyte a second. Beyond it a product could be infinite.
const LARGEST: f64 = 1e12;

/// Longest name, in characters.
const LONGEST_NAME: usize = 80;

impl Evidence {
    /// The same, with what is no number 0 or not known, and without marks in names.
    pub(in crate::analysis) fn made_sound(&self) -> Self {
        let mut evidence = self.clone();
        number(&mut evidence.seconds);
        name(&mut evidence.subject);
        evidence.agents.iter_mut().for_each(agent);
        for link in &mut evidence.links {
            name(&mut link.from);
            name(&mut link.to);
        }
        evidence.stores = std::mem::take(&mut evidence.stores)
            .into_iter()
            .map(|(mut called, mut store)| {
                name(&mut called);
                self::store(&mut store);
                (called, store)
            })
            .collect();
        if let Some(cache) = &mut evidence.cache {
            number(&mut cache.load_seconds);
        }
        if let Some(system) = &mut evidence.system {
            self::system(system);
        }
        if let Some(load) = &mut evidence.load {
            [&mut load.offered, &mut load.throughput, &mut load.p99].into_iter().for_each(number);
            [&mut load.generator.lag_p99, &mut load.generator.bound].into_iter().for_each(number);
            load.p99_by_priority.values_mut().for_each(number);
            load.wanted_p99.values_mut().for_each(number);
            load.breaker_open_seconds.values_mut().for_each(number);
            [&mut load.breaking_rate, &mut load.knee_rate, &mut load.recovery_seconds]
                .into_iter()
                .for_each(perhaps);
        }
        evidence
    }
}

fn number(number: &mut f64) {
    *number = super::sound(*number).min(LARGEST);
}

fn perhaps(number: &mut Option<f64>) {
    *number = number.filter(|it| it.is_finite() && *it >= 0.0).map(|it| it.min(LARGEST));
}

/// Backticks mark names in the report's texts.
fn name(name: &mut String) {
    let is_mark = |it: char| it == '`' || it.is_control();
    if name.contains(is_mark) || name.len() > LONGEST_NAME {
        *name = name.chars().take(LONGEST_NAME).map(|it| if is_mark(it) { '\'' } else { it }).collect();
    }
}

fn times(times: &mut Times) {
    [&mut times.mean, &mut times.p50, &mut times.p99, &mut times.max].into_iter().for_each(number);
}

fn agent(agent: &mut AgentEvidence) {
    name(&mut agent.name);
    name(&mut agent.agent_type);
    number(&mut agent.busy_seconds);
    agent.instances = agent.instances.max(1);
    for Lane { wait, service, response, .. } in agent.lanes.values_mut() {
        [wait, service, response].into_iter().for_each(times);
    }
}

fn store(store: &mut StoreEvidence) {
    for Waits { seconds, times: each, .. } in [&mut store.pool, &mut store.turns] {
        number(seconds);
        times(each);
    }
    number(&mut store.statement_seconds);
    // It stands in a cell between others.
    store.slow.iter_mut().for_each(|it| it.shape = it.shape.replace('`', "'"));
}

fn system(system: &mut SystemEvidence) {
    let SystemEvidence {
        cpu,
        cpu_cores,
        cpu_seconds,
        host_cpu,
        throttled,
        throttled_seconds,
        cpu_pressure,
        memory_pressure,
        io_pressure,
        disk_read,
        disk_written,
        files,
        ..
    } = system;
    let numbers = [&mut *cpu_cores, cpu_seconds, throttled_seconds, disk_read, disk_written];
    numbers.into_iter().for_each(perhaps);
    for ratio in [cpu, host_cpu, throttled, cpu_pressure, memory_pressure, io_pressure, files] {
        perhaps(ratio);
        *ratio = ratio.map(|it| it.min(1.0));
    }
}
