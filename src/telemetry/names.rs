//! What is measured, under which name: the one list that the monitor, the exposition and the alert rules agree on.
//!
//! Names follow OpenMetrics: base units (seconds, bytes, a ratio from 0 to 1), the unit as suffix, `_total` for what only
//! grows. Labels take few values: an agent's name is one, a message's content never is.

use std::fmt;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A sum that only grows, and starts again from 0 with its process.
    Counter,
    /// A distribution of measured values.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        })
    }
}

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share, from 0 to 1.
    Ratio,
    /// Things: messages, agents, files.
    Count,
    /// Things per second.
    PerSecond,
    /// Bytes per second.
    BytesPerSecond,
}

impl Unit {
    /// The value as people write it: `2.5 s`, `350 ms`, `85 %`, `1.5 GiB`, `12`, `3.2/s`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Seconds if value.abs() >= 1.0 || value == 0.0 => format!("{} s", short(value)),
            Self::Seconds if value.abs() >= 1e-3 => format!("{} ms", short(value * 1e3)),
            Self::Seconds => format!("{} µs", short(value * 1e6)),
            Self::Ratio => format!("{} %", short(value * 100.0)),
            Self::Count => short(value),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::Bytes => bytes(value),
            Self::BytesPerSecond => format!("{}/s", bytes(value)),
        }
    }

    /// The unit of how much something in this unit grows per second, where that has one.
    #[must_use]
    pub const fn per_second(self) -> Self {
        match self {
            // Seconds per second are a share of the time.
            Self::Seconds => Self::Ratio,
            Self::Bytes | Self::BytesPerSecond => Self::BytesPerSecond,
            Self::Ratio | Self::Count | Self::PerSecond => Self::PerSecond,
        }
    }
}

