//! The process and what is around it.

use serde::Serialize;

use super::{ratio, sound};
use crate::telemetry::SystemSample;
use crate::telemetry::system::{Resource, Scope, Stall};

/// The process, its control group and its host in the window. Ratios are 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SystemEvidence {
    /// Processor time over what the process may use.
    pub cpu: Option<f64>,
    /// The processors it may use.
    pub cpu_cores: Option<f64>,
    /// Processor time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Busy part of all processors of the host.
    pub host_cpu: Option<f64>,
    /// Part of the periods in which the control group's processor limit held it back.
    pub throttled: Option<f64>,
    /// Seconds in which it was held back.
    pub throttled_seconds: Option<f64>,
    /// The most memory the process held, in bytes.
    pub memory_bytes: Option<u64>,
    /// What it may hold, in bytes.
    pub memory_limit_bytes: Option<u64>,
    /// Processes of the control group killed for want of memory.
    pub oom_kills: u64,
    /// Part of the time in which something waited for a processor.
    pub cpu_pressure: Option<f64>,
    /// The same for memory.
    pub memory_pressure: Option<f64>,
    /// The same for disks.
    pub io_pressure: Option<f64>,
    /// Whether these pressures are of the process's control group, and not of the whole host.
    pub pressure_is_own: bool,
    /// Bytes a second the process read from disks.
    pub disk_read: Option<f64>,
    /// Bytes a second it wrote to them.
    pub disk_written: Option<f64>,
    /// Open files over how many may be open.
    pub files: Option<f64>,
    /// Threads at the end.
    pub threads: Option<u64>,
}

impl SystemEvidence {
    /// The process since an earlier sample, so many seconds ago.
    #[must_use]
    pub fn since(now: &SystemSample, before: Option<&SystemSample>, seconds: f64) -> Self {
        let grown = |of: &dyn Fn(&SystemSample) -> Option<f64>| {
            let (now, then) = (of(now)?, of(before?)?);
            (now >= then).then_some(sound(now - then))
        };
        let per_second = |of: &dyn Fn(&SystemSample) -> Option<f64>| ratio(grown(of)?, seconds);
        let cores = now.cpu_limit_cores().filter(|cores| cores.is_finite() && *cores > 0.0);
        let cpu_seconds = grown(&|it| it.process.cpu_seconds);
        let measured = cpu_seconds.and_then(|used| ratio(used, seconds * cores?));
        let throttled = grown(&|it| it.cgroup.throttled_periods.map(|it| it as f64))
            .and_then(|held| ratio(held, grown(&|it| it.cgroup.periods.map(|it| it as f64))?));
        let (scope, pressure_is_own) = if now.pressure.iter().any(|it| it.scope == Scope::Cgroup) {
            (Scope::Cgroup, true)
        } else {
            (Scope::Host, false)
        };
        let pressure = |resource: Resource| {
            let find = |sample: &SystemSample| {
                let is_it = |it: &&crate::telemetry::system::Pressure| {
                    it.scope == scope && it.resource == resource && it.stall == Stall::Some
                };
                sample.pressure.iter().find(is_it).copied()
            };
            per_second(&|sample| Some(find(sample)?.stalled_seconds))
                .or_else(|| Some(sound(find(now)?.ratio)))
                .map(|ratio| ratio.min(1.0))
        };
        Self {
            cpu: measured
                .or_else(|| now.cpu_ratio().filter(|it| it.is_finite()))
                .map(|it| it.clamp(0.0, 1.0)),
            cpu_cores: cores,
            cpu_seconds,
            host_cpu: now.host.cpu_percent.map(|it| (sound(it) / 100.0).min(1.0)),
            throttled: throttled.map(|it| it.min(1.0)),
            throttled_seconds: grown(&|it| it.cgroup.throttled_seconds),
            memory_bytes: now.process.resident_bytes,
            memory_limit_bytes: now.memory_limit_bytes().filter(|limit| *limit > 0),
            oom_kills: grown(&|it| it.cgroup.oom_kills.map(|it| it as f64)).map_or(0, |it| it as u64),
            cpu_pressure: pressure(Resource::Cpu),
            memory_pressure: pressure(Resource::Memory),
            io_pressure: pressure(Resource::Io),
            pressure_is_own,
            disk_read: per_second(&|it| it.process.read_bytes.map(|it| it as f64)),
            disk_written: per_second(&|it| it.process.written_bytes.map(|it| it as f64)),
            files: now
                .process
                .open_files
                .and_then(|open| ratio(open as f64, now.process.open_files_limit? as f64)),
            threads: now.process.threads,
        }
    }

    /// Memory held over what may be held.
    #[must_use]
    pub fn memory(&self) -> Option<f64> {
        ratio(self.memory_bytes? as f64, self.memory_limit_bytes? as f64)
    }
}
