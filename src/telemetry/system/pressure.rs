//! Pressure stall information: how much of the time tasks waited for a resource.

use serde::{Deserialize, Serialize};

/// Whose tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of the host's.
    Host,
    /// Those of the process's control group.
    Cgroup,
}

/// What they waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A processor.
    Cpu,
    /// Memory.
    Memory,
    /// Input and output.
    Io,
}

/// How many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stall {
    /// At least one.
    Some,
    /// All, so that nothing got done.
    Full,
}

macro_rules! named {
    ($kind:ident: $($variant:ident $name:literal),*) => {
        impl $kind {
            /// As labels write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}
named!(Scope: Host "host", Cgroup "cgroup");
named!(Resource: Cpu "cpu", Memory "memory", Io "io");
named!(Stall: Some "some", Full "full");

impl Resource {
    pub(super) const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Io];
}

/// One line of a pressure file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Whose tasks.
    pub scope: Scope,
    /// What they waited for.
    pub resource: Resource,
    /// How many of them.
    pub stall: Stall,
    /// Part of the last 10 s, 0 to 1.
    pub ratio: f64,
    /// All in all, in seconds.
    pub stalled_seconds: f64,
}

/// Reads a pressure file: lines such as `some avg10=0.12 avg60=0.05 avg300=0.01 total=123456`, the total in microseconds.
/// A line that is not such a line is passed over.
pub(super) fn parse(text: &str, scope: Scope, resource: Resource) -> impl Iterator<Item = Pressure> {
    text.lines().take(8).filter_map(move |line| {
        let (stall, figures) = line.split_once(' ')?;
        let stall = match stall {
            "some" => Stall::Some,
            "full" => Stall::Full,
            _ => return None,
        };
        let figure = |name: &str| {
            figures.split_ascii_whitespace().find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
        };
        let percent: f64 = figure("avg10")?.parse().ok().filter(|it| (0.0..=100.0).contains(it))?;
        let micros: u64 = figure("total")?.parse().ok()?;
        Some(Pressure {
            scope,
            resource,
            stall,
            ratio: percent / 100.0,
            stalled_seconds: micros as f64 / 1e6,
        })
    })
}
