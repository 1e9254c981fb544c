//! Messages that no agent could handle, kept until somebody decides about them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use statim::store::{Dialect, Migration, QueryBuilder, Store};

use super::CatalogueError;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "dead letters",
    sqlite: "
        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            agent TEXT NOT NULL,
            kind TEXT NOT NULL,
            priority TEXT NOT NULL,
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            age_ms INTEGER NOT NULL,
            body BLOB,
            status TEXT NOT NULL CHECK (status IN ('parked', 'requeued', 'done')),
            lent_until INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX dead_letters_by_status ON dead_letters (status, agent, id);
    ",
    postgres: "
        CREATE TABLE dead_letters (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at BIGINT NOT NULL,
            agent TEXT NOT NULL,
            kind TEXT NOT NULL,
            priority TEXT NOT NULL,
            reason TEXT NOT NULL,
            attempts BIGINT NOT NULL,
            age_ms BIGINT NOT NULL,
            body BYTEA,
            status TEXT NOT NULL CHECK (status IN ('parked', 'requeued', 'done')),
            lent_until BIGINT NOT NULL DEFAULT 0
        );
        CREATE INDEX dead_letters_by_status ON dead_letters (status, agent, id);
    ",
}];

/// A message to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// When it died; kept to the microsecond.
    pub at: Timestamp,
    /// The agent it was for.
    pub agent: String,
    /// What sort of message it is, such as the name of the variant.
    pub kind: String,
    /// Its priority, such as `low`.
    pub priority: String,
    /// Why it was not handled, such as `poisoned`. Says nothing of its content.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How old it was.
    pub age: Duration,
    /// The message, if it has a form that can be stored. Without one it can be looked at and not requeued.
    pub body: Option<Vec<u8>>,
}

/// A message that is kept. `Debug` does not show its body.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number, never given again.
    pub id: i64,
    /// What becomes of it.
    pub status: LetterStatus,
    /// What it is.
    pub letter: NewDeadLetter,
}

/// What becomes of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterStatus {
    /// Waits for somebody to decide.
    Parked,
    /// To be handed to its agent again.
    Requeued,
    /// Was handed to its agent.
    Done,
}

/// Which dead letters; each field that is given narrows it down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// These.
    pub ids: Option<Vec<i64>>,
    /// For this agent.
    pub agent: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With this status.
    pub status: Option<LetterStatus>,
    /// That died before.
    pub before: Option<Timestamp>,
}

/// The dead letters of a deployment. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    store: Store,
}

impl DeadLetters {
    /// Opens the dead letters in `store`, creating their table if needed.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::Migrate`] if it cannot be made.
    pub async fn open(store: &Store) -> Result<Self, CatalogueError> {
        store.migrate("dead_letters", MIGRATIONS).await?;
        Ok(Self { store: store.clone() })
    }

