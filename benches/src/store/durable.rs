//! A durable tell beside a bare insert of the same rows, on SQLite and on PostgreSQL, every commit on the disk.
//!
//! Statim's figure is from the first send to the last commit, with the agent handling meanwhile and what it handled being
//! removed from the same table; the bare inserts only insert. The multi-row insert has as many rows a commit as the outbox
//! has at most, so that both pay for the disk alike.

use std::future::IntoFuture;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use statim::delivery::{Durable, Outbox};
use statim::prelude::*;
use statim::store::{QueryBuilder, Store};
use statim_servers::{Postgres, PostgresOptions};
use tokio::runtime::{Builder, Runtime as Tokio};

use crate::{Case, Fault};

/// Messages in a full round.
const MESSAGES: u64 = 50_000;
/// Of those with a commit each.
const ALONE: u64 = 1_000;
/// Senders at work at a time, and rows of a bare commit: what the outbox commits together at most.
const TOGETHER: usize = 1_024;

/// The cases of the workloads `durable_tell_sqlite` and `durable_tell_postgres`; the first of each is what the others are
/// ratios to.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |workload, system: &str, package, operations, run| {
        cases.push(Case {
            workload,
            about: "a message of 200 bytes stored, commits on the disk",
            system: system.to_owned(),
            package,
            operations,
            rounds: 5,
            fitting: |count| count,
            run,
        });
    };
    let (tell, bare, alone) = ("Statim, durable tell", "sqlx, 1,024 rows a commit", "sqlx, a commit each");
    add("durable_tell_sqlite", tell, "statim", MESSAGES, |count| tells(Place::Sqlite, count));
    add("durable_tell_sqlite", bare, "sqlx", MESSAGES, |count| inserts(Place::Sqlite, count, TOGETHER));
    add("durable_tell_sqlite", alone, "sqlx", ALONE, |count| inserts(Place::Sqlite, count, 1));
    add("durable_tell_postgres", tell, "statim", MESSAGES, |count| tells(Place::Postgres, count));
    add("durable_tell_postgres", bare, "sqlx", MESSAGES, |count| inserts(Place::Postgres, count, TOGETHER));
    add("durable_tell_postgres", alone, "sqlx", ALONE, |count| inserts(Place::Postgres, count, 1));
    cases
}

#[derive(Clone, Copy)]
enum Place {
    Sqlite,
    Postgres,
}

/// A fresh database, gone with this.
struct Database {
    store: Store,
    _folder: Option<std::path::PathBuf>,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self._folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

async fn fresh(place: Place) -> Result<Database, Fault> {
    static SERVER: OnceLock<Result<Postgres, String>> = OnceLock::new();
    let (url, folder) = match place {
        Place::Sqlite => {
            let nanos = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
            // Not in the folder for temporary files, which may be in memory.
            let folder = std::env::current_dir().map_err(started)?.join(format!(".statim-bench-{nanos}"));
            std::fs::create_dir(&folder).map_err(started)?;
            (format!("sqlite://{}", folder.join("bench.db").display()), Some(folder))
        }
        Place::Postgres => {
            let options = PostgresOptions { fsync: true, ..PostgresOptions::default() };
            let server =
                SERVER.get_or_init(|| Postgres::start_with(&options).map_err(|error| error.to_string()));
            let server = server.as_ref().map_err(|error| Fault::Start(error.clone()))?;
            (server.database("bench").map_err(started)?, None)
        }
    };
    Ok(Database { store: Store::open(&url).await.map_err(started)?, _folder: folder })
}

#[derive(Serialize, Deserialize)]
struct Note {
    number: u64,
    text: String,
}

impl Note {
    fn number(number: u64) -> Self {
        Self { number, text: "x".repeat(180) }
    }
}

impl Message for Note {
    fn kind(&self) -> &'static str {
        "note"
    }
}

impl Durable for Note {}

struct Reader;

impl Agent for Reader {
    type Message = Note;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<(), Self::Error> {
        std::hint::black_box(note.number);
        Ok(())
    }
}

fn tells(place: Place, count: u64) -> Result<Duration, Fault> {
    tokio()?.block_on(async {
        let database = fresh(place).await?;
        let outbox = Outbox::open(&database.store).await.map_err(started)?;
        let runtime = Runtime::builder().start().map_err(started)?;
        let agent = runtime.spawn("reader", AgentOptions::default(), || Reader).map_err(started)?;
        let reader = outbox.bind(&agent).await.map_err(started)?;
        let began = Instant::now();
        let mut sent = 0;
        let mut under_way = FuturesUnordered::new();
        while sent < count || !under_way.is_empty() {
            while sent < count && under_way.len() < 2 * TOGETHER {
                under_way.push(reader.tell(Note::number(sent)).into_future());
                sent += 1;
            }
            if let Some(Err(refused)) = under_way.next().await {
                return Err(Fault::Start(refused.to_string()));
            }
        }
        let took = began.elapsed();
        runtime.shutdown().await;
        drop(under_way);
        drop(reader);
        outbox.close().await;
        database.store.close().await;
        Ok(took)
    })
}

fn inserts(place: Place, count: u64, together: usize) -> Result<Duration, Fault> {
    tokio()?.block_on(async {
        let database = fresh(place).await?;
        // The outbox's own table, so that the rows are the same.
        drop(Outbox::open(&database.store).await.map_err(started)?);
        let began = Instant::now();
        let numbers: Vec<u64> = (1..=count).collect();
        for some in numbers.chunks(together) {
            let mut writer = database.store.write().await.map_err(started)?;
            // As many rows a statement as the outbox writes.
            for rows in some.chunks(512) {
                let mut query = QueryBuilder::new(
                    writer.dialect(),
                    "INSERT INTO outbox_messages (id, kind, format, entity, deadline, sent_at, body) ",
                );
                query.push_values(rows, |row, number| {
                    let body = rmp_serde::to_vec_named(&Note::number(*number)).unwrap_or_default();
                    row.push_bind(i64::try_from(*number).unwrap_or(i64::MAX))
                        .push_bind("note")
                        .push_bind(1_i64)
                        .push_bind(None::<Vec<u8>>)
                        .push_bind(None::<i64>)
                        .push_bind(1_700_000_000_000_000_i64)
                        .push_bind(body);
                });
                query.build().execute(&mut *writer).await.map_err(started)?;
            }
            writer.commit().await.map_err(started)?;
        }
        let took = began.elapsed();
        database.store.close().await;
        Ok(took)
    })
}

fn tokio() -> Result<Tokio, Fault> {
    Builder::new_current_thread().enable_all().build().map_err(started)
}

fn started(error: impl std::fmt::Display) -> Fault {
    Fault::Start(error.to_string())
}
