//! The tables: every statement on them is here.
//!
//! Each function is part of a transaction that the caller begins and commits. The SQL is what SQLite and PostgreSQL have in
//! common.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::batch::Batch;
use super::entry::{Entry, Fate, Stage};
use super::lane::Told;
use super::request::Request;
use crate::alert::event::Alert;
use crate::alert::notification::Notification;
use crate::alert::time::Moment;
use crate::store::{Connection, Migration};
use crate::sync::Arc;

pub(super) const COMPONENT: &str = "alerts";

pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "alerts",
    sqlite: "
        CREATE TABLE alert_lead (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL) STRICT;
        INSERT INTO alert_lead (id, epoch) VALUES (1, 0);
        CREATE TABLE alert_states (name TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE TABLE alert_deliveries (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            sink TEXT NOT NULL,
            why TEXT NOT NULL,
            queued_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            settled_at INTEGER,
            reason TEXT,
            body BLOB
        ) STRICT;
        CREATE INDEX alert_deliveries_by_status ON alert_deliveries (status, seq);
        CREATE TABLE alert_told (
            sink TEXT NOT NULL,
            dedup_key TEXT NOT NULL,
            closed_at INTEGER,
            body BLOB,
            PRIMARY KEY (sink, dedup_key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE alert_requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
    ",
    postgres: "
        CREATE TABLE alert_lead (id BIGINT PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL);
        INSERT INTO alert_lead (id, epoch) VALUES (1, 0);
        CREATE TABLE alert_states (name TEXT PRIMARY KEY, at BIGINT NOT NULL, body BYTEA NOT NULL);
        CREATE TABLE alert_deliveries (
            seq BIGINT PRIMARY KEY,
            id TEXT NOT NULL,
            sink TEXT NOT NULL,
            why TEXT NOT NULL,
            queued_at BIGINT NOT NULL,
            attempts BIGINT NOT NULL,
            due_at BIGINT NOT NULL,
            status TEXT NOT NULL,
            settled_at BIGINT,
            reason TEXT,
            body BYTEA
        );
        CREATE INDEX alert_deliveries_by_status ON alert_deliveries (status, seq);
        CREATE TABLE alert_told (
            sink TEXT NOT NULL,
            dedup_key TEXT NOT NULL,
            closed_at BIGINT,
            body BYTEA,
            PRIMARY KEY (sink, dedup_key)
        );
        CREATE TABLE alert_requests (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at BIGINT NOT NULL,
            body BYTEA NOT NULL
        );
    ",
}];

/// The names of the states.
pub(super) const ENGINE: &str = "engine";
pub(super) const DISPATCHER: &str = "dispatcher";
pub(super) const BOARD: &str = "board";

/// Most settled notifications that can be looked up.
const MOST_SETTLED: i64 = 10_000;

const WAITING: &str = "waiting";

/// The epoch of who leads. Locks it, so that nobody takes over meanwhile.
pub(super) async fn epoch(on: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query("UPDATE alert_lead SET epoch = epoch WHERE id = 1").execute(&mut *on).await?;
    sqlx::query_scalar("SELECT epoch FROM alert_lead WHERE id = 1").fetch_one(&mut *on).await
}

pub(super) async fn set_epoch(on: &mut Connection, epoch: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE alert_lead SET epoch = $1 WHERE id = 1").bind(epoch).execute(&mut *on).await.map(drop)
}

/// A state and when it was stored.
pub(super) async fn state(
    on: &mut Connection,
    name: &'static str,
) -> sqlx::Result<Option<(Moment, Vec<u8>)>> {
    let row =
        sqlx::query("SELECT at, body FROM alert_states WHERE name = $1").bind(name).fetch_optional(&mut *on);
    row.await?.map(|row| Ok((moment(row.try_get(0)?), row.try_get(1)?))).transpose()
}

/// Puts a state that cannot be read out of the way, where it can be looked at.
pub(super) async fn set_aside(on: &mut Connection, name: &'static str) -> sqlx::Result<()> {
    let aside = format!("{name}.unreadable");
    sqlx::query("DELETE FROM alert_states WHERE name = $1").bind(aside.clone()).execute(&mut *on).await?;
    sqlx::query("UPDATE alert_states SET name = $1 WHERE name = $2")
        .bind(aside)
        .bind(name)
        .execute(&mut *on)
        .await
        .map(drop)
}

/// Every notification that waits, in order, and the highest place ever given. A row that cannot be read is named.
pub(super) async fn waiting(on: &mut Connection) -> sqlx::Result<(Vec<Entry>, Vec<i64>, i64)> {
    let last: i64 = sqlx::query_scalar("SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM alert_deliveries")
        .fetch_one(&mut *on)
        .await?;
    let rows = sqlx::query(
        "SELECT seq, sink, queued_at, attempts, due_at, reason, body FROM alert_deliveries WHERE status = $1 ORDER BY seq",
    )
    .bind(WAITING)
    .fetch_all(&mut *on)
    .await?;
    let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        match entry(&row)? {
            Some(entry) => entries.push(entry),
            None => unreadable.push(row.try_get(0)?),
        }
    }
    Ok((entries, unreadable, last))
}