    /// Keeps letters, parked, all in one transaction.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be written.
    pub async fn insert(&self, letters: Vec<NewDeadLetter>) -> Result<(), CatalogueError> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut writer = self.store.write().await?;
        for letter in letters {
            sqlx::query(
                "INSERT INTO dead_letters (at, agent, kind, priority, reason, attempts, age_ms, body, status)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'parked')",
            )
            .bind(letter.at.as_microsecond())
            .bind(letter.agent)
            .bind(letter.kind)
            .bind(letter.priority)
            .bind(letter.reason)
            .bind(i64::from(letter.attempts))
            .bind(i64::try_from(letter.age.as_millis()).unwrap_or(i64::MAX))
            .bind(letter.body)
            .execute(&mut *writer)
            .await?;
        }
        writer.commit().await?;
        Ok(())
    }

    /// The first `limit` letters that match, after the one numbered `after`, oldest first, without their bodies.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read.
    pub async fn list(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, CatalogueError> {
        let mut query = QueryBuilder::new(
            self.store.dialect(),
            "SELECT id, at, agent, kind, priority, reason, attempts, age_ms, NULL, status FROM dead_letters WHERE id > ",
        );
        query.push_bind(after);
        filter.narrow(&mut query);
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&mut *self.store.read().await?).await?;
        rows.iter().map(DeadLetter::read).collect()
    }

    /// One letter, with its body.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if it cannot be read.
    pub async fn show(&self, id: i64) -> Result<Option<DeadLetter>, CatalogueError> {
        let row = sqlx::query(
            "SELECT id, at, agent, kind, priority, reason, attempts, age_ms, body, status FROM dead_letters WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *self.store.read().await?)
        .await?;
        row.as_ref().map(DeadLetter::read).transpose()
    }

    /// Marks those that match and have a body to be handed to their agents again, and returns how many those are.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be written.
    pub async fn requeue(&self, filter: &LetterFilter) -> Result<u64, CatalogueError> {
        let mut query = QueryBuilder::new(
            self.store.dialect(),
            "UPDATE dead_letters SET status = 'requeued', lent_until = 0 WHERE body IS NOT NULL AND status <> 'requeued'",
        );
        filter.narrow(&mut query);
        self.execute(query).await
    }

    /// Forgets those that match, and returns how many those were. An empty filter forgets them all.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be written.
    pub async fn purge(&self, filter: &LetterFilter) -> Result<u64, CatalogueError> {
        let mut query = QueryBuilder::new(self.store.dialect(), "DELETE FROM dead_letters WHERE TRUE");
        filter.narrow(&mut query);
        self.execute(query).await
    }

    /// Lends out up to `limit` requeued letters of `agent`, with their bodies, oldest first. They are lent until
    /// `now + lease`: whoever takes them calls [`finish`](Self::finish) once they are handled; if it dies before that,
    /// they are lent again. So each is handed over at least once.
    ///
    /// Cancel safe: letters lent to a caller that has stopped waiting are lent again after the lease.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read or written.
    pub async fn take_requeued(
        &self,
        agent: &str,
        limit: u32,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<DeadLetter>, CatalogueError> {
        let now = now.as_microsecond();
        let until = now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX));
        let mut writer = self.store.write().await?;
        // Where several may ask at the same moment, each is lent what nobody else is being lent.
        let rows = sqlx::query(self.store.dialect().choose(
            "UPDATE dead_letters SET lent_until = $1 WHERE id IN (
                 SELECT id FROM dead_letters WHERE status = 'requeued' AND agent = $2 AND lent_until <= $3
                 ORDER BY id LIMIT $4
             ) RETURNING id, at, agent, kind, priority, reason, attempts, age_ms, body, status",
            "UPDATE dead_letters SET lent_until = $1 WHERE id IN (
                 SELECT id FROM dead_letters WHERE status = 'requeued' AND agent = $2 AND lent_until <= $3
                 ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
             ) RETURNING id, at, agent, kind, priority, reason, attempts, age_ms, body, status",
        ))
        .bind(until)
        .bind(agent)
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *writer)
        .await?;
        let mut letters = rows.iter().map(DeadLetter::read).collect::<Result<Vec<_>, _>>()?;
        writer.commit().await?;
        letters.sort_unstable_by_key(|it| it.id);
        Ok(letters)
    }

    /// Marks requeued letters as handled and forgets their bodies. Returns how many those were.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be written.
    pub async fn finish(&self, ids: &[i64]) -> Result<u64, CatalogueError> {
        let mut query = QueryBuilder::new(
            self.store.dialect(),
            "UPDATE dead_letters SET status = 'done', body = NULL WHERE status = 'requeued'",
        );
        LetterFilter { ids: Some(ids.to_vec()), ..LetterFilter::default() }.narrow(&mut query);
        self.execute(query).await
    }

    async fn execute(&self, query: QueryBuilder) -> Result<u64, CatalogueError> {
        let mut writer = self.store.write().await?;
        let count = query.build().execute(&mut *writer).await?.rows_affected();
        writer.commit().await?;
        Ok(count)
    }
}

impl LetterFilter {
    fn narrow(&self, query: &mut QueryBuilder) {
        if let Some(ids) = &self.ids {
            let ids = serde_json::Value::from(ids.clone()).to_string();
            match query.dialect() {
                Dialect::Sqlite => {
                    query.push(" AND id IN (SELECT value FROM json_each(").push_bind(ids).push("))")
                }
                Dialect::Postgres => query
                    .push(" AND id IN (SELECT value::BIGINT FROM json_array_elements_text(")
                    .push_bind(ids)
                    .push("::json) AS ids (value))"),
            };
        }
        if let Some(agent) = &self.agent {
            query.push(" AND agent = ").push_bind(agent.clone());
        }
        if let Some(kind) = &self.kind {
            query.push(" AND kind = ").push_bind(kind.clone());
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").push_bind(status.as_str());
        }
        if let Some(before) = self.before {
            query.push(" AND at < ").push_bind(before.as_microsecond());
        }
    }
}

impl LetterStatus {
    const ALL: [Self; 3] = [Self::Parked, Self::Requeued, Self::Done];

    /// `parked`, `requeued` or `done`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Requeued => "requeued",
            Self::Done => "done",
        }
    }
}

impl DeadLetter {
    fn read(row: &AnyRow) -> Result<Self, CatalogueError> {
        let unreadable = CatalogueError::Unreadable { what: "dead letter" };
        let Ok(at) = Timestamp::from_microsecond(row.try_get(1)?) else { return Err(unreadable) };
        let status: &str = row.try_get(9)?;
        let Some(status) = LetterStatus::ALL.into_iter().find(|it| it.as_str() == status) else {
            return Err(unreadable);
        };
        let letter = NewDeadLetter {
            at,
            agent: row.try_get(2)?,
            kind: row.try_get(3)?,
            priority: row.try_get(4)?,
            reason: row.try_get(5)?,
            attempts: row.try_get::<i64, _>(6)?.try_into().unwrap_or(u32::MAX),
            age: Duration::from_millis(row.try_get::<i64, _>(7)?.unsigned_abs()),
            body: row.try_get(8)?,
        };
        Ok(Self { id: row.try_get(0)?, status, letter })
    }
}

impl std::fmt::Debug for NewDeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDeadLetter")
            .field("agent", &self.agent)
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("letter", &self.letter)
            .finish()
    }
}
