//! A query through the query cache, beside the same query on the database.
//!
//! One caller, as an agent has it: a current-thread runtime, one query at a time. The rows are the size of a study's
//! summary. Everything is warm: the databases have their pages in memory, and the cache has every result, but where it is
//! told to keep nothing in memory and asks Redis. The servers are private, started by the first case and gone with the
//! process.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool, SqlitePool};
use statim::store::cache::{CacheOptions, QueryCache, QueryKey, RedisOptions};
use statim_servers::{Postgres, Redis};
use tokio::runtime::{Builder, Runtime};

use crate::{Case, Fault};

/// Rows in the table.
const ROWS: u32 = 10_000;
/// Rows that are asked for, in turn.
const HOT_ROWS: u32 = 1_000;
const HOUR: Duration = Duration::from_secs(3600);

const ONE: &str = "SELECT id, title, status, sponsor, enrolment, summary FROM studies WHERE id = $1";
const TABLE: &str = "CREATE TABLE studies (id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL,
    sponsor TEXT NOT NULL, enrolment BIGINT NOT NULL, summary TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO studies VALUES ($1, $2, $3, $4, $5, $6)";

/// One round of a case.
type Run = fn(u64) -> Result<Duration, Fault>;

/// The cases of the workload `cached_query`; the first is what the others are ratios to.
pub fn cases() -> Vec<Case> {
    let systems: [(&str, &str, u64, Run); 6] = [
        ("Statim, in memory", "statim", 200_000, |calls| time(calls, |stage| Source::Cache(&stage.memory))),
        ("Statim, in memory, Redis trusted for a minute", "statim", 200_000, |calls| {
            time(calls, |stage| Source::Cache(&stage.trusting))
        }),
        ("Statim, in memory, Redis asked at each hit", "statim", 10_000, |calls| {
            time(calls, |stage| Source::Cache(&stage.asking))
        }),
        ("Statim, from Redis", "statim", 10_000, |calls| {
            time(calls, |stage| Source::Cache(&stage.redis_only))
        }),
        ("uncached, SQLite through sqlx", "sqlx", 10_000, |calls| time(calls, |_| Source::Sqlite)),
        ("uncached, PostgreSQL through sqlx", "sqlx", 10_000, |calls| time(calls, |_| Source::Postgres)),
    ];
    let case = |(system, package, operations, run): (&str, &'static str, u64, _)| Case {
        workload: "cached_query",
        about: "a row by its key, 1,000 of 10,000 rows in turn, one caller",
        system: system.to_owned(),
        package,
        operations,
        rounds: usize::MAX,
        fitting: |calls| calls,
        run,
    };
    systems.into_iter().map(case).collect()
}

#[derive(Debug, PartialEq, FromRow, Serialize, Deserialize)]
struct Study {
    id: String,
    title: String,
    status: String,
    sponsor: String,
    enrolment: i64,
    summary: String,
}

impl Study {
    fn number(number: u32) -> Self {
        Self {
            id: id(number),
            title: format!("A randomised trial of treatment {number} against placebo in adults"),
            status: ["RECRUITING", "COMPLETED", "TERMINATED"][number as usize % 3].into(),
            sponsor: format!("University Hospital {}", number % 100),
            enrolment: i64::from(number % 5000),
            summary: "The study compares two treatments over twelve months. ".repeat(8),
        }
    }
}

fn id(number: u32) -> String {
    format!("NCT{number:08}")
}

/// Where the rows come from.
enum Source<'a> {
    Cache(&'a QueryCache),
    Sqlite,
    Postgres,
}

/// Servers, tables and caches, made once a process.
struct Stage {
    runtime: Runtime,
    sqlite: SqlitePool,
    postgres: PgPool,
    memory: QueryCache,
    trusting: QueryCache,
    asking: QueryCache,
    redis_only: QueryCache,
    _servers: (Redis, Postgres),
}

