//! What an idle agent occupies, weighed in a process of its own: the program `footprint` counts its allocations, which
//! the program that takes times must not, and a resident set is that of one system only in a fresh process.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::crowd::Venue;
use crate::measure::Plan;
use crate::workloads::spawn::start_and_ask;
use crate::{Fault, crowds, memory};

/// What so many idle agents came to, each of which had answered one question.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Weighed {
    /// How many.
    pub agents: u64,
    /// From the first started to the last answer.
    pub seconds: f64,
    /// Live bytes on the heap for each, with one address to reach it by.
    pub bytes_per_agent: f64,
    /// Growth of the resident set for each.
    pub resident_bytes_per_agent: f64,
    /// The resident set with all of them in it, bytes.
    pub resident_bytes: u64,
}

/// A system that can be weighed.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Its name in the tables.
    pub system: String,
    /// The crate it comes from.
    pub package: &'static str,
    weigh: fn(u64) -> Result<Weighed, Fault>,
}

impl Scale {
    /// Weighs so many agents in this process, which must count its allocations.
    ///
    /// # Errors
    /// An answer was wrong, the system failed, or the process counts nothing.
    pub fn weigh_here(&self, agents: u64) -> Result<Weighed, Fault> {
        (self.weigh)(agents)
    }

    /// Weighs so many agents in a fresh process of `program`, the `footprint` of this package.
    ///
    /// # Errors
    /// The program did not start, or whatever it failed with.
    pub fn weigh(&self, program: &Path, agents: u64) -> Result<Weighed, Fault> {
        let output = Command::new(program)
            .args(["--system", &self.system, "--agents", &agents.to_string()])
            .output()
            .map_err(Fault::start)?;
        if !output.status.success() {
            return Err(Fault::start(String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(Fault::start)
    }
}

/// One system's weight in one workload.
#[derive(Debug, Clone)]
pub struct Footprint {
    /// The workload's name.
    pub workload: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The system.
    pub scale: Scale,
    /// What each round came to, lightest first.
    pub rounds: Vec<Weighed>,
}

impl Footprint {
    /// The round in the middle, by heap bytes.
    pub fn median(&self) -> &Weighed {
        &self.rounds[self.rounds.len() / 2]
    }
}

/// The workload `idle_bytes`: every system.
pub const IDLE_BYTES: &str = "idle_bytes";
/// The workload `a_million_agents`: Statim alone.
pub const A_MILLION_AGENTS: &str = "a_million_agents";

/// Agents of a full `idle_bytes`; a quick run starts a tenth.
const IDLE: u64 = 100_000;
const MILLION: u64 = 1_000_000;
/// Rounds of `idle_bytes`: bytes vary far less than times.
const ROUNDS: usize = 3;

/// Weighs every system that `wanted` (by workload and name) lets through, each round in a process of its own.
///
/// # Errors
/// The first system that failed, and why.
pub fn run(
    program: &Path,
    plan: Plan,
    wanted: impl Fn(&str, &str) -> bool,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Footprint>, String> {
    let mut all = Vec::new();
    let mut weigh = |workload, about, agents, rounds: usize| -> Result<(), String> {
        let scales = scales().into_iter().filter(|scale| {
            let takes_part = workload != A_MILLION_AGENTS || scale.package == "statim";
            takes_part && wanted(workload, &scale.system)
        });
        for (number, scale) in scales.enumerate() {
            if number == 0 {
                progress(workload);
            }
            let rounds = (0..rounds).map(|_| scale.weigh(program, agents)).collect::<Result<Vec<_>, _>>();
            let mut rounds = rounds.map_err(|fault| format!("{workload} on {}: {fault}", scale.system))?;
            rounds.sort_by(|a, b| a.bytes_per_agent.total_cmp(&b.bytes_per_agent));
            all.push(Footprint { workload, about, scale, rounds });
        }
        Ok(())
    };
    let is_quick = plan.divisor > 1;
    let about =
        "idle actors that have answered one question, bytes each; a process of its own for each system";
    weigh(IDLE_BYTES, about, IDLE / plan.divisor, if is_quick { 1 } else { ROUNDS })?;
    if !is_quick {
        weigh(A_MILLION_AGENTS, "a million idle agents in one process, each has answered once", MILLION, 1)?;
    }
    Ok(all)
}

/// Every system, in the order of the tables.
pub fn scales() -> Vec<Scale> {
    struct Collect(Vec<Scale>);

    impl crowds::Visitor for Collect {
        fn visit<V: Venue>(&mut self) {
            self.0.push(Scale { system: V::name(), package: V::package(), weigh: weigh::<V> });
        }
    }

    let mut scales = Collect(Vec::new());
    crowds::each(&mut scales);
    scales.0
}

fn weigh<V: Venue>(agents: u64) -> Result<Weighed, Fault> {
    V::run(move |here| async move {
        // One first, so that what the system sets up once is there before the weighing begins.
        let one = start_and_ask::<V::Crowd>(&here, 1).await?;
        let (heap, resident) = held()?;
        let started = Instant::now();
        let members = start_and_ask::<V::Crowd>(&here, agents).await?;
        let seconds = started.elapsed().as_secs_f64();
        let (heap_after, resident_after) = held()?;
        drop((one, members));
        let each = |before: u64, after: u64| (after as f64 - before as f64) / agents as f64;
        Ok(Weighed {
            agents,
            seconds,
            bytes_per_agent: each(heap, heap_after),
            resident_bytes_per_agent: each(resident, resident_after),
            resident_bytes: resident_after,
        })
    })
}

fn held() -> Result<(u64, u64), Fault> {
    let heap = memory::heap_bytes().ok_or_else(|| Fault::start("this program does not count allocations"))?;
    let resident = memory::resident_bytes().ok_or_else(|| Fault::start("no resident set in /proc"))?;
    Ok((heap, resident))
}
