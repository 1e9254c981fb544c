//! A deployment under load, an agent of it slowed on purpose: an alert becomes pending, fires, reaches a real Alertmanager
//! and a callback, and is over when its cause is gone; while a real Prometheus scrapes. The log holds no payload and no
//! secret.
//!
//! The consent agent is slowed by holding its database: revocations, which may not wait, do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use statim::alert::service::{AlertLedger, ServiceOptions};
use statim::alert::sink::{Callback, Delivery};
use statim::alert::{Status, Why};
use statim::monitor::MonitorOptions;
use statim::store::{Store, sibling_url};
use statim_agents::alerting::RuleSource;
use statim_agents::consent::{Actor, ConsentMessage, PatientId, ProvisionId, Revocation};
use statim_agents::deployment::{Deployment, DeploymentLinks, DeploymentOptions, PipelineOptions};
use statim_servers::{Alertmanager, Prometheus};

/// What is in every message of the load.
const PAYLOAD: &str = "patient-quokka-4711";
/// A key for the pager, as PagerDuty's are.
const PAGER_KEY: &str = "quokkasecret00000000000000000042";
/// A key for the desk, and what it is a key of.
const DESK_KEY: &str = "whsec_cXVva2thLXNlY3JldC1vZi10aGUtZGVzay0wMDAwMDA=";
const DESK_KEY_TEXT: &str = "quokka-secret-of-the-desk";

/// The evaluation interval, the window, and how long it must be bad.
const INTERVAL: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(3);
const HOLD: Duration = Duration::from_secs(3);

const RULES: &str = r#"
[evaluation]
interval = "1s"
resend = "2s"
[grouping]
by = ["alertname", "agent"]
wait = "0s"
interval = "1s"
[[sink]]
name = "log"
kind = "log"
[[sink]]
name = "alertmanager"
kind = "alertmanager"
url = "ALERTMANAGER"
[[sink]]
name = "pager"
kind = "pagerduty"
url = "http://127.0.0.1:CLOSED/v2/enqueue"
secret_file = "FOLDER/pager"
[[sink]]
name = "desk"
kind = "webhook"
url = "http://127.0.0.1:CLOSED/hook"
secret_file = "FOLDER/desk"
[[rule]]
name = "RevocationsSlow"
summary = "{label.agent} takes {value}"
metric = "statim_agent_response_seconds"
where = { agent = "consent", priority = "critical" }
window = "3s"
aggregate = "p99"
threshold = "1s"
clear = "600ms"
for = "3s"
severity = "critical"
investigate = { most_bytes = "8MiB", cooldown = "10m" }
"#;

/// What the log says, all of it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// What the callback heard of the rule: when, why, and the delivery's id.
type Heard = Arc<Mutex<Vec<(Instant, Why, Status, String)>>>;

fn get(port: u16, path: &str) -> String {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: statim\r\n\r\n").expect("asks");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

fn json(port: u16, path: &str) -> Value {
    let body = get(port, path);
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}"))
}

/// The alerts of the rule that the Alertmanager believes to fire.
fn at_alertmanager(port: u16) -> Vec<Value> {
    let alerts = json(port, "/api/v2/alerts?active=true&filter=alertname%3D%22RevocationsSlow%22");
    alerts.as_array().cloned().unwrap_or_default()
}

async fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Instant {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Instant::now()
}

fn closed_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Revocations of one patient, a hundred a second, until it is dropped.
fn load(deployment: &Deployment, running: &Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    let (consent, running) = (deployment.consent().clone(), Arc::clone(running));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let mut told = 0;
        while running.load(Ordering::Relaxed) {
            ticks.tick().await;
            let revocation = Revocation {
                patient: PatientId::new(PAYLOAD),
                provision: Some(ProvisionId::new(PAYLOAD)),
                at: Timestamp::now(),
                by: Actor::new(PAYLOAD),
            };
            let message = ConsentMessage::Revoke { revocation, reply: None };
            told += u64::from(consent.tell(message).await.is_ok());
        }
        told
    })
}

/// Holds the consent agent's database again and again while it is told to.
fn slow(url: String, slowed: Arc<AtomicBool>, running: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let store = Store::open(&url).await.expect("opens");
        while running.load(Ordering::Relaxed) {
            if slowed.load(Ordering::Relaxed) {
                // Where the agent has the turn, the next time will do.
                if let Ok(writer) = store.write().await {
                    tokio::time::sleep(Duration::from_millis(1_500)).await;
                    drop(writer);
                }
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        store.close().await;
    })
}

