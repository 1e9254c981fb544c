//! The figures as a table for people and as JSON for scripts.

use std::fmt::Write as _;

use serde::Serialize;

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
    ns_per_op: f64,
    spread: f64,
    version: Option<&'static str>,
    operations: u64,
    rounds: usize,
    fastest: f64,
    slowest: f64,
}

impl<'a> Report<'a> {
    /// Puts figures and machine together.
    pub fn new(machine: &'a Machine, measured: &'a [Measured]) -> Self {
        let results = measured.iter().map(Figure::new).collect();
        Self { machine, results }
    }

    /// One table a workload, fastest first.
    pub fn tables(&self, measured: &[Measured]) -> String {
        let mut text = self.heading();
        for group in measured.chunk_by(|a, b| a.case.workload == b.case.workload) {
            let _ = writeln!(text, "\n{}: {}", group[0].case.workload, group[0].case.about);
            let _ = writeln!(
                text,
                "  {:<36} {:>8} {:>11} {:>7} {:>10}",
                "system", "version", "ns per op", "spread", "million/s"
            );
            let mut group: Vec<&Measured> = group.iter().collect();
            group.sort_by(|a, b| a.median().total_cmp(&b.median()));
            for one in group {
                let _ = writeln!(
                    text,
                    "  {:<36} {:>8} {:>11.1} {:>6.0}% {:>10.3}",
                    one.case.system,
                    machine::version(one.case.package).unwrap_or("?"),
                    one.median(),
                    one.spread() * 100.0,
                    1e3 / one.median(),
                );
            }
        }
        text
    }

    fn heading(&self) -> String {
        let machine = self.machine;
        let mut text = format!(
            "{}, {} cores, Linux {}, {}",
            machine.cpu_model, machine.cores, machine.kernel, machine.rustc
        );
        if let Some(load) = machine.load_average {
            let _ = write!(text, ", load average {load:.2} at the start");
        }
        text.push('\n');
        if machine.debug_assertions {
            text.push_str("THIS IS A DEBUG BUILD: its figures mean nothing.\n");
        }
        text
    }
}

impl<'a> Figure<'a> {
    fn new(one: &'a Measured) -> Self {
        Self {
            workload: one.case.workload,
            system: &one.case.system,
            ns_per_op: one.median(),
            spread: one.spread(),
            version: machine::version(one.case.package),
            operations: one.operations,
            rounds: one.rounds.len(),
            fastest: one.rounds.first().copied().unwrap_or(f64::NAN),
            slowest: one.rounds.last().copied().unwrap_or(f64::NAN),
        }
    }
}