fn entry(row: &AnyRow) -> sqlx::Result<Option<Entry>> {
    let body: Option<Vec<u8>> = row.try_get(6)?;
    let notification = body.and_then(|body| rmp_serde::from_slice::<Notification>(&body).ok());
    let Some(notification) = notification else { return Ok(None) };
    Ok(Some(Entry {
        seq: row.try_get(0)?,
        sink: row.try_get(1)?,
        notification: Arc::new(notification),
        queued: moment(row.try_get(2)?),
        attempts: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(u32::MAX),
        due: moment(row.try_get(4)?),
        stage: Stage::Waiting,
        reason: row.try_get(5)?,
        unsaved: None,
        stored: true,
    }))
}

/// Marks rows that nobody can read.
pub(super) async fn give_up(on: &mut Connection, seqs: &[i64], now: Moment) -> sqlx::Result<()> {
    for seq in seqs {
        sqlx::query("UPDATE alert_deliveries SET status = $1, settled_at = $2, reason = $3 WHERE seq = $4")
            .bind(Fate::Undeliverable.as_str())
            .bind(millis(now))
            .bind("it cannot be read; another program wrote it")
            .bind(*seq)
            .execute(&mut *on)
            .await?;
    }
    Ok(())
}

/// What each sink may know.
pub(super) async fn told(on: &mut Connection) -> sqlx::Result<Vec<(String, String, Told)>> {
    let rows =
        sqlx::query("SELECT sink, dedup_key, closed_at, body FROM alert_told").fetch_all(&mut *on).await?;
    let told = |row: &AnyRow| {
        let closed: Option<i64> = row.try_get(2)?;
        let body: Option<Vec<u8>> = row.try_get(3)?;
        let alert = body.and_then(|body| rmp_serde::from_slice::<Alert>(&body).ok());
        // One that is over and cannot be read cannot be told again.
        let gone = closed.is_some() && alert.is_none();
        let closed = closed.zip(alert).map(|(at, alert)| (moment(at), Box::new(alert)));
        Ok((row.try_get(0)?, row.try_get(1)?, Told { closed, unsaved: None, gone }))
    };
    rows.iter().map(told).collect()
}

/// What other processes ask for, in order. One that cannot be read is `None`.
pub(super) async fn requests(on: &mut Connection) -> sqlx::Result<Vec<(i64, Option<Request>)>> {
    let rows =
        sqlx::query("SELECT id, body FROM alert_requests ORDER BY id LIMIT 1000").fetch_all(&mut *on).await?;
    let request = |row: &AnyRow| {
        let body: Vec<u8> = row.try_get(1)?;
        Ok((row.try_get(0)?, rmp_serde::from_slice(&body).ok()))
    };
    rows.iter().map(request).collect()
}

pub(super) async fn ask(on: &mut Connection, request: &[u8], now: Moment) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO alert_requests (at, body) VALUES ($1, $2)")
        .bind(millis(now))
        .bind(request.to_vec())
        .execute(&mut *on)
        .await
        .map(drop)
}