impl Stage {
    fn set() -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(fault)?;
        let (redis, postgres) = (Redis::start().map_err(fault)?, Postgres::start().map_err(fault)?);
        let (sqlite, pool) = runtime.block_on(tables(&postgres.url())).map_err(fault)?;
        let open = |memory_bytes, trust: Option<Duration>| {
            let redis = trust.map(|trust| RedisOptions {
                trust,
                namespace: format!("bench-{memory_bytes}-{}", trust.as_secs()),
                timeout: Duration::from_secs(5),
                ..RedisOptions::new(redis.url())
            });
            QueryCache::open(CacheOptions { memory_bytes, redis, ..CacheOptions::default() }).map_err(fault)
        };
        let all = 64 << 20;
        Ok(Self {
            sqlite,
            postgres: pool,
            memory: open(all, None)?,
            trusting: open(all, Some(Duration::from_secs(60)))?,
            asking: open(all, Some(Duration::ZERO))?,
            redis_only: open(0, Some(Duration::ZERO))?,
            _servers: (redis, postgres),
            runtime,
        })
    }

    async fn ask_sqlite(&self, id: &str) -> Result<Study, sqlx::Error> {
        sqlx::query_as(ONE).bind(id).fetch_one(&self.sqlite).await
    }

    async fn ask_postgres(&self, id: &str) -> Result<Study, sqlx::Error> {
        sqlx::query_as(ONE).bind(id).fetch_one(&self.postgres).await
    }

    async fn read(&self, source: &Source<'_>, id: &str) -> Result<Study, Fault> {
        match source {
            Source::Cache(cache) => cache
                .query(QueryKey::new(ONE).bind(id))
                .tag(id)
                .ttl(HOUR)
                .get_or_load(|| self.ask_sqlite(id))
                .await
                .map_err(fault),
            Source::Sqlite => self.ask_sqlite(id).await.map_err(fault),
            Source::Postgres => self.ask_postgres(id).await.map_err(fault),
        }
    }
}

/// Times so many reads from a source that has been read once.
fn time(calls: u64, choose: fn(&Stage) -> Source<'_>) -> Result<Duration, Fault> {
    static STAGE: OnceLock<Mutex<Option<Stage>>> = OnceLock::new();
    let mut stage = STAGE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if stage.is_none() {
        *stage = Some(Stage::set()?);
    }
    let Some(stage) = stage.as_ref() else { return Err(fault("the stage is not set")) };
    let source = choose(stage);
    stage.runtime.block_on(async {
        for number in 0..HOT_ROWS {
            let read = stage.read(&source, &id(number)).await?;
            if read != Study::number(number) {
                return Err(fault("not the row that was asked for"));
            }
        }
        let loads_before = loads(&source).await;
        let began = Instant::now();
        for number in (0..HOT_ROWS).cycle().take(usize::try_from(calls).map_err(fault)?) {
            std::hint::black_box(stage.read(&source, &id(number)).await?);
        }
        let took = began.elapsed();
        match loads(&source).await == loads_before {
            true => Ok(took),
            false => Err(fault("a query that should have been cached was loaded")),
        }
    })
}

/// Loads so far, when everything that was loaded has been kept.
async fn loads(source: &Source<'_>) -> u64 {
    let Source::Cache(cache) = source else { return 0 };
    cache.settle(Duration::from_secs(10)).await;
    cache.snapshot().loads.loads
}

async fn tables(postgres: &str) -> Result<(SqlitePool, PgPool), sqlx::Error> {
    // One connection, as one caller needs; in memory, it would be another database for each.
    let sqlite = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect("sqlite::memory:")
        .await?;
    let postgres = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(postgres).await?;
    sqlx::query(TABLE).execute(&sqlite).await?;
    sqlx::query(TABLE).execute(&postgres).await?;
    let mut in_sqlite = sqlite.begin().await?;
    let mut in_postgres = postgres.begin().await?;
    for study in (0..ROWS).map(Study::number) {
        let Study { id, title, status, sponsor, enrolment, summary } = &study;
        let insert = sqlx::query(INSERT).bind(id).bind(title).bind(status);
        insert.bind(sponsor).bind(enrolment).bind(summary).execute(&mut *in_sqlite).await?;
        let insert = sqlx::query(INSERT).bind(id).bind(title).bind(status);
        insert.bind(sponsor).bind(enrolment).bind(summary).execute(&mut *in_postgres).await?;
    }
    in_sqlite.commit().await?;
    in_postgres.commit().await?;
    sqlx::query("ANALYZE studies").execute(&postgres).await?;
    Ok((sqlite, postgres))
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::gone(error)
}
