//! A process is killed while alerts fire and are over, again and again: its receiver, which knows deliveries by their id,
//! hears of each that it fires and that it is over, in turn, and last that it is over.
//!
//! The process is this test binary once more, with one test chosen and its orders in the environment. In CI a few
//! rounds are run; `STATIM_CRASH_ROUNDS=500 cargo test -p statim --test alerts crash` runs more.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use statim::alert::service::{AlertService, AlertSetup, ServiceOptions};
use statim::alert::{EngineOptions, Labels};
use statim::store::Store;

use crate::bench::{Database, METRIC, options, rule, setup, until};
use crate::receiver::{Journal, Line, check_turns};

const ORDERS: &str = "STATIM_ALERT_ORDERS";
/// How often a life evaluates.
const INTERVAL: Duration = Duration::from_millis(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_fire_and_resolve_the_resolve_is_told_once_on_sqlite() {
    between(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_fire_and_resolve_the_resolve_is_told_once_on_postgres() {
    between(Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_no_resolve_is_lost_on_sqlite() {
    at_any_moment(Database::sqlite(), rounds()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_no_resolve_is_lost_on_postgres() {
    at_any_moment(Database::postgres(), rounds()).await;
}

fn rounds() -> u32 {
    std::env::var("STATIM_CRASH_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(20)
}

async fn between(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal { path: folder.path().join("journal") };
    let life = Life::of(&database.url, &journal.path, "bad");
    until(|| journal.lines().iter().filter(|it| it.status == "firing").count() == 3).await;
    // What was told is noted by now.
    tokio::time::sleep(Duration::from_millis(300)).await;
    life.kill();
    assert!(journal.lines().iter().all(|it| it.status == "firing"));
    let life = Life::of(&database.url, &journal.path, "good");
    until(|| journal.lines().iter().filter(|it| it.status == "resolved").count() == 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    life.kill();
    let lines = journal.lines();
    // Nothing was said twice, whatever the id.
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert_eq!(check_turns(&lines), 3);
}

async fn at_any_moment(database: Database, rounds: u32) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal { path: folder.path().join("journal") };
    let mut killed_open = 0;
    for _ in 0..rounds {
        let life = Life::of(&database.url, &journal.path, "turns");
        let rest = rand::rng().random_range(0..400);
        tokio::time::sleep(Duration::from_millis(rest)).await;
        life.kill();
        killed_open += u32::from(is_open(&journal.lines()));
    }
    let store = database.store().await;
    let service = open(&store, &journal.path).await;
    let mut quiet = 0;
    while quiet < 20 {
        show(&service, 1.0);
        let tick = service.tick().await.unwrap();
        let still = service.waiting() > 0 || !service.open_alerts().is_empty();
        quiet = if !tick.leads || still { 0 } else { quiet + 1 };
        tokio::time::sleep(INTERVAL).await;
    }
    service.close().await;
    let lines = journal.lines();
    let fired = check_turns(&lines);
    assert!(fired > rounds as usize, "only {fired} fired in {rounds} lives");
    assert!(killed_open > 0, "no kill came between fire and resolve, so nothing was shown");
    let distinct: std::collections::BTreeSet<_> = lines.iter().map(|it| (&it.id, &it.key)).collect();
    println!(
        "{rounds} kills, {killed_open} between fire and resolve; {fired} fired, {} notices, {} of them repeated by id",
        lines.len(),
        lines.len() - distinct.len()
    );
}

/// Whether anything fires as far as the receiver knows.
fn is_open(lines: &[Line]) -> bool {
    let last = |key: &str| lines.iter().rfind(|it| it.key == key).is_some_and(|it| it.status == "firing");
    lines.iter().any(|it| last(&it.key))
}

async fn open(store: &Store, journal: &Path) -> AlertService {
    let sink = Arc::new(Journal { path: journal.to_owned() });
    let setup = setup(vec![rule()], vec![sink]);
    let engine = EngineOptions { interval: INTERVAL, ..EngineOptions::default() };
    let options = ServiceOptions { grace: Duration::from_millis(500), ..options() };
    AlertService::open(store, AlertSetup { engine, ..setup }, options).await.expect("it opens")
}

fn show(service: &AlertService, value: f64) {
    for agent in ["a", "b", "c"] {
        let labels = Labels::new([("agent", agent)]).unwrap();
        service.observe_value(METRIC, &labels, value, service.now());
    }
}

/// A process that evaluates.
struct Life {
    process: Child,
}

impl Life {
    /// Waits until it leads.
    fn of(url: &str, journal: &Path, values: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_life", "--ignored", "--nocapture", "--test-threads=1"])
            .env(ORDERS, format!("{values} {url} {}", journal.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test binary runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "leads"), "a life says that it leads");
        // Its output is read on, so that it is not held up.
        std::thread::spawn(move || lines.count());
        Self { process }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Not a test: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the other tests here, in a process of its own"]
async fn a_life() {
    let orders = std::env::var(ORDERS).expect("run by the other tests here");
    let mut orders = orders.splitn(3, ' ');
    let (values, url) = (orders.next().unwrap(), orders.next().unwrap());
    let journal = PathBuf::from(orders.next().unwrap());
    let store = Store::open(url).await.unwrap();
    let service = open(&store, &journal).await;
    let mut said = false;
    for step in 0_u32.. {
        let value = match values {
            "bad" => 20.0,
            "good" => 1.0,
            // Good and bad in turn, some evaluations each.
            _ if step / 4 % 2 == 0 => 20.0,
            _ => 1.0,
        };
        show(&service, value);
        let leads = service.tick().await.is_ok_and(|it| it.leads);
        if leads && !said {
            said = true;
            std::io::stdout().write_all(b"\nleads\n").unwrap();
            std::io::stdout().flush().unwrap();
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
