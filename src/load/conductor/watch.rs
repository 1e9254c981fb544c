//! What a target did between two looks.

use std::collections::BTreeMap;

use crate::load::measure::milliseconds;
use crate::load::observed::Observed;
use crate::load::result::SeriesPoint;
use crate::mailbox::Reason;
use crate::message::Priority;
use crate::resilience::BreakerState;
use crate::telemetry::{LaneLatencies, Snapshot, SystemProbe, SystemSample};

/// Seconds over which processor use can be told: the kernel counts in hundredths.
const SHORTEST: f64 = 0.2;

/// Looks at a target once a second and knows what it was like before.
#[derive(Debug)]
pub(super) struct Watch {
    probe: SystemProbe,
    before: Counts,
    latencies: Option<LaneLatencies>,
    cpu_seconds: Option<f64>,
}

/// What only grows.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    shed: u64,
    refused: u64,
    restarts: u64,
}

impl Counts {
    fn of(snapshot: &Snapshot) -> Self {
        let dropped = |reasons: &[Reason]| -> u64 {
            let agents = snapshot.agents.iter();
            agents.flat_map(|agent| reasons.iter().filter_map(|reason| agent.dropped.get(reason))).sum()
        };
        let by_links: u64 = snapshot.links.iter().map(|link| link.refused()).sum();
        Self {
            shed: dropped(&[Reason::Shed]),
            refused: dropped(&[Reason::Rejected, Reason::Overloaded]) + by_links,
            restarts: snapshot.agents.iter().map(|agent| agent.restarts).sum(),
        }
    }
}

impl Watch {
    /// Begins with what is there already.
    pub(super) fn new(observed: Option<&Observed>) -> Self {
        let mut watch =
            Self { probe: SystemProbe::new(), before: Counts::default(), latencies: None, cpu_seconds: None };
        // Whatever was counted so far is nobody's second.
        watch.look(observed, &mut SeriesPoint { span_seconds: 1.0, ..SeriesPoint::default() });
        watch
    }

    /// This process, or what the target says of its own.
    pub(super) fn system(&mut self, observed: Option<&Observed>) -> SystemSample {
        observed.and_then(|it| it.system.clone()).unwrap_or_else(|| self.probe.sample())
    }

    /// Fills in what happened since the look before.
    pub(super) fn look(&mut self, observed: Option<&Observed>, point: &mut SeriesPoint) {
        let system = self.system(observed);
        point.rss_bytes = system.process.resident_bytes;
        let cpu = system.process.cpu_seconds;
        if let (Some(now), Some(before)) = (cpu, self.cpu_seconds)
            && point.span_seconds >= SHORTEST
        {
            point.cpu_percent = Some((now - before).max(0.0) / point.span_seconds * 100.0);
        }
        self.cpu_seconds = cpu.or(self.cpu_seconds);
        let Some(observed) = observed else { return };
        if let Some(snapshot) = &observed.runtime {
            self.count(snapshot, point);
        }
        if let Some(now) = &observed.latencies {
            let recent = self.latencies.as_ref().map_or_else(|| now.clone(), |before| now.since(before));
            let wait = |priority: Priority| recent.wait[priority.lane()].quantile(0.99);
            let waits = Priority::ALL.into_iter().filter_map(|it| Some((it, milliseconds(wait(it)?))));
            point.wait_p99_ms = waits.collect();
            self.latencies = Some(now.clone());
        }
    }

    fn count(&mut self, snapshot: &Snapshot, point: &mut SeriesPoint) {
        let now = Counts::of(snapshot);
        point.shed = now.shed.saturating_sub(self.before.shed);
        point.refused = now.refused.saturating_sub(self.before.refused);
        point.restarts = now.restarts.saturating_sub(self.before.restarts);
        self.before = now;
        let mut depth: BTreeMap<Priority, u64> = Priority::ALL.into_iter().map(|it| (it, 0)).collect();
        for (priority, queued) in snapshot.agents.iter().flat_map(|agent| &agent.depth) {
            *depth.entry(*priority).or_default() += queued;
        }
        point.depth = depth;
        let closed = |state| matches!(state, BreakerState::Closed | BreakerState::ForcedClosed);
        let open = |breaker: &crate::resilience::BreakerSnapshot| !closed(breaker.state);
        let links = snapshot.links.iter().filter(|link| link.guards.breaker.as_ref().is_some_and(open));
        point.breakers_open = links.map(|link| link.name.clone()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Sparse;

    /// A target with one agent whose counters stand so, and whose waits until now were these, in milliseconds.
    fn seen(shed: u64, rejected: u64, restarts: u64, waits: &[u64]) -> Observed {
        let mut histogram = hdrhistogram::Histogram::<u64>::new(3).unwrap();
        waits.iter().for_each(|wait| histogram.record(wait * 1_000_000).unwrap());
        let mut latencies = LaneLatencies::default();
        latencies.wait[Priority::Low.lane()] = Sparse::of(&histogram);
        let agent = serde_json::json!({
            "name": "ward", "agent_type": "Ward", "instances": 1, "state": "running", "capacity": 10,
            "depth": {"low": 3}, "handled": 0, "failed": 0, "panicked": 0, "restarts": restarts,
            "dropped": {"shed": shed, "rejected": rejected}, "busy_seconds": 0.0, "utilization": 0.0, "latency": {},
        });
        let snapshot = serde_json::json!({"uptime_seconds": 1.0, "agents": [agent], "dead_letters": 0});
        Observed {
            runtime: Some(serde_json::from_value(snapshot).unwrap()),
            latencies: Some(latencies),
            ..Observed::default()
        }
    }

    #[test]
    fn a_point_tells_what_happened_since_the_look_before_and_not_since_the_start() {
        let mut watch = Watch::new(Some(&seen(100, 50, 2, &[9_000; 100])));
        let mut waits = vec![9_000; 100];
        waits.extend([5; 100]);
        let (mut first, mut second) = (SeriesPoint::default(), SeriesPoint::default());
        watch.look(Some(&seen(107, 53, 3, &waits)), &mut first);
        watch.look(Some(&seen(107, 60, 3, &waits)), &mut second);
        assert_eq!((first.shed, first.refused, first.restarts), (7, 3, 1));
        assert_eq!((second.shed, second.refused, second.restarts), (0, 7, 0));
        assert_eq!(first.depth[&Priority::Low], 3);
        let wait = first.wait_p99_ms[&Priority::Low];
        assert!((4.9..5.1).contains(&wait), "{wait} ms: the waits of nine seconds were before");
        assert!(second.wait_p99_ms.is_empty(), "nobody waited since");
    }
}
