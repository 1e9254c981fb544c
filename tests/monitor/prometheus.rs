//! A real Prometheus reads it.

use std::time::Duration;

use serde_json::Value;
use statim::Priority;
use statim::monitor::Monitor;
use statim::telemetry::Unit;
use statim::telemetry::exposition::Format;
use statim_servers::{Prometheus, promtool};

use crate::support::{Work, eager, get, runtime, serve, tell, worker};

/// Names that programs give their agents, and worse.
const NAMES: [&str; 7] =
    ["consent", "a\"b", "back\\slash", "new\nline", "bell\u{7}\r\0", "naïve 🩺", "} 1\nup 0"];

fn query(prometheus: &Prometheus, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/query?query={query}");
    let address = ([127, 0, 0, 1], prometheus.port()).into();
    let answer: Value = serde_json::from_str(&unchunked(&get(address, &path).body)).unwrap();
    answer["data"]["result"].as_array().unwrap().clone()
}

/// The JSON in a body that may have come in chunks.
fn unchunked(body: &str) -> String {
    if body.starts_with('{') {
        body.to_owned()
    } else {
        body.lines().filter(|line| line.starts_with('{')).collect()
    }
}

#[test]
fn a_real_prometheus_scrapes_every_series_of_agents_with_any_name() {
    let runtime = runtime();
    let monitor = Monitor::new(&runtime, eager());
    for name in NAMES {
        tell(&runtime, &worker(&runtime, name), &Work::Well(Priority::High), 3);
    }
    monitor.registry().record("import", 0.25, Unit::Seconds, &[("source", "a\"\n\\")]).unwrap();
    monitor.look();
    std::thread::sleep(Duration::from_millis(250));
    monitor.look();

    let text = monitor.scrape(Format::Prometheus);
    let checked = promtool(&["check", "metrics"], &text).unwrap();
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.trim().is_empty(), "{said}");

    let server = serve(&runtime, &monitor);
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: statim, static_configs: [{{targets: ['{}']}}]}}]\n",
        server.address()
    );
    let prometheus = Prometheus::start(&config, &[]).unwrap();
    let targets = || get(([127, 0, 0, 1], prometheus.port()).into(), "/api/v1/targets").body;
    for _ in 0..100 {
        if !query(&prometheus, "statim_agents").is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(targets().contains("\"lastError\":\"\""), "{}", targets());
    assert_eq!(query(&prometheus, "up")[0]["value"][1], "1");
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    let scraped = query(&prometheus, "scrape_samples_scraped")[0]["value"][1]
        .as_str()
        .unwrap()
        .parse::<usize>()
        .unwrap();
    // Pressure and the like may have come or gone in between.
    assert!(scraped.abs_diff(series) <= 10, "{scraped} of {series}");
    let handled = query(&prometheus, "statim_agent_handled_total");
    assert_eq!(handled.len(), NAMES.len());
    for agent in handled {
        assert_eq!(agent["value"][1], "3", "{agent}");
    }
    let slow = query(&prometheus, "histogram_quantile(0.5,import_seconds_bucket)");
    let median: f64 = slow[0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!((0.1..=0.5).contains(&median), "{median}");
}
