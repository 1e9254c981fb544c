//! What is read is what happened: no message lost, none counted twice.

use std::time::Duration;

use statim::Priority;
use statim::monitor::{Monitor, MonitorOptions};
use statim::telemetry::exposition::Format;
use statim::telemetry::{MetricSample, Unit, Value};

use crate::support::{Work, eager, runtime, tell, wait_until, worker};

fn number<'a>(
    samples: impl Iterator<Item = MetricSample<'a>>,
    name: &str,
    labels: &[(&str, &str)],
) -> Option<f64> {
    let mut found = samples
        .filter(|it| it.name == name && labels.iter().all(|(label, value)| it.label(label) == Some(*value)));
    found.next().and_then(|it| it.as_number())
}

#[test]
fn looks_add_up_to_what_was_handled() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let agents = [worker(&runtime, "a"), worker(&runtime, "b")];
    let mut measured = [0; 2];
    for round in 1..=5 {
        tell(&runtime, &agents[0], &Work::Well(Priority::Critical), 10 * round);
        tell(&runtime, &agents[1], &Work::Well(Priority::Low), 3);
        tell(&runtime, &agents[1], &Work::Badly, 2);
        let look = monitor.look();
        for sample in look.samples().filter(|it| it.name == "statim_agent_response_seconds") {
            let Value::Distribution(values) = sample.value else { panic!("{sample:?}") };
            measured[usize::from(sample.label("agent") == Some("b"))] += values.count();
        }
        // A scrape in between takes nothing away from the next look.
        let _ = monitor.scrape(Format::Prometheus);
    }
    let look = monitor.look();
    assert_eq!(measured, [150, 25]);
    assert_eq!(number(look.samples(), "statim_agent_handled_total", &[("agent", "a")]), Some(150.0));
    assert_eq!(number(look.samples(), "statim_agent_failed_total", &[("agent", "b")]), Some(10.0));
    assert_eq!(number(look.samples(), "statim_messages_total", &[]), Some(175.0));
    let summary = monitor.summary(Duration::from_secs(60));
    assert_eq!((summary.handled, summary.failed, summary.dropped), (165, 10, 10));
    assert_eq!(summary.agents.iter().map(|agent| agent.handled).sum::<u64>(), 165);
    assert!(summary.end_to_end[&Priority::Critical].p99 > 0);
}

#[test]
fn a_scrape_between_two_looks_counts_nothing_twice() {
    let runtime = runtime();
    let options = MonitorOptions { latency_interval: Duration::from_secs(3), ..MonitorOptions::default() };
    let monitor = Monitor::new(&runtime, options);
    let agent = worker(&runtime, "a");
    monitor.look();
    for _ in 0..3 {
        tell(&runtime, &agent, &Work::Well(Priority::Normal), 10);
        let _ = monitor.scrape(Format::Prometheus);
        assert!(monitor.look().latencies.is_none());
    }
    std::thread::sleep(Duration::from_millis(3100));
    let look = monitor.look();
    assert_eq!(look.latencies.as_ref().unwrap()[0].1.all_end_to_end().count(), 30);
    let slots = String::from_utf8(monitor.hdr_log(Duration::from_secs(60))).unwrap();
    assert_eq!(slots.matches("Tag=normal").count(), 1, "{slots}");
    let busy = monitor.summary(Duration::from_secs(60)).agents.remove(0);
    assert_eq!((busy.name.as_str(), busy.handled, busy.end_to_end_count), ("a", 30, 30));
}

#[test]
fn an_agent_that_ended_stays_in_the_totals() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    let gone = worker(&runtime, "gone");
    tell(&runtime, &gone, &Work::Well(Priority::High), 7);
    monitor.look();
    tell(&runtime, &gone, &Work::Well(Priority::High), 4);
    runtime.block_on(runtime.stop_and_wait("gone"));
    wait_until(|| runtime.snapshot().agent("gone").is_none());
    let stays = worker(&runtime, "gone");
    tell(&runtime, &stays, &Work::Well(Priority::High), 1);
    let look = monitor.look();
    assert_eq!(number(look.samples(), "statim_messages_total", &[]), Some(12.0));
    assert_eq!(number(look.samples(), "statim_agent_handled_total", &[("agent", "gone")]), Some(1.0));
    let scrape = monitor.scrape(Format::OpenMetrics);
    assert!(scrape.contains("statim_response_seconds_count{priority=\"high\"} 12.0"), "{scrape}");
    assert_eq!(monitor.summary(Duration::from_secs(60)).handled, 12);
}

#[test]
fn agents_beyond_the_limit_are_one_and_lose_nothing() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, MonitorOptions { agents: 3, ..eager() });
    let agents: Vec<_> = (0..8).map(|it| worker(&runtime, &format!("agent-{it}"))).collect();
    agents.iter().for_each(|agent| tell(&runtime, agent, &Work::Well(Priority::Normal), 2));
    let look = monitor.look();
    assert_eq!(look.runtime.agents.len(), 4);
    assert_eq!(number(look.samples(), "statim_agent_handled_total", &[("agent", "(other)")]), Some(10.0));
    assert_eq!(number(look.samples(), "statim_agents", &[]), Some(8.0));
    let scrape = monitor.scrape(Format::Prometheus);
    assert!(scrape.contains("statim_agent_wait_seconds_count{agent=\"(other)\",priority=\"normal\"} 10.0"));
    let response = look.samples().filter(|it| it.name == "statim_agent_response_seconds").count();
    assert_eq!(response, 4);
}

#[test]
fn the_thread_looks_at_its_interval_and_ends_with_its_guard() {
    let runtime = runtime();
    let options = MonitorOptions { interval: Duration::from_millis(60), ..MonitorOptions::default() };
    let monitor = Monitor::new(&runtime, options);
    let looking = monitor.start().unwrap();
    wait_until(|| monitor.summary(Duration::from_secs(60)).seconds > 0.3);
    drop(looking);
    let seen = monitor.latest().unwrap().at;
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(monitor.latest().unwrap().at, seen);
    let seconds = monitor.summary(Duration::from_secs(60)).seconds;
    assert!((0.3..5.0).contains(&seconds), "{seconds}");
}

#[test]
fn the_programs_own_metrics_are_beside_statims() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    monitor.registry().record("import_batch", 10.0, Unit::Count, &[("source", "trials")]).unwrap();
    let scrape = monitor.scrape(Format::OpenMetrics);
    assert!(scrape.contains("import_batch_count{source=\"trials\"} 1.0"), "{scrape}");
    let counted = || -> Vec<u64> {
        let look = monitor.look();
        let count = |sample: MetricSample<'_>| match sample.value {
            Value::Distribution(values) if sample.name == "import_batch" => Some(values.count()),
            _ => None,
        };
        look.samples().filter_map(count).collect()
    };
    assert_eq!(counted(), [1]);
    for _ in 0..3 {
        monitor.registry().record("import_batch", 20.0, Unit::Count, &[("source", "trials")]).unwrap();
    }
    assert_eq!(counted(), [3]);
}
