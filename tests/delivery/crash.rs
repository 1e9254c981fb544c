//! A process is killed at a random moment under load, again and again: nothing that was sent is lost, and no effect is
//! made twice.
//!
//! The process is this test binary once more, with one test chosen and its orders in the environment. In CI a few
//! rounds are run; `STATIM_CRASH_ROUNDS=1000 cargo test -p statim --test delivery crash` runs a thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::RngExt;
use sqlx::Row;
use statim::store::Store;

use crate::bench_of_databases::Database;
use crate::ward::{Hospital, Note, Plan, until};

const ORDERS: &str = "STATIM_CRASH_ORDERS";
/// Numbers of one life are below this.
const LIFE: u32 = 1_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_sqlite_nothing_is_lost_and_no_effect_is_made_twice() {
    check(Database::sqlite(), rounds(15)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_postgres_nothing_is_lost_and_no_effect_is_made_twice() {
    check(Database::postgres(), rounds(15)).await;
}

fn rounds(usual: u32) -> u32 {
    std::env::var("STATIM_CRASH_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

async fn check(database: Database, rounds: u32) {
    let mut promised = BTreeSet::new();
    let (mut killed_at_work, mut redelivered) = (0, 0);
    for round in 0..rounds {
        let life = Life::of(&database.url, round);
        let (sent, pending) = life.end_by_kill();
        killed_at_work += u32::from(!sent.is_empty());
        redelivered += pending;
        promised.extend(sent);
    }
    assert!(killed_at_work * 2 > rounds, "only {killed_at_work} of {rounds} were killed at work");
    assert!(redelivered > 0, "no kill left anything to redeliver, so nothing was shown");

    let store = database.store().await;
    let last = Hospital::open(&store, Plan { attempts: 5, ..Plan::default() }).await;
    drain(&last).await;
    let made = effects(&store).await;
    let lost: Vec<u32> = promised.iter().filter(|number| !made.contains_key(number)).copied().collect();
    let twice: Vec<_> = made.iter().filter(|(_, count)| **count != 1).collect();
    assert!(
        lost.is_empty(),
        "{} of {} sends that had returned are lost: {lost:?}",
        lost.len(),
        promised.len()
    );
    assert!(twice.is_empty(), "effects not made exactly once: {twice:?}");
    let letters = crate::ward::count(&store, "SELECT COUNT(*) FROM dead_letters").await;
    assert_eq!((last.stored().await, letters), (0, 0));
    println!(
        "{rounds} kills, {} sends had returned, {} effects, {redelivered} messages found again after a kill",
        promised.len(),
        made.len()
    );
    last.close().await;
}

/// Waits until nothing is pending; a thousand lives leave a backlog that takes its time, but it has to get smaller.
async fn drain(last: &Hospital) {
    let mut left = last.ward.pending();
    while left > 0 {
        until(|| last.ward.pending() < left).await;
        left = last.ward.pending();
    }
}

async fn effects(store: &Store) -> BTreeMap<u32, i64> {
    let mut reader = store.read().await.unwrap();
    let rows =
        sqlx::query("SELECT number, COUNT(*) FROM effects GROUP BY number").fetch_all(&mut *reader).await;
    rows.unwrap().iter().map(|row| (u32::try_from(row.get::<i64, _>(0)).unwrap(), row.get(1))).collect()
}

/// A process under load.
struct Life {
    process: std::process::Child,
}

impl Life {
    fn of(url: &str, round: u32) -> Self {
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_life", "--ignored", "--nocapture", "--test-threads=1"])
            .env(ORDERS, format!("{round} {url}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test binary runs");
        Self { process }
    }

    /// Kills it somewhere in its work. The numbers whose send had returned, and what it found pending at its start.
    fn end_by_kill(mut self) -> (Vec<u32>, u32) {
        let output = BufReader::new(self.process.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let pending = lines.by_ref().find_map(|line| line.strip_prefix("pending ")?.parse().ok());
        let pending = pending.expect("a life says what it found");
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(rand::rng().random_range(0..150_000)));
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        });
        // A line cut short by the kill is no promise.
        let sent =
            lines.filter_map(|line| line.strip_prefix("sent ")?.strip_suffix('.')?.parse().ok()).collect();
        killer.join().unwrap();
        (sent, pending)
    }
}

/// Not a test: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the other tests here, in a process of its own"]
async fn a_life() {
    let orders = std::env::var(ORDERS).expect("run by the other tests here");
    let (round, url) = orders.split_once(' ').unwrap();
    let first: u32 = round.parse::<u32>().unwrap() * LIFE;
    let store = Store::open(url).await.unwrap();
    let hospital = Hospital::open(&store, Plan { capacity: 100, attempts: 5, ..Plan::default() }).await;
    say(&format!("\npending {}\n", hospital.ward.pending()));
    let mut senders = Vec::new();
    for sender in 0..4 {
        let ward = hospital.ward.clone();
        senders.push(tokio::spawn(async move {
            for number in 0..LIFE / 4 {
                let number = first + sender * (LIFE / 4) + number;
                ward.tell(Note::Effect { number }).await.unwrap();
                say(&format!("sent {number}.\n"));
            }
        }));
    }
    futures_util::future::join_all(senders).await;
}

/// One write, so that a kill cuts between lines.
fn say(line: &str) {
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}
