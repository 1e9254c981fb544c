//! The agent evaluates, takes up a rule file that has changed, and keeps what it has when the new one is wrong.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::alert::Status;
use statim::alert::service::{AlertService, ServiceOptions};
use statim::alert::sink::{Delivered, Delivering, Delivery, Sink};
use statim::monitor::{Monitor, MonitorOptions};
use statim::store::Store;
use statim::{AgentOptions, AgentRef, LinkOptions, Runtime};

use super::{Alerting, AlertingMessage, RuleSource, Rules};
use crate::monitor::MonitorAgent;

const RULE: &str = "\
[evaluation]
interval = \"1s\"
[grouping]
wait = \"0s\"
interval = \"1s\"
[[rule]]
name = \"Memory\"
metric = \"process_resident_memory_bytes\"
aggregate = \"last\"
comparison = \">=\"
threshold = THRESHOLD
";

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(String, Status)>>);

impl Sink for Heard {
    fn name(&self) -> &str {
        "heard"
    }

    fn kind(&self) -> &'static str {
        "callback"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        let notices = delivery.notification.notices.iter().map(|it| (it.alert.rule.clone(), it.status));
        self.0.lock().unwrap().extend(notices);
        Box::pin(async { Ok(Delivered::Told) })
    }
}

struct Stage {
    runtime: Runtime,
    alerting: AgentRef<AlertingMessage>,
    service: AlertService,
    heard: Arc<Heard>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new(threshold: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.toml");
        std::fs::write(&file, RULE.replace("THRESHOLD", threshold)).unwrap();
        let runtime = Runtime::builder().arbiters(1).start().unwrap();
        let options = MonitorOptions { interval: Duration::from_millis(100), ..MonitorOptions::default() };
        let monitor = Monitor::new(&runtime, options);
        let heard = Arc::new(Heard::default());
        let mut rules = Rules::new(RuleSource::File(file.clone()), vec![heard.clone()]);
        let setup = rules.read().unwrap();
        let interval = setup.engine.interval;
        let store = Store::open("sqlite::memory:").await.unwrap();
        let service = AlertService::open(&store, setup, ServiceOptions::default()).await.unwrap();
        let its = service.clone();
        let alerting = runtime
            .spawn("alerting", AgentOptions::default(), move || {
                Alerting::new(its.clone(), rules.clone(), interval)
            })
            .unwrap();
        let told = alerting.guarded("monitor", &LinkOptions::default()).unwrap();
        runtime
            .spawn("monitor", AgentOptions::default(), move || {
                MonitorAgent::new(monitor.clone(), told.clone())
            })
            .unwrap();
        Self { runtime, alerting, service, heard, file, _folder: folder }
    }

    async fn hears(&self, wanted: &[Status]) {
        let heard = || self.heard.0.lock().unwrap().iter().map(|(_, status)| *status).collect::<Vec<_>>();
        for _ in 0..1_500 {
            if heard() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("heard {:?} instead of {wanted:?}", heard());
    }
}

#[tokio::test]
async fn what_the_monitor_sees_fires_and_a_changed_file_is_taken_up() {
    let stage = Stage::new("1").await;
    stage.hears(&[Status::Firing]).await;
    let inspected = stage.alerting.inspect().await.unwrap();
    assert_eq!(inspected[0].agent["firing"], 1, "{inspected:?}");
    // A wrong file changes nothing.
    std::fs::write(&stage.file, RULE.replace("THRESHOLD", "\"2 parsecs\"")).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(stage.service.open_alerts().iter().any(|it| it.firing));
    std::fs::write(&stage.file, RULE.replace("THRESHOLD", "\"9000GiB\"")).unwrap();
    stage.hears(&[Status::Firing, Status::Resolved]).await;
    stage.runtime.shutdown().await;
}

#[tokio::test]
async fn rules_are_read_again_when_somebody_asks() {
    let stage = Stage::new("\"9000GiB\"").await;
    // Of the same length and age as far as the stamp can tell, or not: asked, it is read.
    std::fs::write(&stage.file, RULE.replace("THRESHOLD", "1")).unwrap();
    stage.alerting.tell(AlertingMessage::Reload).await.unwrap();
    stage.hears(&[Status::Firing]).await;
    stage.runtime.shutdown().await;
}

#[test]
fn a_file_that_is_gone_for_a_moment_is_as_it_was_and_each_change_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, RULE.replace("THRESHOLD", "1")).unwrap();
    let mut rules = Rules::new(RuleSource::File(file.clone()), Vec::new());
    assert_eq!(rules.read().unwrap().rules.len(), 1);
    assert!(rules.read_if_changed().is_none());
    std::fs::remove_file(&file).unwrap();
    assert!(rules.read_if_changed().is_none());
    std::fs::write(&file, "[[rule]]\nname = \"x\"\n").unwrap();
    assert!(rules.read_if_changed().unwrap().is_err());
    assert!(rules.read_if_changed().is_none(), "a fault is said once");
    assert!(Rules::new(RuleSource::BuiltIn, Vec::new()).read_if_changed().is_none());
}
