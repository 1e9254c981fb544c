//! A system sample as metrics.

use super::pressure::{Resource, Scope, Stall};
use super::sample::SystemSample;
use crate::telemetry::names::{Metric, metric};
use crate::telemetry::sample::MetricSample;

type Read = fn(&SystemSample) -> Option<f64>;

const NUMBERS: &[(&Metric, Read)] = &[
    (metric::PROCESS_CPU, |it| it.process.cpu_seconds),
    (metric::PROCESS_MEMORY, |it| float(it.process.resident_bytes)),
    (metric::PROCESS_VIRTUAL_MEMORY, |it| float(it.process.virtual_bytes)),
    (metric::PROCESS_THREADS, |it| float(it.process.threads)),
    (metric::PROCESS_FILES, |it| float(it.process.open_files)),
    (metric::PROCESS_FILES_MOST, |it| float(it.process.open_files_limit)),
    (metric::PROCESS_START, |it| float(it.process.started_at_seconds)),
    (metric::CPU_USED, SystemSample::cpu_ratio),
    (metric::CPU_THROTTLED, |it| it.cgroup.throttled_seconds),
    (metric::CPU_LIMIT, SystemSample::cpu_limit_cores),
    (metric::CPU_PERIODS, |it| float(it.cgroup.periods)),
    (metric::CPU_THROTTLED_PERIODS, |it| float(it.cgroup.throttled_periods)),
    (metric::MEMORY_LIMIT, |it| float(it.memory_limit_bytes())),
    (metric::MEMORY_USED, SystemSample::memory_ratio),
    (metric::CGROUP_MEMORY, |it| float(it.cgroup.memory_bytes)),
    (metric::CGROUP_CPU, |it| it.cgroup.cpu_seconds),
    (metric::CGROUP_KILLS, |it| float(it.cgroup.oom_kills)),
    (metric::HOST_CPU, |it| it.host.cpu_percent.map(|percent| percent / 100.0)),
    (metric::HOST_LOAD, |it| it.host.load1),
    (metric::HOST_MEMORY, |it| float(it.host.memory_bytes)),
    (metric::HOST_MEMORY_AVAILABLE, |it| float(it.host.memory_available_bytes)),
];

/// What goes in and out, each under a direction.
const TRAFFIC: &[(&Metric, &str, Read)] = &[
    (metric::DISK_BYTES, "read", |it| float(it.process.read_bytes)),
    (metric::DISK_BYTES, "written", |it| float(it.process.written_bytes)),
    (metric::HOST_DISK_BYTES, "read", |it| float(it.host.disk_read_bytes)),
    (metric::HOST_DISK_BYTES, "written", |it| float(it.host.disk_written_bytes)),
    (metric::NETWORK_BYTES, "received", |it| float(it.host.network_received_bytes)),
    (metric::NETWORK_BYTES, "sent", |it| float(it.host.network_sent_bytes)),
];

fn float(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

impl SystemSample {
    /// The sample as metrics, those of one name together, what is not known left out.
    pub fn samples(&self) -> impl Iterator<Item = MetricSample<'_>> {
        let numbers =
            NUMBERS.iter().filter_map(|(metric, read)| Some(MetricSample::number(metric, [], read(self)?)));
        let traffic = TRAFFIC.iter().filter_map(|(metric, direction, read)| {
            Some(MetricSample::number(metric, [*direction], read(self)?))
        });
        // The ratio is of what holds this process up: of its cgroup where that is known, otherwise of the host.
        let ours = |resource| {
            let mut found =
                self.pressure.iter().filter(move |it| it.resource == resource && it.stall == Stall::Some);
            found.clone().find(|it| it.scope == Scope::Cgroup).or_else(|| found.next())
        };
        let ratios = Resource::ALL.into_iter().filter_map(move |resource| {
            Some(MetricSample::number(metric::PRESSURE_STALLED, [resource.as_str()], ours(resource)?.ratio))
        });
        let seconds = self.pressure.iter().map(|it| {
            let labels = [it.scope.as_str(), it.resource.as_str(), it.stall.as_str()];
            MetricSample::number(metric::PRESSURE_SECONDS, labels, it.stalled_seconds)
        });
        numbers.chain(traffic).chain(ratios).chain(seconds)
    }
}