fn options(folder: &Path, alertmanager: &Alertmanager, heard: &Heard) -> DeploymentOptions {
    std::fs::write(folder.join("pager"), PAGER_KEY).unwrap();
    std::fs::write(folder.join("desk"), DESK_KEY).unwrap();
    let rules = RULES
        .replace("ALERTMANAGER", &alertmanager.url())
        .replace("CLOSED", &closed_port().to_string())
        .replace("FOLDER", &folder.display().to_string());
    let path = folder.join("rules.toml");
    std::fs::write(&path, rules).unwrap();
    let heard = Arc::clone(heard);
    let callback = Callback::blocking("callback", Duration::from_secs(5), move |delivery: &Delivery| {
        let mut heard = heard.lock().unwrap();
        for notice in delivery.notification.notices.iter().filter(|it| it.alert.rule == "RevocationsSlow") {
            heard.push((Instant::now(), delivery.notification.why, notice.status, delivery.id.clone()));
        }
        Ok(())
    });
    let interval = Duration::from_millis(200);
    DeploymentOptions {
        pipeline: PipelineOptions::new(format!("sqlite://{}/statim.db", folder.display())),
        arbiters: Some(2),
        shutdown_deadline: Duration::from_secs(20),
        consent_capacity: 10_000,
        monitor: MonitorOptions { interval, latency_interval: interval, ..MonitorOptions::default() },
        listen: Some(([127, 0, 0, 1], 0).into()),
        rules: RuleSource::File(path),
        sinks: vec![Arc::new(callback)],
        alerts: ServiceOptions::default(),
        bundles: Some(folder.join("bundles")),
        drill: None,
        consent_admission: None,
        links: DeploymentLinks::default(),
        door: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_slowed_agent_is_noticed_told_of_and_over_and_the_log_holds_nothing_of_it() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter("debug,statim=trace,statim_agents=trace,sqlx=info")
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let folder = tempfile::tempdir().unwrap();
    let am_config = "route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]\n";
    let alertmanager = Alertmanager::start(am_config).unwrap();
    let heard = Heard::default();
    let options = options(folder.path(), &alertmanager, &heard);
    let deployment = Deployment::start(&options).await.expect("starts");
    let metrics = deployment.listens_on().expect("listens");
    let scrape = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [statim.rules.yml]\n\
         scrape_configs: [{{job_name: statim, static_configs: [{{targets: ['{metrics}']}}]}}]\n"
    );
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/prometheus/statim.rules.yml");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    let prometheus = Prometheus::start(&scrape, &[("statim.rules.yml", &shipped)]).unwrap();

    let (running, slowed) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let loaded = load(&deployment, &running);
    let consent_url = sibling_url(&options.pipeline.database, Deployment::CONSENT_DATABASE).unwrap();
    let slowing = slow(consent_url, Arc::clone(&slowed), Arc::clone(&running));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let alerts = deployment.alerts().clone();
    assert!(alerts.leads() && alerts.open_alerts().is_empty(), "{:?}", alerts.open_alerts());
    assert!(heard.lock().unwrap().is_empty() && at_alertmanager(alertmanager.port()).is_empty());

    slowed.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let pending = until("it is pending", WINDOW + INTERVAL * 3, || {
        alerts.open_alerts().iter().any(|it| !it.firing && it.alert.rule == "RevocationsSlow")
    });
    let pending = pending.await;
    assert!(heard.lock().unwrap().is_empty(), "nobody is told while it is pending");
    let fired =
        until("it fires", Duration::from_secs(20), || alerts.open_alerts().iter().any(|it| it.firing)).await;
    // A look and the handling of the first slow message come before the window can show anything.
    assert!(fired - pending >= HOLD - INTERVAL, "{:?}", fired - pending);
    assert!(fired - pending <= HOLD + INTERVAL * 2, "it fired {:?} after it was pending", fired - pending);
    assert!(fired - began <= WINDOW + HOLD + INTERVAL * 2, "it fired {:?} after the cause", fired - began);
    let called =
        until("the callback is called", Duration::from_secs(10), || heard.lock().unwrap().len() == 1).await;
    let arrived = until("it reaches the Alertmanager", Duration::from_secs(10), || {
        at_alertmanager(alertmanager.port()).len() == 1
    });
    let arrived = arrived.await;
    let labels = at_alertmanager(alertmanager.port())[0]["labels"].clone();
    assert_eq!((&labels["agent"], &labels["severity"]), (&"consent".into(), &"critical".into()));
    // It is told again to whom forgets, and to nobody else.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(at_alertmanager(alertmanager.port()).len(), 1);

    slowed.store(false, Ordering::Relaxed);
    let ended = Instant::now();
    let over = until("it is over", Duration::from_secs(60), || {
        !alerts.open_alerts().iter().any(|it| it.alert.rule == "RevocationsSlow")
    });
    let over = over.await;
    until("the callback hears of it", Duration::from_secs(10), || heard.lock().unwrap().len() == 2).await;
    until("the Alertmanager hears of it", Duration::from_secs(10), || {
        at_alertmanager(alertmanager.port()).is_empty()
    })
    .await;

    // Resends may go on; nothing is told twice.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(at_alertmanager(alertmanager.port()).is_empty(), "over is over");
    let told: Vec<_> = heard.lock().unwrap().iter().map(|(_, why, status, _)| (*why, *status)).collect();
    assert_eq!(told, [(Why::Fired, Status::Firing), (Why::Resolved, Status::Resolved)]);

    let rules = json(prometheus.port(), "/api/v1/rules");
    let groups = rules["data"]["groups"].as_array().expect("groups");
    let each: Vec<&Value> =
        groups.iter().flat_map(|it| it["rules"].as_array().into_iter().flatten()).collect();
    assert!(!each.is_empty() && each.iter().all(|it| it["health"] == "ok"), "{rules}");
    let query =
        "/api/v1/query?query=max_over_time(statim_alerts_firing%7Brule%3D%22RevocationsSlow%22%7D%5B5m%5D)";
    let scraped = json(prometheus.port(), query);
    assert_eq!(scraped["data"]["result"][0]["value"][1], "1", "{scraped}");

    let text = get(metrics.port(), "/metrics");
    for series in [
        "statim_alert_leading 1",
        "statim_alert_deliveries_total{sink=\"callback\",outcome=\"delivered\"} 2",
        "statim_alert_deliveries_total{sink=\"alertmanager\",outcome=\"delivered\"} 2",
        "statim_alert_outbox_notifications{sink=\"pager\"} 2",
    ] {
        assert!(text.contains(series), "{series} is not in {text}");
    }
    // Who could not be told yet is told as long as it takes, and the tables say why.
    let store =
        Store::open(&sibling_url(&options.pipeline.database, Deployment::ALERTS_DATABASE).unwrap()).await;
    let store = store.expect("opens");
    let waiting = AlertLedger::open(&store).await.unwrap().deliveries(Some("waiting"), 10).await.unwrap();
    assert_eq!(waiting.len(), 4, "two words to each of two receivers that are down: {waiting:?}");
    store.close().await;

    running.store(false, Ordering::Relaxed);
    let told = loaded.await.unwrap();
    slowing.await.unwrap();
    assert!(told > 1_000, "only {told} messages were sent");
    assert!(deployment.shutdown().await.drained);

    // The bundle that the rule wants was written, and holds as little of it as the log.
    let bundles = std::fs::read_dir(folder.path().join("bundles")).expect("a folder").flatten();
    let bundles: Vec<_> = bundles.map(|it| it.path()).filter(|it| it.is_dir()).collect();
    assert_eq!(bundles.len(), 1, "{bundles:?}");
    let mut written = 0;
    for file in std::fs::read_dir(&bundles[0]).expect("a folder").flatten() {
        let text = String::from_utf8_lossy(&std::fs::read(file.path()).expect("reads")).into_owned();
        assert!(!text.contains("quokka"), "{:?} holds what it must not", file.path());
        written += usize::from(!text.is_empty());
    }
    assert!(written > 2, "{written} files");

    let text = log.text();
    assert!(text.contains("RevocationsSlow") && text.contains("pager"), "the log says nothing of the alert");
    for marker in [PAYLOAD, PAGER_KEY, DESK_KEY, &DESK_KEY[6..], DESK_KEY_TEXT, "quokka"] {
        let line = text.lines().find(|it| it.contains(marker));
        assert!(line.is_none(), "{marker} is in the log: {line:?}");
    }
    println!(
        "pending {:?} and firing {:?} after the cause; the callback {:?} and the Alertmanager {:?} after it fired; over \
         {:?} after the cause was gone; {told} messages; {} lines of log",
        pending - began,
        fired - began,
        called - fired,
        arrived - fired,
        over - ended,
        text.lines().count(),
    );
}
