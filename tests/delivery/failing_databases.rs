//! Databases that fail under load: each ends in a clear error to the sender or in a completed delivery.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt;
use sqlx::Row;
use statim::delivery::{DurableRef, OutboxOptions, SendError};
use statim::prelude::*;
use statim::store::{Store, StoreOptions};
use statim_servers::Postgres;

use crate::ward::{Hospital, Note, Plan, count, entry, until};

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// Numbers sent, and errors.
type Sent = (Vec<u32>, Vec<SendError<Note>>);

/// Senders of effects, until told to stop. The numbers whose send returned `Ok`, and the errors.
struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<Sent>>,
}

impl Load {
    fn on(ward: &DurableRef<Note>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sender = |sender: u32| {
            let (ward, stop) = (ward.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut sent, mut refused) = (Vec::new(), Vec::new());
                let mut number = sender * 1_000_000;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    match ward.tell(Note::Effect { number }).await {
                        Ok(()) => sent.push(number),
                        Err(error) => refused.push(error),
                    }
                }
                (sent, refused)
            })
        };
        Self { senders: (0..4).map(sender).collect(), stop }
    }

    async fn end(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        for sender in self.senders {
            let (its, errors) = sender.await.unwrap();
            sent.extend(its);
            refused.extend(errors);
        }
        (sent, refused)
    }
}

async fn each_effect_once(hospital: &Hospital, sent: &[u32]) {
    hospital.settled().await;
    let mut reader = hospital.store.read().await.unwrap();
    let rows =
        sqlx::query("SELECT number, COUNT(*) FROM effects GROUP BY number").fetch_all(&mut *reader).await;
    let made: BTreeMap<i64, i64> = rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    let lost = sent.iter().filter(|number| !made.contains_key(&i64::from(**number))).count();
    let twice = made.values().filter(|count| **count != 1).count();
    assert_eq!((lost, twice), (0, 0), "of {} sent", sent.len());
    drop(reader);
    assert_eq!(hospital.stored().await, 0);
    assert_eq!(count(&hospital.store, "SELECT COUNT(*) FROM dead_letters").await, 0);
}

