//! What the process costs.

use serde::Serialize;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The process at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProcessSample {
    /// Memory held, in bytes.
    pub resident_bytes: u64,
    /// Processor use since the sample before, in percent of one processor. Absent in the first: it is a difference.
    pub cpu_percent: Option<f32>,
}

/// Samples this process. Keeps one `System`, since processor use is a difference between two looks.
#[derive(Debug)]
pub(super) struct ProcessProbe {
    system: System,
    pid: Pid,
    looks: u64,
}

impl ProcessProbe {
    /// `None` where the operating system says nothing about processes.
    pub(super) fn new() -> Option<Self> {
        let pid = sysinfo::get_current_pid().ok()?;
        Some(Self { system: System::new().ok()?, pid, looks: 0 })
    }

    /// Looks; blocks for a system call or two.
    pub(super) fn look(&mut self) -> Option<ProcessSample> {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), false, kind);
        let process = self.system.process(self.pid)?;
        self.looks += 1;
        Some(ProcessSample {
            resident_bytes: process.memory(),
            cpu_percent: (self.looks > 1).then(|| process.cpu_usage()),
        })
    }
}
