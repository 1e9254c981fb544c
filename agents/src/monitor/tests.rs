//! The agent looks, tells alerting, and keeps no thread of agents busy.

use std::time::Duration;

use statim::alert::service::{AlertService, AlertSetup, ServiceOptions};
use statim::alert::{Aggregate, Comparison, Condition, EngineOptions, Rule, Threshold};
use statim::monitor::{Health, Monitor, MonitorOptions};
use statim::store::Store;
use statim::{AgentOptions, Runtime};

use super::{MonitorAgent, MonitorMessage, store_check};
use crate::alerting::{Alerting, RuleSource, Rules};

#[tokio::test]
async fn the_agent_looks_at_its_interval_and_alerting_hears_of_it() {
    let runtime = Runtime::builder().arbiters(1).start().unwrap();
    let options = MonitorOptions { interval: Duration::from_millis(100), ..MonitorOptions::default() };
    let monitor = Monitor::new(&runtime, options);
    let mut rules = Rules::new(RuleSource::BuiltIn, Vec::new());
    let setup = AlertSetup {
        rules: vec![memory_in_use()],
        engine: EngineOptions { interval: Duration::from_millis(200), ..EngineOptions::default() },
        ..rules.read().unwrap()
    };
    let store = Store::open("sqlite::memory:").await.unwrap();
    let service = AlertService::open(&store, setup, ServiceOptions::default()).await.unwrap();
    let alerting = runtime
        .spawn("alerting", AgentOptions::default(), move || {
            Alerting::new(service.clone(), rules.clone(), Duration::from_millis(200))
        })
        .unwrap();
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
    assert_eq!(inspected[0].agent["firing"], 1, "{inspected:?}");
    runtime.shutdown().await;
}

/// Fires as soon as somebody has looked.
fn memory_in_use() -> Rule {
    let window = Duration::from_secs(5);
    let held =
        Threshold::new("process_resident_memory_bytes", Aggregate::Last, window, Comparison::Above, 0.0);
    Rule::new("MemoryInUse", Condition::Threshold(held))
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
