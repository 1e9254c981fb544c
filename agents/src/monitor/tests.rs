//! The agent looks, tells alerting, and keeps no thread of agents busy.

use std::time::Duration;

use statim::monitor::{Health, Monitor, MonitorOptions};
use statim::store::Store;
use statim::{AgentOptions, Runtime};

use super::{MonitorAgent, MonitorMessage, store_check};
use crate::alerting::{Alerting, Metric, Rule};

fn rule() -> Rule {
    Rule { metric: Metric::ResidentMib, threshold: 0.001, clear: 0.001, hold: Duration::ZERO }
}

#[tokio::test]
async fn the_agent_looks_at_its_interval_and_alerting_hears_of_it() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let options = MonitorOptions { interval: Duration::from_millis(100), ..MonitorOptions::default() };
    let monitor = Monitor::new(&runtime, options);
    let alerting = runtime.spawn("alerting", AgentOptions::default(), || Alerting::new(rule())).unwrap();
    let told = alerting.guarded("monitor", &statim::LinkOptions::default()).unwrap();
    let its = monitor.clone();
    let agent = runtime
        .spawn("monitor", AgentOptions::default(), move || MonitorAgent::new(its.clone(), told.clone()));
    let agent = agent.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let latest = agent.ask(MonitorMessage::Latest).await.unwrap().unwrap();
    assert!(latest.system.process.cpu_percent.is_some(), "{:?}", latest.system.process);
    let summary = agent.ask(|reply| MonitorMessage::Summary(Duration::from_secs(60), reply)).await.unwrap();
    assert!(summary.seconds >= 0.5 && summary.handled > 0, "{summary:?}");
    let inspected = alerting.inspect().await.unwrap();
    assert_eq!(inspected[0].agent["firing"], true, "{inspected:?}");
    runtime.shutdown().await;
}

#[tokio::test]
async fn the_store_check_fails_when_the_store_is_closed_and_shows_no_address() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let health = store_check(Health::default(), &store);
    let report = health.report().await;
    assert!(report.ok && report.checks[0].name == "store", "{report:?}");
    store.close().await;
    let report = health.report().await;
    assert!(!report.ok);
    assert!(!report.checks[0].detail.as_ref().unwrap().contains("sqlite"), "{report:?}");
}