async fn hospital_on(url: &str) -> Hospital {
    let options = StoreOptions { acquire_timeout: Duration::from_secs(10), ..StoreOptions::default() };
    let store = Store::open_with(url, options).await.expect("the database opens");
    Hospital::open(&store, Plan { attempts: 100, capacity: 200, ..Plan::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_killed_and_started_again_under_load_loses_nothing() {
    let mut server = Postgres::start().expect("a private PostgreSQL");
    let hospital = hospital_on(&server.database("killed").unwrap()).await;
    let load = Load::on(&hospital.ward);
    // On a machine with much else to do an outage may fall between two commits.
    for outages in 1..=20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.kill().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.start_again().unwrap();
        if outages >= 3 && hospital.outbox.stats().retries > 0 {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (sent, refused) = load.end().await;
    assert!(refused.is_empty(), "the outage was shorter than the patience: {:?}", refused.first());
    assert!(hospital.outbox.stats().retries > 0, "no commit met the outage, so nothing was shown");
    each_effect_once(&hospital, &sent).await;
    hospital.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_in_the_middle_of_commits_lose_nothing_and_double_nothing() {
    let server = Postgres::start().expect("a private PostgreSQL");
    let hospital = hospital_on(&server.database("cut").unwrap()).await;
    let load = Load::on(&hospital.ward);
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_micros(rand::rng().random_range(0..40_000))).await;
        server
            .psql(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
            )
            .unwrap();
    }
    let (sent, refused) = load.end().await;
    assert!(refused.is_empty(), "{:?}", refused.first());
    assert!(hospital.outbox.stats().retries > 0, "no commit was cut, so nothing was shown");
    each_effect_once(&hospital, &sent).await;
    hospital.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_away_for_longer_than_the_patience_is_told_to_the_senders_with_their_messages() {
    let mut server = Postgres::start().expect("a private PostgreSQL");
    let options = StoreOptions { acquire_timeout: Duration::from_millis(300), ..StoreOptions::default() };
    let store = Store::open_with(&server.database("away").unwrap(), options).await.unwrap();
    let outbox = OutboxOptions { patience: Duration::from_millis(500), ..OutboxOptions::default() };
    let hospital = Hospital::open(&store, Plan { outbox, ..Plan::default() }).await;
    hospital.ward.tell(entry(1)).await.unwrap();
    hospital.settled().await;
    server.kill().unwrap();
    let error = hospital.ward.tell(entry(2)).await.unwrap_err();
    assert!(matches!(error, SendError::Store { .. }), "{error:?}");
    assert_eq!(error.into_message(), entry(2));
    server.start_again().unwrap();
    hospital.ward.tell(entry(3)).await.unwrap();
    hospital.settled().await;
    let numbers = hospital.journal.numbers();
    assert!(numbers == [1, 3] || numbers == [1, 2, 3], "{numbers:?}");
    hospital.close().await;
}

#[tokio::test]
async fn a_database_that_may_not_be_written_is_a_clear_error_at_once() {
    let server = Postgres::start().expect("a private PostgreSQL");
    let url = server.database("refused").unwrap();
    let owner = hospital_on(&url).await;
    let name = url.rsplit('/').next().unwrap();
    server
        .psql(
            name,
            "CREATE ROLE reader LOGIN; GRANT CREATE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
             GRANT ALL ON outbox_agents, schema_migrations TO reader;",
        )
        .unwrap();
    let reader = Store::open(&url.replacen("postgres@", "reader@", 1)).await.unwrap();
    let outbox = statim::delivery::Outbox::open(&reader).await.unwrap();
    struct Nobody;
    impl Agent for Nobody {
        type Message = Note;
        type Error = crate::ward::InTrouble;
        async fn handle(&mut self, _: Note, _: &mut Context<Self>) -> Result<(), Self::Error> {
            Ok(())
        }
    }
    let nobody = owner.runtime.spawn("nobody", AgentOptions::default(), || Nobody).unwrap();
    let ward = outbox.bind(&nobody).await.unwrap();
    let error = ward.tell(entry(1)).await.unwrap_err();
    let told = chain(&error);
    assert!(matches!(error, SendError::Store { unsure: false, .. }), "{told}");
    assert!(told.contains("permission denied for table outbox_messages"), "{told}");
    owner.close().await;
}

/// Runs an ignored test of this binary in a mount namespace of its own, with a file system of its own at `folder`.
fn in_a_small_disk(test: &str, folder: &Path, options: &str) {
    let script = format!(
        "mount -t tmpfs -o {options} tmpfs '{}' && exec '{}' --exact {test} --ignored --nocapture",
        folder.display(),
        std::env::current_exe().unwrap().display()
    );
    let mut unshare = Command::new("unshare");
    // Root needs no user namespace, and may not be allowed one.
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let output = unshare
        .args(["--mount", "sh", "-c", &script])
        .env("STATIM_SMALL_DISK", folder)
        .output()
        .expect("unshare (Debian package util-linux) runs");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_full_disk_is_a_clear_error_and_sending_goes_on_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    in_a_small_disk("failing_databases::on_a_full_disk", folder.path(), "size=3m");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test here, on a disk of its own"]
async fn on_a_full_disk() {
    let folder = PathBuf::from(std::env::var("STATIM_SMALL_DISK").expect("run by another test here"));
    let store = Store::open(&format!("sqlite://{}", folder.join("statim.db").display())).await.unwrap();
    let hospital = Hospital::open(&store, Plan { attempts: 5, ..Plan::default() }).await;
    let mut number = 0;
    let mut sent = Vec::new();
    for _ in 0..50 {
        number += 1;
        hospital.ward.tell(Note::Effect { number }).await.unwrap();
        sent.push(number);
    }
    hospital.settled().await;
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![0; 3 << 20]).unwrap_err();
    let mut refused = None;
    // What the write-ahead log has room for still goes.
    while refused.is_none() {
        number += 1;
        let patient = "x".repeat(20_000);
        match hospital.ward.tell(Note::Entry { patient, number }).await {
            Ok(()) => {}
            Err(error) => refused = Some(error),
        }
        assert!(number < 10_000, "a full disk is noticed");
    }
    let error = refused.unwrap();
    let told = chain(&error);
    assert!(matches!(error, SendError::Store { unsure: false, .. }), "{told}");
    assert!(told.contains("full"), "{told}");
    std::fs::remove_file(&filler).unwrap();
    for _ in 0..50 {
        number += 1;
        hospital.ward.tell(Note::Effect { number }).await.unwrap();
        sent.push(number);
    }
    until(|| hospital.ward.pending() == 0).await;
    each_effect_once(&hospital, &sent).await;
    hospital.close().await;
}

#[test]
fn a_read_only_file_system_is_a_clear_error_at_the_opening() {
    let folder = tempfile::tempdir().unwrap();
    in_a_small_disk("failing_databases::on_a_read_only_file_system", folder.path(), "size=3m,ro");
}

#[tokio::test]
#[ignore = "run by another test here, on a disk of its own"]
async fn on_a_read_only_file_system() {
    let folder = PathBuf::from(std::env::var("STATIM_SMALL_DISK").expect("run by another test here"));
    let url = format!("sqlite://{}", folder.join("statim.db").display());
    let error = Store::open(&url).await.expect_err("it cannot be opened");
    let told = chain(&error);
    assert!(told.contains("statim.db"), "{told}");
}
