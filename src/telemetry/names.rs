//! What is measured, under which name: the one list that the monitor, the exposition and the alert rules agree on.
//!
//! Names follow OpenMetrics: base units (seconds, bytes, a ratio from 0 to 1), the unit as suffix, `_total` for what only
//! grows. Labels take few values: an agent's name is one, a message's content never is.

use std::fmt;

use serde::Serialize;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// As it ends a name; nothing for things, and for what a name does not tell.
    #[must_use]
    pub const fn as_suffix(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Count | Self::PerSecond | Self::BytesPerSecond => "",
        }
    }

    /// What a whole number in a histogram is of this unit: histograms count nanoseconds, bytes, millionths and things.
    #[must_use]
    pub const fn of_one(self) -> f64 {
        match self {
            Self::Seconds => 1e-9,
            Self::Ratio => 1e-6,
            Self::Bytes | Self::Count | Self::PerSecond | Self::BytesPerSecond => 1.0,
        }
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// The metric that a query means: by its name, or by that of a histogram's series (`_bucket`, `_sum`, `_count`).
#[must_use]
pub fn find_series(name: &str) -> Option<&'static Metric> {
    find(name).or_else(|| {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it))?;
        find(histogram).filter(|metric| metric.kind == Kind::Histogram)
    })
}