/// At most three places after the point, none that says nothing.
fn short(value: f64) -> String {
    let text = if value.abs() >= 1e15 { format!("{value:e}") } else { format!("{value:.3}") };
    match text.split_once('.') {
        Some((whole, places)) if places.bytes().all(|it| it.is_ascii_digit()) => {
            let places = places.trim_end_matches('0');
            if places.is_empty() { whole.to_owned() } else { format!("{whole}.{places}") }
        }
        _ => text,
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (value, 0);
    while value.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", short(value), UNITS[unit])
}

/// A metric: its name and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in expositions and rules.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// The labels that each of its series has.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// The metric of this name, if it is one of Statim's own.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident $unit:ident [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every metric of Statim.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    // Each agent.
    AGENT_WAIT "statim_agent_wait_seconds" Histogram Seconds ["agent", "priority"] "From the send of a message to the start of its handling.";
    AGENT_SERVICE "statim_agent_service_seconds" Histogram Seconds ["agent", "priority"] "From the start of a message's handling to its end.";
    AGENT_RESPONSE "statim_agent_response_seconds" Histogram Seconds ["agent", "priority"] "From the send of a message to the end of its handling.";
    AGENT_ATTEMPTS "statim_agent_attempts_total" Counter Count ["agent"] "Times a message was handled, well or not.";
    AGENT_HANDLED "statim_agent_handled_total" Counter Count ["agent"] "Messages handled without an error.";
    AGENT_FAILED "statim_agent_failed_total" Counter Count ["agent"] "Times handling a message failed or panicked.";
    AGENT_PANICKED "statim_agent_panicked_total" Counter Count ["agent"] "Panics caught.";
    AGENT_DROPPED "statim_agent_dropped_total" Counter Count ["agent", "reason"] "Messages that were not handled.";
    AGENT_RESTARTS "statim_agent_restarts_total" Counter Count ["agent"] "Times the agent was rebuilt.";
    AGENT_UP "statim_agent_up" Gauge Count ["agent"] "1 while the agent serves, 0 while it starts, waits to be rebuilt, or has ended.";
    AGENT_INSTANCES "statim_agent_instances" Gauge Count ["agent"] "Instances that share the mailbox.";
    AGENT_UTILIZATION "statim_agent_utilization_ratio" Gauge Ratio ["agent"] "Busy time over time, of all instances, since the sample before.";
    AGENT_CPU "statim_agent_cpu_seconds_total" Counter Seconds ["agent"] "Processor time of the agent's handlers.";
    AGENT_ALLOCATED "statim_agent_allocated_bytes" Gauge Bytes ["agent"] "Memory the agent holds, where allocations are counted.";
    MAILBOX_MESSAGES "statim_mailbox_messages" Gauge Count ["agent", "priority"] "Messages queued.";
    MAILBOX_CAPACITY "statim_mailbox_capacity_messages" Gauge Count ["agent"] "The mailbox's bound.";
    MAILBOX_USED "statim_mailbox_used_ratio" Gauge Ratio ["agent"] "Messages queued, of all priorities, over the mailbox's bound.";
    // The system.
    AGENTS "statim_agents" Gauge Count [] "Agents that have not ended.";
    MESSAGES "statim_messages_total" Counter Count [] "Times any agent handled a message.";
    RESPONSE "statim_response_seconds" Histogram Seconds ["priority"] "From the send of a message to the end of its handling, over all agents.";
    DEAD_LETTERS "statim_dead_letters_total" Counter Count [] "Messages ever put in the dead letters.";
    BREAKER_OPEN "statim_breaker_open" Gauge Count ["breaker"] "1 while the circuit breaker refuses calls, 0.5 while it probes, 0 while it is closed.";
    BREAKER_REFUSED "statim_breaker_refused_total" Counter Count ["breaker"] "Calls that the circuit breaker refused.";
    RATE_LIMIT_REFUSED "statim_rate_limit_refused_total" Counter Count ["limiter"] "Calls that the rate limit refused.";
    ADMISSION_REFUSED "statim_admission_refused_ratio" Gauge Ratio ["agent", "priority"] "The share of messages that admission control refuses.";
    UPTIME "statim_uptime_seconds" Gauge Seconds [] "Time since the runtime started.";
    // The process, under the names that every Prometheus dashboard knows.
    PROCESS_CPU "process_cpu_seconds_total" Counter Seconds [] "Processor time of the process.";
    PROCESS_MEMORY "process_resident_memory_bytes" Gauge Bytes [] "Memory the process holds.";
    PROCESS_THREADS "process_threads" Gauge Count [] "Threads of the process.";
    PROCESS_FILES "process_open_fds" Gauge Count [] "Files, sockets and pipes the process has open.";
    PROCESS_FILES_MOST "process_max_fds" Gauge Count [] "The most it may have open.";
    // The host and the cgroup.
    CPU_USED "statim_cpu_used_ratio" Gauge Ratio [] "Processor time of the process over what it may use, since the sample before.";
    CPU_THROTTLED "statim_cpu_throttled_seconds_total" Counter Seconds [] "Time the cgroup's processor limit held the process back.";
    MEMORY_LIMIT "statim_memory_limit_bytes" Gauge Bytes [] "The memory the process may hold: the cgroup's limit, or what the host has.";
    MEMORY_USED "statim_memory_used_ratio" Gauge Ratio [] "Memory in use over the limit.";
    PRESSURE_STALLED "statim_pressure_stalled_ratio" Gauge Ratio ["resource"] "Share of the last ten seconds in which something waited for cpu, memory or io.";
    DISK_BYTES "statim_disk_bytes_total" Counter Bytes ["direction"] "Bytes the process read from or wrote to disk.";
    NETWORK_BYTES "statim_network_bytes_total" Counter Bytes ["direction"] "Bytes the host received or sent.";
    // The store.
    STORE_QUERY "statim_store_query_seconds" Histogram Seconds ["class"] "How long queries took, by class.";
    STORE_POOL_USED "statim_store_pool_used_ratio" Gauge Ratio [] "Connections in use over the most there may be.";
    STORE_SLOW "statim_store_slow_queries_total" Counter Count ["class"] "Queries that took longer than the slow-query limit.";
    CACHE_HITS "statim_cache_hits_total" Counter Count ["layer"] "Lookups that the query cache answered.";
    CACHE_LOOKUPS "statim_cache_lookups_total" Counter Count ["layer"] "Lookups in the query cache.";
    // Alerting itself.
    ALERT_LAG "statim_alert_evaluation_lag_seconds" Gauge Seconds [] "How late the rules were last evaluated.";
    ALERT_REFUSED "statim_alert_refused_samples_total" Counter Count [] "Samples that no rule took: over the bound of label sets, not a number, or malformed.";
    ALERT_DELIVERY_FAILED "statim_alert_deliveries_failed_total" Counter Count ["sink"] "Attempts to deliver a notification that failed.";
    ALERT_OUTBOX_AGE "statim_alert_outbox_age_seconds" Gauge Seconds ["sink"] "Age of the oldest notification that is not delivered.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_their_kind_and_unit() {
        for (index, metric) in METRICS.iter().enumerate() {
            let Metric { name, kind, unit, .. } = *metric;
            assert!(METRICS[..index].iter().all(|it| it.name != name), "{name} is there twice");
            assert!(name.starts_with("statim_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            let stem = name.trim_end_matches("_total");
            assert_eq!(stem.ends_with("_seconds"), unit == Unit::Seconds, "{name}");
            assert_eq!(stem.ends_with("_bytes"), unit == Unit::Bytes, "{name}");
            assert_eq!(stem.ends_with("_ratio"), unit == Unit::Ratio, "{name}");
            assert!(metric.help.ends_with('.') && find(name) == Some(metric));
        }
        assert_eq!(find("statim_agents_"), None);
    }

    #[test]
    fn values_are_shown_as_people_write_them() {
        let shown = [
            Unit::Seconds.show(2.5),
            Unit::Seconds.show(0.35),
            Unit::Seconds.show(12e-6),
            Unit::Seconds.show(0.0),
            Unit::Ratio.show(0.853_21),
            Unit::Count.show(12.0),
            Unit::Count.show(1e300),
            Unit::PerSecond.show(3.25),
            Unit::Bytes.show(1.5 * 1024.0 * 1024.0 * 1024.0),
            Unit::BytesPerSecond.show(512.0),
        ];
        let wanted =
            ["2.5 s", "350 ms", "12 µs", "0 s", "85.321 %", "12", "1e300", "3.25/s", "1.5 GiB", "512 B/s"];
        assert_eq!(shown, wanted);
        assert_eq!(Unit::Count.show(f64::NAN), "NaN");
    }
}
