//! What a probe finds.

use serde::{Deserialize, Serialize};

use super::pressure::Pressure;

/// Process, host and cgroup at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemSample {
    /// This process.
    pub process: ProcessSample,
    /// The machine, virtual or not. In a container it is the machine around it.
    pub host: HostSample,
    /// The control group of version 2 that the process is in.
    pub cgroup: CgroupSample,
    /// Who waits for what; empty where the kernel does not tell.
    pub pressure: Vec<Pressure>,
}

impl SystemSample {
    /// What the process may have at most: the limit of its cgroup or the memory of the host, in bytes.
    #[must_use]
    pub fn memory_limit_bytes(&self) -> Option<u64> {
        match (self.cgroup.memory_limit_bytes, self.host.memory_bytes) {
            (Some(limit), Some(memory)) => Some(limit.min(memory)),
            (limit, memory) => limit.or(memory),
        }
    }

    /// The processors that the process may use: the limit of its cgroup or those of the host.
    #[must_use]
    pub fn cpu_limit_cores(&self) -> Option<f64> {
        let host = self.host.cpus.map(|cpus| cpus as f64);
        match (self.cgroup.cpu_limit_cores, host) {
            (Some(limit), Some(host)) => Some(limit.min(host)),
            (limit, host) => limit.or(host),
        }
    }

    /// What the process uses of these since the sample before, 0 to 1.
    #[must_use]
    pub fn cpu_ratio(&self) -> Option<f64> {
        Some(self.process.cpu_percent? / 100.0 / self.cpu_limit_cores()?)
    }

    /// What the process holds of what it may have, 0 to 1.
    #[must_use]
    pub fn memory_ratio(&self) -> Option<f64> {
        let limit = self.memory_limit_bytes().filter(|limit| *limit > 0)?;
        Some(self.process.resident_bytes? as f64 / limit as f64)
    }
}

/// The process at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessSample {
    /// Memory held, in bytes.
    pub resident_bytes: Option<u64>,
    /// Addresses reserved, in bytes.
    pub virtual_bytes: Option<u64>,
    /// Processor time in user and system mode, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Processor use since the sample before, in percent of one processor. Absent in the first: it is a difference.
    pub cpu_percent: Option<f64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Open files, sockets and the like.
    pub open_files: Option<u64>,
    /// How many may be open.
    pub open_files_limit: Option<u64>,
    /// Read from disks, in bytes.
    pub read_bytes: Option<u64>,
    /// Written to disks, in bytes.
    pub written_bytes: Option<u64>,
    /// When it started, in seconds since 1970.
    pub started_at_seconds: Option<u64>,
}

/// The host at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostSample {
    /// Processors.
    pub cpus: Option<u64>,
    /// Busy part of all processors since the sample before, in percent of all of them. Absent in the first.
    pub cpu_percent: Option<f64>,
    /// Load average of the last minute.
    pub load1: Option<f64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Memory that can be had without swapping, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Read from disks, in bytes.
    pub disk_read_bytes: Option<u64>,
    /// Written to disks, in bytes.
    pub disk_written_bytes: Option<u64>,
    /// Received by network interfaces but the loopback, in bytes.
    pub network_received_bytes: Option<u64>,
    /// Sent by network interfaces but the loopback, in bytes.
    pub network_sent_bytes: Option<u64>,
    /// Bytes a second read from disks since the sample before. Absent in the first, as the three below.
    pub disk_read_bytes_per_second: Option<f64>,
    /// Bytes a second written to disks.
    pub disk_written_bytes_per_second: Option<f64>,
    /// Bytes a second received.
    pub network_received_bytes_per_second: Option<f64>,
    /// Bytes a second sent.
    pub network_sent_bytes_per_second: Option<f64>,
}

/// A control group of version 2 at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CgroupSample {
    /// Memory charged to it, page cache included, in bytes.
    pub memory_bytes: Option<u64>,
    /// The tightest limit of it and of those above it, in bytes; `None` where there is no limit.
    pub memory_limit_bytes: Option<u64>,
    /// Processes killed for want of memory.
    pub oom_kills: Option<u64>,
    /// The tightest processor limit of it and of those above it, in processors; `None` where there is no limit.
    pub cpu_limit_cores: Option<f64>,
    /// Processor time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Periods in which the processor limit was enforced.
    pub periods: Option<u64>,
    /// Periods in which it was held back.
    pub throttled_periods: Option<u64>,
    /// How long it was held back, in seconds.
    pub throttled_seconds: Option<f64>,
}
