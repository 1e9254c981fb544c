//! The monitor.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::look::Look;
use super::looking::Looking;
use super::options::MonitorOptions;
use super::parts::{Before, PartSample, Parts};
use super::reader::{Looked, Reader};
use crate::delivery::Outbox;
use crate::message::Priority;
use crate::resilience::Policy;
use crate::runtime::RuntimeHandle;
use crate::store::cache::{CacheSnapshot, QueryCache};
use crate::store::{Store, StoreStats};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};
use crate::telemetry::exposition::{Format, HdrLog, Scrape};
use crate::telemetry::history::{Gauge, LaneObservation, Observation};
use crate::telemetry::names::metric;
use crate::telemetry::{
    History, MetricSample, Registry, RegistryReading, Snapshot, Summary, SystemProbe, SystemSample,
};

/// Somebody who has metrics besides the runtime's. For a store, a query cache, an outbox or a policy the monitor has methods
/// of its own.
pub trait MetricSource: Send + Sync {
    /// Shows each sample, those of one metric together. Called on a thread that may block, at each scrape; should be quick.
    fn samples(&self, see: &mut dyn FnMut(MetricSample<'_>));
}

/// Watches a runtime. Cheap to clone; every clone is the same monitor.
///
/// Everything it does blocks for a moment (locks, files of the kernel's), which is why it belongs on threads that may.
#[derive(Clone)]
pub struct Monitor {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: RuntimeHandle,
    options: MonitorOptions,
    began: SystemTime,
    reader: Mutex<Reader>,
    probe: Mutex<Probe>,
    history: Mutex<History>,
    latest: Mutex<Option<Arc<Look>>>,
    registry: Registry,
    parts: Parts,
    sources: Mutex<Vec<Arc<dyn MetricSource>>>,
    looks: AtomicU64,
    busy_nanos: AtomicU64,
}

struct Probe {
    system: SystemProbe,
    /// When histograms are read again.
    latencies_at: Option<Instant>,
    /// The program's own metrics when they were read last.
    registry: RegistryReading,
    /// Histograms of stores when they were read last.
    parts: Before,
}

/// Everything at a moment, as JSON has it.
#[derive(Debug, Clone, Serialize)]
pub struct MonitorSnapshot {
    /// Seconds since 1970.
    pub at_seconds: f64,
    /// The agents.
    pub runtime: Snapshot,
    /// Process, host and cgroup at the last look.
    pub system: Option<SystemSample>,
    /// The last minutes.
    pub summary: Summary,
    /// The stores that are watched, by name. Counts are since they were opened.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<String, StoreStats>,
    /// The query caches that are watched, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub caches: BTreeMap<String, CacheSnapshot>,
}

impl Monitor {
    /// A monitor of this runtime. It looks when [`look`](Self::look) is called or a thread [started](Self::start).
    #[must_use]
    pub fn new(runtime: &RuntimeHandle, options: MonitorOptions) -> Self {
        let shared = Shared {
            runtime: runtime.clone(),
            began: SystemTime::now(),
            reader: Mutex::new(Reader::new(runtime.clone(), options.agents)),
            probe: Mutex::new(Probe {
                system: SystemProbe::new(),
                latencies_at: None,
                registry: RegistryReading::default(),
                parts: Before::default(),
            }),
            history: Mutex::new(History::new(options.history.clone())),
            latest: Mutex::default(),
            registry: Registry::new(options.registry),
            parts: Parts::default(),
            sources: Mutex::default(),
            looks: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
            options,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Starts a thread that looks at the interval of the options, in real time.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(&self) -> io::Result<Looking> {
        Looking::start(self.clone(), self.interval())
    }

    /// Time between two looks.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.shared.options.interval.max(MonitorOptions::SHORTEST)
    }

    /// The program's own metrics, exposed beside Statim's.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Watches a store under this name, which is its label: query times by class, the pool. The newest of a name is
    /// watched. What is watched is not kept open.
    pub fn watch_store(&self, name: &str, store: &Store) {
        self.shared.parts.store(name, store);
    }

    /// Watches a query cache: hits by layer, loads, evictions, bytes; and the breaker before Redis.
    pub fn watch_cache(&self, name: &str, cache: &QueryCache) {
        self.shared.parts.cache(name, cache);
    }

    /// Watches an outbox: what it stored, and what is pending for each agent.
    pub fn watch_outbox(&self, name: &str, outbox: &Outbox) {
        self.shared.parts.outbox(name, outbox);
    }

    /// Watches the breaker and the rate limit of a policy, under its own name. Those of the runtime's links are watched
    /// without it.
    pub fn watch_policy(&self, policy: &Policy) {
        self.shared.parts.policy(policy);
    }

    fn read_parts(&self) -> Vec<PartSample> {
        self.shared.parts.read(&self.shared.runtime.core().commons.links.snapshot())
    }

    /// Exposes these metrics too.
    pub fn add_source(&self, source: impl MetricSource + 'static) {
        lock(&self.shared.sources).push(Arc::new(source));
    }

    /// Looks: reads every agent and samples the process, and remembers both. Blocks, some tens of milliseconds for a thousand busy
    /// agents; looks of several threads take turns.
    pub fn look(&self) -> Arc<Look> {
        let shared = &*self.shared;
        let began = Instant::now();
        let mut probe = lock(&shared.probe);
        let latencies = probe.latencies_at.is_none_or(|at| began >= at);
        if latencies {
            // Longer than a century is never.
            let interval = shared.options.latency_interval.min(Duration::from_secs(u32::MAX.into()));
            probe.latencies_at = Some(began + interval);
        }
        let system = probe.system.sample();
        let mut looked = lock(&shared.reader).look(latencies);
        let observed = observation(&mut looked, &system);
        lock(&shared.history).observe(observed);
        let (latencies, all_latencies) = looked.latencies.unzip();
        let registry = if latencies.is_some() {
            let now = shared.registry.reading();
            let recent = now.since(&probe.registry);
            probe.registry = now;
            recent
        } else {
            shared.registry.numbers()
        };
        let mut parts = self.read_parts();
        probe.parts.recent(&mut parts, latencies.is_some());
        let look = Arc::new(Look {
            at: SystemTime::now(),
            parts,
            runtime: looked.runtime,
            system,
            registry,
            latencies,
            all_latencies,
        });
        *lock(&shared.latest) = Some(Arc::clone(&look));
        drop(probe);
        shared.looks.fetch_add(1, Ordering::Relaxed);
        shared.busy_nanos.fetch_add(crate::clock::nanos(began.elapsed()), Ordering::Relaxed);
        look
    }

    /// What the last look saw; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Look>> {
        lock(&self.shared.latest).clone()
    }

    /// What happened in the last so much time.
    #[must_use]
    pub fn summary(&self, last: Duration) -> Summary {
        lock(&self.shared.history).summary(last)
    }

    /// A scrape: the agents as they are now, the process as the last look saw it. Blocks; reading the histograms of a thousand
    /// busy agents takes some hundred milliseconds and gives 6 MB.
    #[must_use]
    pub fn scrape(&self, format: Format) -> String {
        let shared = &*self.shared;
        let mut scrape = Scrape::new(format);
        let numbers = |number| number as f64;
        let own = [
            MetricSample::number(metric::BUILD_INFO, [env!("CARGO_PKG_VERSION")], 1.0),
            MetricSample::number(metric::MONITOR_LOOKS, [], numbers(shared.looks.load(Ordering::Relaxed))),
            MetricSample::number(
                metric::MONITOR_BUSY,
                [],
                shared.busy_nanos.load(Ordering::Relaxed) as f64 / 1e9,
            ),
            MetricSample::number(metric::MONITOR_HISTORY, [], numbers(lock(&shared.history).bytes() as u64)),
            MetricSample::number(metric::MONITOR_REFUSED, [], numbers(shared.registry.refused())),
        ];
        own.iter().for_each(|sample| scrape.add(sample));
        let runtime = lock(&shared.reader).read(true);
        runtime.samples().for_each(|sample| scrape.add(&sample));
        if let Some(look) = self.latest() {
            look.system.samples().for_each(|sample| scrape.add(&sample));
        }
        self.read_parts().iter().for_each(|part| scrape.add(&part.sample()));
        let sources = lock(&shared.sources).clone();
        sources.iter().for_each(|source| source.samples(&mut |sample| scrape.add(&sample)));
        shared.registry.reading().samples().for_each(|sample| scrape.add(&sample));
        scrape.finish()
    }

    /// Everything, with the summary of the last so much time. Blocks: it computes every quantile of every agent.
    #[must_use]
    pub fn snapshot(&self, last: Duration) -> MonitorSnapshot {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (stores, caches) = self.shared.parts.statistics();
        MonitorSnapshot {
            stores,
            caches,
            at_seconds: since_1970.as_secs_f64(),
            runtime: self.shared.runtime.snapshot(),
            system: self.latest().map(|look| look.system.clone()),
            summary: self.summary(last),
        }
    }

    /// End-to-end latencies over all agents in the last so much time, as a log for HDR histogram tools: a line for each slot
    /// of the history and each priority, tagged with it.
    #[must_use]
    pub fn hdr_log(&self, last: Duration) -> Vec<u8> {
        let mut log = HdrLog::new(self.shared.began);
        let slots: Vec<_> = lock(&self.shared.history).since(last).collect();
        for (end, slot) in slots {
            for (priority, lane) in Priority::ALL.into_iter().zip(slot.lanes) {
                if !lane.end_to_end.is_empty() {
                    log.add(priority.as_str(), end.saturating_sub(slot.span), slot.span, lane.end_to_end);
                }
            }
        }
        let mut bytes = Vec::new();
        // Writing to memory does not fail.
        let _ = log.write(&mut bytes);
        bytes
    }

    /// The agents at this moment, without histograms.
    pub(super) fn read(&self) -> crate::telemetry::RuntimeReading {
        lock(&self.shared.reader).read(false)
    }
}

fn observation(looked: &mut Looked, system: &SystemSample) -> Observation {
    let Looked { runtime, agents, totals, span, latencies } = looked;
    let gauge = |value| Gauge::of(value, *span);
    let lane = |lane: usize| {
        let lanes = latencies.as_ref().map(|(_, all)| all);
        lanes.map_or_else(LaneObservation::default, |all| LaneObservation {
            wait: all.wait[lane].clone(),
            end_to_end: all.end_to_end[lane].clone(),
        })
    };
    Observation {
        span: *span,
        handled: totals.handled,
        failed: totals.failed,
        dropped: totals.all_dropped(),
        queued: gauge(Some(runtime.queued as f64)),
        alive: gauge(Some(runtime.alive as f64)),
        cpu_percent: gauge(system.process.cpu_percent),
        resident_bytes: gauge(system.process.resident_bytes.map(|bytes| bytes as f64)),
        memory_ratio: gauge(system.memory_ratio()),
        lanes: std::array::from_fn(lane),
        agents: std::mem::take(agents),
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("options", &self.shared.options)
            .field("looks", &self.shared.looks.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
