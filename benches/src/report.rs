//! The figures as a table for people and as JSON for scripts.

use std::fmt::Write as _;

use serde::Serialize;

use crate::footprint::Footprint;
use crate::machine::{self, Machine};
use crate::measure::Measured;

/// Everything one run has to say.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    machine: &'a Machine,
    results: Vec<Figure<'a>>,
}

/// One line of the tables. Scripts rely on the first four keys; the rest is there to judge them by.
#[derive(Debug, Serialize)]
pub struct Figure<'a> {
    workload: &'a str,
    system: &'a str,
    /// Nothing for a workload that takes no time, as `idle_bytes`.
    ns_per_op: Option<f64>,
    spread: Option<f64>,
    /// The median in terms of Statim's in the same workload: above one, Statim is the faster or the smaller.
    ratio: Option<f64>,
    version: Option<&'static str>,
    operations: u64,
    rounds: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fastest: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_agent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes_per_agent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

/// The system that all others are compared with, by its name in the tables.
const BASE: &str = "statim";

impl<'a> Report<'a> {
    /// Puts figures and machine together.
    pub fn new(machine: &'a Machine, measured: &'a [Measured], weighed: &'a [Footprint]) -> Self {
        let timed = measured.chunk_by(|a, b| a.case.workload == b.case.workload);
        let timed = timed.flat_map(|group| group.iter().map(|one| Figure::timed(one, base(group))));
        let heavy = weighed.chunk_by(|a, b| a.workload == b.workload);
        let heavy = heavy.flat_map(|group| group.iter().map(|one| Figure::weighed(one, base_weight(group))));
        Self { machine, results: timed.chain(heavy).collect() }
    }

    /// One table a workload, fastest or smallest first.
    pub fn tables(&self, measured: &[Measured], weighed: &[Footprint]) -> String {
        let mut text = self.machine.heading();
        for group in measured.chunk_by(|a, b| a.case.workload == b.case.workload) {
            times(&mut text, group);
        }
        for group in weighed.chunk_by(|a, b| a.workload == b.workload) {
            weights(&mut text, group);
        }
        text
    }
}

fn times(text: &mut String, group: &[Measured]) {
    let _ = writeln!(text, "\n{}: {}", group[0].case.workload, group[0].case.about);
    let _ = writeln!(
        text,
        "  {:<36} {:>8} {:>11} {:>7} {:>10} {:>8}",
        "system", "version", "ns per op", "spread", "million/s", "x statim"
    );
    let base = base(group);
    let mut group: Vec<&Measured> = group.iter().collect();
    group.sort_by(|a, b| a.median().total_cmp(&b.median()));
    for one in group {
        let _ = writeln!(
            text,
            "  {:<36} {:>8} {:>11.1} {:>6.0}% {:>10.3} {:>8}",
            one.case.system,
            version(one.case.package),
            one.median(),
            one.spread() * 100.0,
            1e3 / one.median(),
            ratio(base.map(|base| one.median() / base)),
        );
    }
}

fn weights(text: &mut String, group: &[Footprint]) {
    let _ = writeln!(text, "\n{}: {}", group[0].workload, group[0].about);
    let _ = writeln!(
        text,
        "  {:<36} {:>8} {:>11} {:>11} {:>10} {:>8} {:>8}",
        "system", "version", "heap bytes", "resident", "RSS MB", "seconds", "x statim"
    );
    let base = base_weight(group);
    let mut group: Vec<&Footprint> = group.iter().collect();
    group.sort_by(|a, b| a.median().bytes_per_agent.total_cmp(&b.median().bytes_per_agent));
    for one in group {
        let weighed = one.median();
        let _ = writeln!(
            text,
            "  {:<36} {:>8} {:>11.0} {:>11.0} {:>10.0} {:>8.2} {:>8}",
            one.scale.system,
            version(one.scale.package),
            weighed.bytes_per_agent,
            weighed.resident_bytes_per_agent,
            weighed.resident_bytes as f64 / 1e6,
            weighed.seconds,
            ratio(base.map(|base| weighed.bytes_per_agent / base)),
        );
    }
}

fn version(package: &str) -> &'static str {
    machine::version(package).unwrap_or("?")
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn base(group: &[Measured]) -> Option<f64> {
    group.iter().find(|one| one.case.system == BASE).map(Measured::median)
}

fn base_weight(group: &[Footprint]) -> Option<f64> {
    group.iter().find(|one| one.scale.system == BASE).map(|one| one.median().bytes_per_agent)
}

impl<'a> Figure<'a> {
    fn timed(one: &'a Measured, base: Option<f64>) -> Self {
        Self {
            workload: one.case.workload,
            system: &one.case.system,
            ns_per_op: Some(one.median()),
            spread: Some(one.spread()),
            ratio: base.map(|base| one.median() / base),
            version: machine::version(one.case.package),
            operations: one.operations,
            rounds: one.rounds.len(),
            fastest: one.rounds.first().copied(),
            slowest: one.rounds.last().copied(),
            bytes_per_agent: None,
            resident_bytes_per_agent: None,
            resident_bytes: None,
            seconds: None,
        }
    }

    fn weighed(one: &'a Footprint, base: Option<f64>) -> Self {
        let weighed = one.median();
        Self {
            workload: one.workload,
            system: &one.scale.system,
            ns_per_op: None,
            spread: None,
            ratio: base.map(|base| weighed.bytes_per_agent / base),
            version: machine::version(one.scale.package),
            operations: weighed.agents,
            rounds: one.rounds.len(),
            fastest: None,
            slowest: None,
            bytes_per_agent: Some(weighed.bytes_per_agent),
            resident_bytes_per_agent: Some(weighed.resident_bytes_per_agent),
            resident_bytes: Some(weighed.resident_bytes),
            seconds: Some(weighed.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::{Weighed, scales};

    #[test]
    fn what_takes_no_time_has_no_nanoseconds_but_bytes() {
        let scale = scales().swap_remove(0);
        let weighed = Weighed {
            agents: 10,
            seconds: 0.5,
            bytes_per_agent: 700.0,
            resident_bytes_per_agent: 900.0,
            resident_bytes: 9_000,
        };
        let weighed = [Footprint { workload: "idle_bytes", about: "", scale, rounds: vec![weighed] }];
        let machine = Machine::look();
        let report = serde_json::to_value(Report::new(&machine, &[], &weighed)).expect("it is plain data");
        let figure = &report["results"][0];
        assert!(figure["ns_per_op"].is_null());
        assert_eq!(figure["bytes_per_agent"], 700.0);
        assert_eq!(figure["ratio"], 1.0);
    }
}
