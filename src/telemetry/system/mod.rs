//! What the process, its host and its cgroup say of themselves.
//!
//! A [`SystemProbe`] takes [`SystemSample`]s. It reads files, so it belongs on a thread that may block. Whatever the
//! operating system does not tell is `None`: a limit that is not known is not a limit of zero.
//!
//! `sysinfo` reads what every system has (processor time and memory of process and host, files, disk bytes). What only Linux has
//! is read here: cgroups of version 2, pressure stall information, bytes of disks and networks, threads. Each parser is a
//! function over a text.

mod cgroup;
mod counters;
mod machine;
mod pressure;
mod probe;
mod sample;
mod samples;
mod threads;

#[cfg(test)]
mod tests;

pub use self::machine::Machine;
pub use self::pressure::{Pressure, Resource, Scope, Stall};
pub use self::probe::SystemProbe;
pub use self::sample::{CgroupSample, HostSample, ProcessSample, SystemSample};