/// Writes everything of a batch. Written twice, it is the same as once.
pub(super) async fn write(on: &mut Connection, batch: &Batch) -> sqlx::Result<()> {
    for (name, at, body) in &batch.states {
        sqlx::query(
            "INSERT INTO alert_states (name, at, body) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body",
        )
        .bind(*name)
        .bind(millis(*at))
        .bind(body.to_vec())
        .execute(&mut *on)
        .await?;
    }
    for row in &batch.rows {
        sqlx::query(
            "INSERT INTO alert_deliveries (seq, id, sink, why, queued_at, attempts, due_at, status, settled_at, reason, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (seq) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at,
                 status = excluded.status, settled_at = excluded.settled_at, reason = excluded.reason,
                 body = excluded.body, why = excluded.why",
        )
        .bind(row.seq)
        .bind(row.notification.id.clone())
        .bind(row.sink.clone())
        .bind(row.notification.why.as_str())
        .bind(millis(row.queued))
        .bind(i64::from(row.attempts))
        .bind(millis(row.due))
        .bind(row.status())
        .bind(row.settled_at().map(millis))
        .bind(row.reason.clone())
        .bind(row.body())
        .execute(&mut *on)
        .await?;
    }
    for (sink, key, told) in &batch.told {
        if told.gone {
            sqlx::query("DELETE FROM alert_told WHERE sink = $1 AND dedup_key = $2")
                .bind(sink.clone())
                .bind(key.clone())
                .execute(&mut *on)
                .await?;
            continue;
        }
        let (at, body) = told.closed.as_ref().map(|(at, alert)| (millis(*at), encode(&**alert))).unzip();
        sqlx::query(
            "INSERT INTO alert_told (sink, dedup_key, closed_at, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (sink, dedup_key) DO UPDATE SET closed_at = excluded.closed_at, body = excluded.body",
        )
        .bind(sink.clone())
        .bind(key.clone())
        .bind(at)
        .bind(body)
        .execute(&mut *on)
        .await?;
    }
    for id in &batch.answered {
        sqlx::query("DELETE FROM alert_requests WHERE id = $1").bind(*id).execute(&mut *on).await?;
    }
    Ok(())
}

/// Forgets what was settled before, and what is over the bound.
pub(super) async fn sweep(on: &mut Connection, before: Moment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM alert_deliveries WHERE status <> $1 AND settled_at < $2")
        .bind(WAITING)
        .bind(millis(before))
        .execute(&mut *on)
        .await?;
    let oldest: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM alert_deliveries WHERE status <> $1 ORDER BY seq DESC LIMIT 1 OFFSET $2",
    )
    .bind(WAITING)
    .bind(MOST_SETTLED)
    .fetch_optional(&mut *on)
    .await?;
    if let Some(oldest) = oldest {
        sqlx::query("DELETE FROM alert_deliveries WHERE status <> $1 AND seq <= $2")
            .bind(WAITING)
            .bind(oldest)
            .execute(&mut *on)
            .await?;
    }
    Ok(())
}

/// Rows for people: the newest first.
pub(super) async fn rows(on: &mut Connection, status: Option<&str>, limit: u32) -> sqlx::Result<Vec<AnyRow>> {
    let all = "SELECT seq, id, sink, why, queued_at, attempts, due_at, status, settled_at, reason FROM alert_deliveries
               WHERE status = $1 OR $1 = '' ORDER BY seq DESC LIMIT $2";
    sqlx::query(all)
        .bind(status.unwrap_or_default().to_owned())
        .bind(i64::from(limit))
        .fetch_all(&mut *on)
        .await
}

impl Entry {
    fn status(&self) -> &'static str {
        match self.stage {
            Stage::Settled(fate, _) => fate.as_str(),
            Stage::Waiting | Stage::InFlight => WAITING,
        }
    }

    fn settled_at(&self) -> Option<Moment> {
        match self.stage {
            Stage::Settled(_, at) => Some(at),
            Stage::Waiting | Stage::InFlight => None,
        }
    }

    /// What was said, as long as somebody may want to know.
    fn body(&self) -> Option<Vec<u8>> {
        let wanted = matches!(
            self.stage,
            Stage::Waiting | Stage::InFlight | Stage::Settled(Fate::Undeliverable | Fate::Evicted, _)
        );
        wanted.then(|| encode(&*self.notification))
    }
}

/// As it is stored: MessagePack with names, so that a later version with more fields reads it.
pub(super) fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Plain data, to memory: there is nothing that can go wrong.
    rmp_serde::to_vec_named(value).unwrap_or_default()
}

pub(super) fn millis(moment: Moment) -> i64 {
    i64::try_from(moment.millis()).unwrap_or(i64::MAX)
}

pub(super) fn moment(millis: i64) -> Moment {
    Moment::from_millis(millis.max(0).unsigned_abs())
}
