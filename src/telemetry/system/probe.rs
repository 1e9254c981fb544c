//! Takes samples.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::counters::{self, Traffic};
use super::pressure::{self, Pressure, Resource, Scope};
use super::sample::{CgroupSample, HostSample, ProcessSample, SystemSample};
use super::{cgroup, threads};

/// Shortest time over which processor use is told: the kernel counts in hundredths of a second.
const SHORTEST: Duration = Duration::from_millis(200);

/// Most that is read of a file of the kernel's.
const LONGEST_FILE: u64 = 1 << 20;

/// Takes samples of this process and what is around it. Blocks for some system calls (under a millisecond when nothing is
/// wrong), so it belongs on a thread that may.
#[derive(Debug)]
pub struct SystemProbe {
    system: Option<System>,
    pid: Option<Pid>,
    /// Where our cgroup is; `None` where there is none of version 2.
    cgroup: Option<(PathBuf, PathBuf)>,
    before: Option<Before>,
    last: SystemSample,
}

/// What differences are taken to.
#[derive(Debug, Clone, Copy)]
struct Before {
    at: Instant,
    cpu_seconds: Option<f64>,
    disks: Option<Traffic>,
    networks: Option<Traffic>,
}

impl Default for SystemProbe {
    fn default() -> Self {
        Self::new()
    }
}

impl SystemProbe {
    /// Looks for what there is to be sampled. Never fails: what there is not is not known.
    #[must_use]
    pub fn new() -> Self {
        let mount = text("/proc/self/mountinfo").and_then(|text| cgroup::mount_point(&text));
        let group = text("/proc/self/cgroup").and_then(|text| cgroup::group(&text).map(Path::to_owned));
        Self {
            system: System::new().ok(),
            pid: sysinfo::get_current_pid().ok(),
            cgroup: mount.zip(group),
            before: None,
            last: SystemSample::default(),
        }
    }

    /// Takes a sample. One that is asked for less than 200 ms after the last is the last: processor use could not be told.
    pub fn sample(&mut self) -> SystemSample {
        let now = Instant::now();
        let since = self.before.as_ref().map(|before| now.duration_since(before.at));
        if since.is_some_and(|since| since < SHORTEST) {
            return self.last.clone();
        }
        let disks = text("/proc/diskstats").and_then(|text| counters::disks(&text));
        let networks = text("/proc/net/dev").and_then(|text| counters::networks(&text));
        let mut process = self.process();
        let mut host = self.host();
        (host.disk_read_bytes, host.disk_written_bytes) = split(disks);
        (host.network_received_bytes, host.network_sent_bytes) = split(networks);
        if let Some((before, since)) = self.before.zip(since) {
            let seconds = since.as_secs_f64();
            let used = process.cpu_seconds.zip(before.cpu_seconds).map(|(now, then)| (now - then).max(0.0));
            process.cpu_percent = used.map(|used| used / seconds * 100.0);
            (host.disk_read_bytes_per_second, host.disk_written_bytes_per_second) =
                rates(disks, before.disks, seconds);
            (host.network_received_bytes_per_second, host.network_sent_bytes_per_second) =
                rates(networks, before.networks, seconds);
        } else {
            // sysinfo's first reading is of a difference to nothing.
            host.cpu_percent = None;
        }
        self.before = Some(Before { at: now, cpu_seconds: process.cpu_seconds, disks, networks });
        let (cgroup, pressure) = (self.cgroup_sample(), self.pressure());
        self.last = SystemSample { process, host, cgroup, pressure };
        self.last.clone()
    }

    fn process(&mut self) -> ProcessSample {
        let mut sample = ProcessSample {
            threads: text("/proc/self/stat").and_then(|text| threads::count(&text)),
            ..ProcessSample::default()
        };
        let (Some(system), Some(pid)) = (&mut self.system, self.pid) else { return sample };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        let Some(process) = system.process(pid) else { return sample };
        let disk = process.disk_usage();
        sample.resident_bytes = known(process.memory());
        sample.virtual_bytes = known(process.virtual_memory());
        sample.cpu_seconds = Some(process.accumulated_cpu_time() as f64 / 1e3);
        sample.open_files = process.open_files().map(|files| files as u64);
        sample.open_files_limit = process.open_files_limit().map(|files| files as u64);
        sample.read_bytes = Some(disk.total_read_bytes);
        sample.written_bytes = Some(disk.total_written_bytes);
        sample.started_at_seconds = known(process.start_time());
        sample
    }

    fn host(&mut self) -> HostSample {
        let Some(system) = &mut self.system else { return HostSample::default() };
        system.refresh_cpu_usage();
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        HostSample {
            cpus: known(system.cpus().len() as u64),
            cpu_percent: Some(f64::from(system.global_cpu_usage())),
            load1: System::load_average().ok().map(|load| load.one),
            memory_bytes: known(system.total_memory()),
            memory_available_bytes: known(system.available_memory()),
            ..HostSample::default()
        }
    }

    fn cgroup_sample(&self) -> CgroupSample {
        let Some((mount, group)) = &self.cgroup else { return CgroupSample::default() };
        cgroup::sample(mount, group, |path| text(path))
    }

    fn pressure(&self) -> Vec<Pressure> {
        let mut found = Vec::new();
        for resource in Resource::ALL {
            let name = resource.as_str();
            if let Some(text) = text(Path::new("/proc/pressure").join(name)) {
                found.extend(pressure::parse(&text, Scope::Host, resource));
            }
            let own =
                self.cgroup.as_ref().map(|(mount, group)| mount.join(group).join(format!("{name}.pressure")));
            if let Some(text) = own.and_then(text) {
                found.extend(pressure::parse(&text, Scope::Cgroup, resource));
            }
        }
        found
    }
}

/// sysinfo says zero for what it does not know; these are never zero.
fn known(value: u64) -> Option<u64> {
    (value > 0).then_some(value)
}

fn split(traffic: Option<Traffic>) -> (Option<u64>, Option<u64>) {
    traffic.map(|it| (it.incoming, it.outgoing)).unzip()
}

fn rates(now: Option<Traffic>, before: Option<Traffic>, seconds: f64) -> (Option<f64>, Option<f64>) {
    let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
    now.zip(before)
        .map(|(now, before)| (rate(now.incoming, before.incoming), rate(now.outgoing, before.outgoing)))
        .unzip()
}

/// The text of a file of the kernel's; `None` where there is none, or none that is text.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}