/// The metric of this name, if it is one of Statim's own.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident $unit:ident [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// The metrics under the names of their constants, for whoever measures them.
        pub mod metric {
            use super::{Kind, Metric, Unit};

            $(
                #[doc = $help]
                pub const $constant: &Metric = &Metric {
                    name: $name,
                    kind: Kind::$kind,
                    unit: Unit::$unit,
                    labels: &[$($label),*],
                    help: $help,
                };
            )*
        }

        /// Every metric of Statim.
        pub const METRICS: &[Metric] = &[$(*metric::$constant),*];
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
    AGENT_BUSY "statim_agent_busy_seconds_total" Counter Seconds ["agent"] "Time in the agent's handlers, waiting inside them included, of all instances.";
    AGENT_CPU "statim_agent_cpu_seconds_total" Counter Seconds ["agent"] "Processor time of the agent's handlers.";
    AGENT_ALLOCATED "statim_agent_allocated_bytes" Gauge Bytes ["agent"] "Memory the agent holds, where allocations are counted.";
    MAILBOX_MESSAGES "statim_mailbox_messages" Gauge Count ["agent", "priority"] "Messages queued.";
    MAILBOX_CAPACITY "statim_mailbox_capacity_messages" Gauge Count ["agent"] "The mailbox's bound.";
    MAILBOX_USED "statim_mailbox_used_ratio" Gauge Ratio ["agent"] "Messages queued, of all priorities, over the mailbox's bound.";
    // The system.
    AGENTS "statim_agents" Gauge Count [] "Agents that have not ended.";
    AGENTS_FAILED "statim_agents_failed" Gauge Count [] "Agents that were given up because they failed too often.";
    MESSAGES "statim_messages_total" Counter Count [] "Times any agent handled a message.";
    MESSAGES_FAILED "statim_messages_failed_total" Counter Count [] "Times handling a message failed, over all agents, ended ones included.";
    MESSAGES_DROPPED "statim_messages_dropped_total" Counter Count ["reason"] "Messages that were not handled, over all agents, ended ones included.";
    MESSAGES_QUEUED "statim_messages_queued" Gauge Count [] "Messages queued, over all agents.";
    WAIT "statim_wait_seconds" Histogram Seconds ["priority"] "From the send of a message to the start of its handling, over all agents.";
    RESPONSE "statim_response_seconds" Histogram Seconds ["priority"] "From the send of a message to the end of its handling, over all agents.";
    DEAD_LETTERS "statim_dead_letters_total" Counter Count [] "Messages ever put in the dead letters.";
    BREAKER_OPEN "statim_breaker_open" Gauge Count ["breaker"] "1 while the circuit breaker refuses calls, 0.5 while it probes, 0 while it is closed.";
    BREAKER_REFUSED "statim_breaker_refused_total" Counter Count ["breaker"] "Calls that the circuit breaker refused.";
    RATE_LIMIT_REFUSED "statim_rate_limit_refused_total" Counter Count ["limiter"] "Calls that the rate limit refused.";
    LINK_MESSAGES "statim_link_messages_total" Counter Count ["link", "end"] "Messages given to a guarded link, by how it ended with them.";
    ADMISSION_REFUSED "statim_admission_refused_ratio" Gauge Ratio ["agent", "priority"] "The share of messages that admission control refuses.";
    UPTIME "statim_uptime_seconds" Gauge Seconds [] "Time since the runtime started.";
    BUILD_INFO "statim_build_info" Gauge Count ["version"] "Always 1; the version is in the label.";
    // The process, under the names that every Prometheus dashboard knows.
    PROCESS_CPU "process_cpu_seconds_total" Counter Seconds [] "Processor time of the process.";
    PROCESS_MEMORY "process_resident_memory_bytes" Gauge Bytes [] "Memory the process holds.";
    PROCESS_VIRTUAL_MEMORY "process_virtual_memory_bytes" Gauge Bytes [] "Addresses the process has reserved.";
    PROCESS_THREADS "process_threads" Gauge Count [] "Threads of the process.";
    PROCESS_FILES "process_open_fds" Gauge Count [] "Files, sockets and pipes the process has open.";
    PROCESS_FILES_MOST "process_max_fds" Gauge Count [] "The most it may have open.";
    PROCESS_START "process_start_time_seconds" Gauge Seconds [] "When the process started, in seconds since 1970.";
    // The host and the cgroup.
    CPU_USED "statim_cpu_used_ratio" Gauge Ratio [] "Processor time of the process over what it may use, since the sample before.";
    CPU_THROTTLED "statim_cpu_throttled_seconds_total" Counter Seconds [] "Time the cgroup's processor limit held the process back.";
    CPU_LIMIT "statim_cpu_limit_cores" Gauge Count [] "The processors the process may use: the cgroup's limit, or what the host has.";
    CPU_PERIODS "statim_cpu_periods_total" Counter Count [] "Periods in which the cgroup's processor limit was enforced.";
    CPU_THROTTLED_PERIODS "statim_cpu_throttled_periods_total" Counter Count [] "Periods in which the cgroup's processor limit held the process back.";
    MEMORY_LIMIT "statim_memory_limit_bytes" Gauge Bytes [] "The memory the process may hold: the cgroup's limit, or what the host has.";
    MEMORY_USED "statim_memory_used_ratio" Gauge Ratio [] "Memory in use over the limit.";
    CGROUP_MEMORY "statim_cgroup_memory_bytes" Gauge Bytes [] "Memory charged to the cgroup, page cache included.";
    CGROUP_CPU "statim_cgroup_cpu_seconds_total" Counter Seconds [] "Processor time of the cgroup.";
    CGROUP_KILLS "statim_cgroup_oom_kills_total" Counter Count [] "Processes of the cgroup killed for want of memory.";
    HOST_CPU "statim_host_cpu_used_ratio" Gauge Ratio [] "Busy share of all processors of the host, since the sample before.";
    HOST_LOAD "statim_host_load_average" Gauge Count [] "Load average of the last minute.";
    HOST_MEMORY "statim_host_memory_bytes" Gauge Bytes [] "Memory of the host.";
    HOST_MEMORY_AVAILABLE "statim_host_memory_available_bytes" Gauge Bytes [] "Memory of the host that can be had without swapping.";
    PRESSURE_STALLED "statim_pressure_stalled_ratio" Gauge Ratio ["resource"] "Share of the last ten seconds in which something waited for cpu, memory or io.";
    PRESSURE_SECONDS "statim_pressure_stalled_seconds_total" Counter Seconds ["scope", "resource", "stall"] "Time in which some or all (full) tasks of the host or the cgroup waited for the resource.";
    DISK_BYTES "statim_disk_bytes_total" Counter Bytes ["direction"] "Bytes the process read from or wrote to disk.";
    HOST_DISK_BYTES "statim_host_disk_bytes_total" Counter Bytes ["direction"] "Bytes read from or written to the disks of the host.";
    NETWORK_BYTES "statim_network_bytes_total" Counter Bytes ["direction"] "Bytes the host received or sent.";
    // Stores, query caches and outboxes, by the names they are watched under.
    STORE_QUERY "statim_store_query_seconds" Histogram Seconds ["store", "class"] "How long the database took for statements, by class.";
    STORE_SLOW "statim_store_slow_queries_total" Counter Count ["store", "class"] "Statements that took longer than the slow-query limit.";
    STORE_FAILED "statim_store_failed_queries_total" Counter Count ["store", "class"] "Statements that failed.";
    STORE_POOL_USED "statim_store_pool_used_ratio" Gauge Ratio ["store"] "Connections in use over the most there may be.";
    STORE_POOL_CONNECTIONS "statim_store_pool_connections" Gauge Count ["store", "state"] "Connections in use and idle.";
    STORE_POOL_WAITING "statim_store_pool_waiting" Gauge Count ["store"] "Callers that wait for a connection.";
    STORE_POOL_TIMEOUTS "statim_store_pool_timeouts_total" Counter Count ["store"] "Callers that gave up waiting for a connection.";
    STORE_RETRIED "statim_store_retried_total" Counter Count ["store"] "Transactions tried again after a deadlock, a serialization failure or a busy database.";
    CACHE_HITS "statim_cache_hits_total" Counter Count ["cache", "layer"] "Lookups that a layer of the query cache answered.";
    CACHE_LOOKUPS "statim_cache_lookups_total" Counter Count ["cache", "layer"] "Lookups in a layer of the query cache.";
    CACHE_LOADS "statim_cache_loads_total" Counter Count ["cache"] "Queries that no layer answered, and the database was asked for.";
    CACHE_EVICTIONS "statim_cache_evictions_total" Counter Count ["cache"] "Results that left memory, or were not let in, for want of room.";
    CACHE_BYTES "statim_cache_bytes" Gauge Bytes ["cache"] "Memory that results take.";
    CACHE_ENTRIES "statim_cache_entries" Gauge Count ["cache"] "Results in memory.";
    OUTBOX_STORED "statim_outbox_stored_total" Counter Count ["outbox"] "Messages stored.";
    OUTBOX_COMMITS "statim_outbox_commits_total" Counter Count ["outbox"] "Commits that stored them, in groups.";
    OUTBOX_FAILED_COMMITS "statim_outbox_failed_commits_total" Counter Count ["outbox"] "Commits given up, whose senders were told.";
    OUTBOX_REDELIVERED "statim_outbox_redelivered_total" Counter Count ["outbox"] "Messages delivered that may have been delivered before.";
    OUTBOX_PENDING "statim_outbox_pending_messages" Gauge Count ["outbox", "agent"] "Messages stored and not done with.";
    // The monitor itself.
    MONITOR_LOOKS "statim_monitor_looks_total" Counter Count [] "Looks that the monitor took.";
    MONITOR_BUSY "statim_monitor_busy_seconds_total" Counter Seconds [] "Time that these looks took.";
    MONITOR_HISTORY "statim_monitor_history_bytes" Gauge Bytes [] "Memory that the history holds.";
    MONITOR_REFUSED "statim_monitor_refused_total" Counter Count [] "Values of the program's own metrics that were refused: over a bound, or malformed.";
    // Alerting itself.
    ALERT_LAG "statim_alert_evaluation_lag_seconds" Gauge Seconds [] "How late the rules were last evaluated.";
    ALERT_REFUSED "statim_alert_refused_samples_total" Counter Count [] "Samples that no rule took: over the bound of label sets, not a number, or malformed.";
    ALERT_DELIVERY_FAILED "statim_alert_deliveries_failed_total" Counter Count ["sink"] "Attempts to deliver a notification that failed.";
    ALERT_LEADING "statim_alert_leading" Gauge Count [] "1 while this process evaluates the alerts of its database, 0 while it stands by.";
    ALERT_EVALUATIONS "statim_alert_evaluations_total" Counter Count [] "Times the rules were evaluated.";
    ALERT_EVALUATING "statim_alert_evaluation_seconds_total" Counter Seconds [] "Time that evaluating took.";
    ALERT_RULES "statim_alert_rules" Gauge Count [] "Rules in force.";
    ALERT_LABEL_SETS "statim_alert_label_sets" Gauge Count [] "Label sets that are watched, over all rules.";
    ALERTS_PENDING "statim_alerts_pending" Gauge Count ["rule", "severity"] "Alerts that are bad, and fire if they stay so.";
    ALERTS_FIRING "statim_alerts_firing" Gauge Count ["rule", "severity"] "Alerts that fire.";
    ALERT_SAVES_FAILED "statim_alert_saves_failed_total" Counter Count [] "Transactions of alerting that failed; what they held is stored with the next.";
    ALERT_DELIVERIES "statim_alert_deliveries_total" Counter Count ["sink", "outcome"] "Notifications that are done with, by what became of them.";
    ALERT_DELIVERY_RETRIES "statim_alert_delivery_retries_total" Counter Count ["sink"] "Attempts to deliver a notification that failed and are made again.";
    ALERT_LAST_SUCCESS "statim_alert_last_delivery_timestamp_seconds" Gauge Seconds ["sink"] "When the sink last took something, in seconds since 1970.";
    ALERT_OUTBOX "statim_alert_outbox_notifications" Gauge Count ["sink"] "Notifications that are not delivered.";
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
    fn a_histogram_is_found_by_its_series_and_a_gauge_is_not() {
        assert_eq!(find_series("statim_agent_wait_seconds_bucket"), Some(metric::AGENT_WAIT));
        assert_eq!(find_series(AGENTS), Some(metric::AGENTS));
        assert_eq!(find_series("statim_agents_count"), None);
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
