//! The outbox's tables: every statement it makes is here.
//!
//! Each function is part of a transaction that the caller begins and commits. The SQL is what SQLite and PostgreSQL
//! have in common.

use std::collections::HashMap;

use futures_util::future::join;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::id::StoredId;
use super::row::{Row, Settlement, Stored};
use crate::message::Key;
use crate::store::{Connection, Dialect, Migration, QueryBuilder};
use crate::wire::Format;

pub(super) const COMPONENT: &str = "outbox";

/// `next` is a high-water mark: sequences below it may have been given out. They are reserved in blocks, so a number is
/// never given twice, whatever crashed and whatever was deleted.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "outbox",
    sqlite: "
        CREATE TABLE outbox_agents (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            next INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE outbox_messages (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            format INTEGER NOT NULL,
            entity BLOB,
            deadline INTEGER,
            sent_at INTEGER NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE outbox_keys (
            agent INTEGER NOT NULL,
            fingerprint BLOB NOT NULL,
            message INTEGER NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (agent, fingerprint)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX outbox_keys_by_age ON outbox_keys (at);
    ",
    postgres: "
        CREATE TABLE outbox_agents (
            id BIGINT PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            next BIGINT NOT NULL
        );
        CREATE TABLE outbox_messages (
            id BIGINT PRIMARY KEY,
            kind TEXT NOT NULL,
            format BIGINT NOT NULL,
            entity BYTEA,
            deadline BIGINT,
            sent_at BIGINT NOT NULL,
            body BYTEA NOT NULL
        );
        CREATE TABLE outbox_keys (
            agent BIGINT NOT NULL,
            fingerprint BYTEA NOT NULL,
            message BIGINT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (agent, fingerprint)
        );
        CREATE INDEX outbox_keys_by_age ON outbox_keys (at);
    ",
}];

/// An agent as the outbox knows it.
pub(super) struct Registered {
    pub(super) number: i64,
    /// Sequences from here on were never given out.
    pub(super) next: i64,
    /// Messages of it that wait in the store.
    pub(super) pending: i64,
}

/// The agent's number, given on first sight.
pub(super) async fn register(on: &mut Connection, name: &str) -> sqlx::Result<Registered> {
    let row = loop {
        // Two that register at once may draw the same number: one is left out, and draws again.
        sqlx::query(
            "INSERT INTO outbox_agents (id, name, next)
             SELECT COALESCE(MAX(id) + 1, 0), $1, 1 FROM outbox_agents WHERE TRUE
             ON CONFLICT DO NOTHING",
        )
        .bind(name.to_owned())
        .execute(&mut *on)
        .await?;
        let found = sqlx::query("SELECT id, next FROM outbox_agents WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(&mut *on)
            .await?;
        if let Some(row) = found {
            break row;
        }
    };
    let (number, next): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let (first, last) = StoredId::all_of(u16::try_from(number).unwrap_or(u16::MAX));
    let pending = sqlx::query("SELECT COUNT(*) FROM outbox_messages WHERE id BETWEEN $1 AND $2")
        .bind(first.get())
        .bind(last.get())
        .fetch_one(&mut *on)
        .await?
        .try_get(0)?;
    Ok(Registered { number, next, pending })
}

/// Sequences below `next` may be given out from now on.
pub(super) async fn reserve(on: &mut Connection, agent: u16, next: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox_agents SET next = $1 WHERE id = $2 AND next < $1")
        .bind(next)
        .bind(i64::from(agent))
        .execute(on)
        .await?;
    Ok(())
}

/// The statements that write messages. One that is there already is left as it is: a commit whose outcome is not known is
/// made again.
pub(super) fn insertions(
    dialect: Dialect,
    messages: &[(StoredId, &Row)],
) -> impl Iterator<Item = QueryBuilder> {
    in_sizes(messages).into_iter().map(move |some| insertion(dialect, some))
}

/// Executes them. Each is written while the database is at work on the one before.
pub(super) async fn insert(
    on: &mut Connection,
    mut statements: impl Iterator<Item = QueryBuilder>,
) -> sqlx::Result<()> {
    let mut next = statements.next();
    while let Some(statement) = next.take() {
        let writing = async { next = statements.next() };
        let (executed, ()) = join(statement.build().execute(&mut *on), writing).await;
        executed?;
    }
    Ok(())
}

fn insertion(dialect: Dialect, messages: &[(StoredId, &Row)]) -> QueryBuilder {
    // Most messages have neither, and a parameter costs as much whether there is something in it or not.
    let keyed = messages.iter().any(|(_, message)| message.key.is_some());
    let timed = messages.iter().any(|(_, message)| message.deadline.is_some());
    let mut query =
        QueryBuilder::new(dialect, "INSERT INTO outbox_messages (id, kind, format, sent_at, body");
    query.push(if keyed { ", entity" } else { "" }).push(if timed { ", deadline) " } else { ") " });
    query.push_values(messages, |row, (id, message)| {
        row.push_bind(id.get())
            .push_bind(crate::agent::short_name(message.kind))
            .push_bind(i64::from(message.format.letter()))
            .push_bind(message.sent_at)
            .push_bind(&message.body[..]);
        if keyed {
            row.push_bind(message.key.map(|key| key.to_bytes().to_vec()));
        }
        if timed {
            row.push_bind(message.deadline);
        }
    });
    query.push(" ON CONFLICT (id) DO NOTHING");
    query
}

/// Most messages of one statement.
pub(super) const LARGEST: usize = 512;

/// Cut into pieces of a few sizes, so that each statement is prepared once and found again.
fn in_sizes<T>(all: &[T]) -> Vec<&[T]> {
    let (mut pieces, mut rest) = (Vec::new(), all);
    for size in [LARGEST, 64, 8, 1] {
        while rest.len() >= size {
            let (piece, later) = rest.split_at(size);
            pieces.push(piece);
            rest = later;
        }
    }
    pieces
}

/// Claims idempotency keys, and says which message each belongs to now: the one given, or an earlier one.
pub(super) async fn claim(
    on: &mut Connection,
    agent: u16,
    claims: &[(Key, StoredId)],
    at: i64,
) -> sqlx::Result<HashMap<[u8; 16], StoredId>> {
    let mut owners = HashMap::with_capacity(claims.len());
    for some in in_sizes(claims) {
        let mut query =
            QueryBuilder::new(on.dialect(), "INSERT INTO outbox_keys (agent, fingerprint, message, at) ");
        query.push_values(some, |row, (key, id)| {
            let fingerprint = key.to_bytes().to_vec();
            row.push_bind(i64::from(agent)).push_bind(fingerprint).push_bind(id.get()).push_bind(at);
        });
        query.push(" ON CONFLICT (agent, fingerprint) DO NOTHING");
        query.build().execute(&mut *on).await?;

        let mut query =
            QueryBuilder::new(on.dialect(), "SELECT fingerprint, message FROM outbox_keys WHERE agent = ");
        query.push_bind(i64::from(agent)).push(" AND fingerprint IN ");
        query.push_list(some.iter().map(|(key, _)| key.to_bytes().to_vec()));
        for row in query.build().fetch_all(&mut *on).await? {
            let key: Vec<u8> = row.try_get(0)?;
            if let Ok(key) = key.try_into() {
                owners.insert(key, StoredId::stored(row.try_get(1)?));
            }
        }
    }
    Ok(owners)
}

/// Forgets idempotency keys older than `before`.
pub(super) async fn forget_keys(on: &mut Connection, before: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query("DELETE FROM outbox_keys WHERE at < $1").bind(before).execute(on).await?.rows_affected())
}

/// Removes what is settled, and says how many that were; the dead become letters.
pub(super) async fn settle(on: &mut Connection, settlements: &[Settlement]) -> sqlx::Result<u64> {
    let mut handled = Vec::with_capacity(settlements.len());
    let mut buried = 0;
    for settlement in settlements {
        match *settlement {
            Settlement::Handled(id) => handled.push(id.get()),
            Settlement::Dead { id, reason, attempts, at, keep_body } => {
                buried += bury(on, id, reason, attempts, at, keep_body).await?;
            }
        }
    }
    Ok(buried + remove(on, handled).await?)
}

/// Removes one message. `false` if it was not there: it had been settled before.
pub(super) async fn remove_one(on: &mut Connection, id: StoredId) -> sqlx::Result<bool> {
    let done = sqlx::query("DELETE FROM outbox_messages WHERE id = $1").bind(id.get()).execute(on).await?;
    Ok(done.rows_affected() == 1)
}

async fn remove(on: &mut Connection, mut ids: Vec<i64>) -> sqlx::Result<u64> {
    /// A run of this many neighbours is removed as a range …
    const RUN: usize = 8;
    /// … and others by lists of this length, so that there is one statement for them.
    const LIST: usize = 64;
    ids.sort_unstable();
    ids.dedup();
    let mut removed = 0;
    let mut single = Vec::new();
    for run in ids.chunk_by(|a, b| a + 1 == *b) {
        if run.len() < RUN {
            single.extend_from_slice(run);
            continue;
        }
        let done = sqlx::query("DELETE FROM outbox_messages WHERE id BETWEEN $1 AND $2")
            .bind(run[0])
            .bind(run[run.len() - 1])
            .execute(&mut *on)
            .await?;
        removed += done.rows_affected();
    }
    for list in single.chunks(LIST) {
        let mut query = QueryBuilder::new(on.dialect(), "DELETE FROM outbox_messages WHERE id IN ");
        // Filled up with its last, so that the text is always the same.
        query.push_list((0..LIST).map(|place| list[place.min(list.len() - 1)]));
        removed += query.build().execute(&mut *on).await?.rows_affected();
    }
    Ok(removed)
}

async fn bury(
    on: &mut Connection,
    id: StoredId,
    reason: &str,
    attempts: u16,
    at: i64,
    keep_body: bool,
) -> sqlx::Result<u64> {
    // Removed first: of two that bury one message, only one has it.
    let removed = sqlx::query(
        "DELETE FROM outbox_messages WHERE id = $1 RETURNING kind, format, entity, sent_at, body",
    )
    .bind(id.get())
    .fetch_optional(&mut *on)
    .await?;
    let Some(row) = removed else { return Ok(0) };
    let body: Option<Vec<u8>> = if keep_body { row.try_get(4)? } else { None };
    sqlx::query(
        "INSERT INTO dead_letters (at, agent, kind, priority, reason, attempts, age_ms, body, status, format, entity)
         SELECT $1, name, $2, $3, $4, $5, $6, $7, 'parked', $8, $9 FROM outbox_agents WHERE id = $10",
    )
    .bind(at)
    .bind(row.try_get::<String, _>(0)?)
    .bind(id.priority().as_str())
    .bind(reason.to_owned())
    .bind(i64::from(attempts))
    .bind(at.saturating_sub(row.try_get(3)?) / 1_000)
    .bind(body)
    .bind(row.try_get::<i64, _>(1)?)
    .bind(row.try_get::<Option<Vec<u8>>, _>(2)?)
    .bind(i64::from(id.agent()))
    .execute(on)
    .await?;
    Ok(1)
}

/// Letters of an agent's durable messages that an operator gave back: number and priority, oldest first.
pub(super) async fn requeued(
    on: &mut Connection,
    agent: &str,
    limit: i64,
) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query(
        "SELECT id, priority FROM dead_letters
         WHERE status = 'requeued' AND agent = $1 AND format IS NOT NULL AND body IS NOT NULL ORDER BY id LIMIT $2",
    )
    .bind(agent.to_owned())
    .bind(limit)
    .fetch_all(on)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Makes a letter a message again, under a new number. `None` if somebody else did, or purged it.
pub(super) async fn revive(
    on: &mut Connection,
    letter: i64,
    id: StoredId,
    now: i64,
) -> sqlx::Result<Option<Stored>> {
    let taken = sqlx::query("UPDATE dead_letters SET status = 'done' WHERE id = $1 AND status = 'requeued'")
        .bind(letter)
        .execute(&mut *on)
        .await?;
    if taken.rows_affected() == 0 {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO outbox_messages (id, kind, format, entity, sent_at, body)
         SELECT $1, kind, format, entity, $2, body FROM dead_letters WHERE id = $3",
    )
    .bind(id.get())
    .bind(now)
    .bind(letter)
    .execute(&mut *on)
    .await?;
    sqlx::query("UPDATE dead_letters SET body = NULL WHERE id = $1").bind(letter).execute(&mut *on).await?;
    Ok(page(on, id.get() - 1, id, 1).await?.pop())
}

/// The messages about `key` that an agent has in the store.
pub(super) async fn about(on: &mut Connection, agent: u16, key: Key) -> sqlx::Result<Vec<StoredId>> {
    let (first, last) = StoredId::all_of(agent);
    let rows = sqlx::query("SELECT id FROM outbox_messages WHERE id BETWEEN $1 AND $2 AND entity = $3")
        .bind(first.get())
        .bind(last.get())
        .bind(key.to_bytes().to_vec())
        .fetch_all(on)
        .await?;
    rows.iter().map(|row| Ok(StoredId::stored(row.try_get(0)?))).collect()
}

/// Up to `limit` messages after `after`, up to `last`, in order.
pub(super) async fn page(
    on: &mut Connection,
    after: i64,
    last: StoredId,
    limit: i64,
) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query(
        "SELECT id, format, entity, deadline, body FROM outbox_messages
         WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(last.get())
    .bind(limit)
    .fetch_all(on)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> sqlx::Result<Stored> {
    let key: Option<Vec<u8>> = row.try_get(2)?;
    Ok(Stored {
        id: StoredId::stored(row.try_get(0)?),
        format: u8::try_from(row.try_get::<i64, _>(1)?).ok().and_then(Format::of_letter),
        key: key.and_then(|bytes| Some(Key::from_bytes(bytes.try_into().ok()?))),
        deadline: row.try_get(3)?,
        body: row.try_get(4)?,
    })
}
