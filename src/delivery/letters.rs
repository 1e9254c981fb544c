//! Dead letters in a store, kept until somebody decides about them.
//!
//! Two kinds lie here: messages that an [`Outbox`](super::Outbox) gave up, whose requeue the outbox sees to itself, and
//! whatever a [`DeadLetterSink`](super::DeadLetterSink) of a deployment writes down of messages that were never durable.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{MigrateError, Migration, QueryBuilder, ReadError, Store, WriteError};

const MIGRATIONS: &[Migration] = &[
    Migration {
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
    },
    Migration {
        version: 2,
        name: "letters of an outbox",
        sqlite: "
        ALTER TABLE dead_letters ADD COLUMN format INTEGER;
        ALTER TABLE dead_letters ADD COLUMN entity BLOB;
    ",
        postgres: "
        ALTER TABLE dead_letters ADD COLUMN format BIGINT;
        ALTER TABLE dead_letters ADD COLUMN entity BYTEA;
    ",
    },
];

/// Makes the table, if needed.
pub(super) async fn migrate(store: &Store) -> Result<(), MigrateError> {
    store.migrate("dead_letters", MIGRATIONS).await.map(drop)
}

/// Why dead letters cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LettersError {
    /// Their table cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// No connection to read with.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A transaction could not begin or be committed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A statement failed.
    #[error("the dead letters cannot be read or written")]
    Statement(#[from] sqlx::Error),
    /// A row is not what this program writes.
    #[error("dead letter {id} cannot be read; it was written by another program")]
    Unreadable {
        /// Its number.
        id: i64,
    },
}

/// A message to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// When it died; kept to the microsecond.
    pub at: SystemTime,
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
pub struct StoredLetter {
    /// Its number, never given again.
    pub id: i64,
    /// What becomes of it.
    pub status: LetterStatus,
    /// What it is.
    pub letter: NewLetter,
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
    pub before: Option<SystemTime>,
}

/// The dead letters of a deployment. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct LetterStore {
    store: Store,
}

impl LetterStore {
    /// Opens the dead letters in `store`, creating their table if needed.
    ///
    /// # Errors
    ///
    /// [`LettersError::Migrate`] if it cannot be made.
    pub async fn open(store: &Store) -> Result<Self, LettersError> {
        store.migrate("dead_letters", MIGRATIONS).await?;
        Ok(Self { store: store.clone() })
    }

    /// Keeps letters, parked, all in one transaction.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`LettersError`] if they cannot be written.
    pub async fn insert(&self, letters: Vec<NewLetter>) -> Result<(), LettersError> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut writer = self.store.write().await?;
        for letter in letters {
            sqlx::query(
                "INSERT INTO dead_letters (at, agent, kind, priority, reason, attempts, age_ms, body, status)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'parked')",
            )
            .bind(micros(letter.at))
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
    /// [`LettersError`] if they cannot be read.
    pub async fn list(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLetter>, LettersError> {
        let mut query = QueryBuilder::new(
            self.store.dialect(),
            "SELECT id, at, agent, kind, priority, reason, attempts, age_ms, NULL, status FROM dead_letters WHERE id > ",
        );
        query.push_bind(after);
        filter.narrow(&mut query);
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
        let mut reader = self.store.read().await?;
        query.build().fetch_all(&mut *reader).await?.iter().map(StoredLetter::read).collect()
    }

    /// One letter, with its body.
    ///
    /// # Errors
    ///
    /// [`LettersError`] if it cannot be read.
    pub async fn show(&self, id: i64) -> Result<Option<StoredLetter>, LettersError> {
        let mut reader = self.store.read().await?;
        let row = sqlx::query(
            "SELECT id, at, agent, kind, priority, reason, attempts, age_ms, body, status FROM dead_letters WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *reader)
        .await?;
        row.as_ref().map(StoredLetter::read).transpose()
    }

    /// Marks those that match and have a body to be handed to their agents again, and returns how many those are.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`LettersError`] if they cannot be written.
    pub async fn requeue(&self, filter: &LetterFilter) -> Result<u64, LettersError> {
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
    /// [`LettersError`] if they cannot be written.
    pub async fn purge(&self, filter: &LetterFilter) -> Result<u64, LettersError> {
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
    /// [`LettersError`] if they cannot be read or written.
    pub async fn take_requeued(
        &self,
        agent: &str,
        limit: u32,
        now: SystemTime,
        lease: Duration,
    ) -> Result<Vec<StoredLetter>, LettersError> {
        let now = micros(now);
        let until = now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX));
        let mut writer = self.store.write().await?;
        let rows = sqlx::query(
            "UPDATE dead_letters SET lent_until = $1 WHERE id IN (
                 SELECT id FROM dead_letters
                 WHERE status = 'requeued' AND agent = $2 AND lent_until <= $3 AND format IS NULL
                 ORDER BY id LIMIT $4
             ) RETURNING id, at, agent, kind, priority, reason, attempts, age_ms, body, status",
        )
        .bind(until)
        .bind(agent.to_owned())
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *writer)
        .await?;
        let mut letters = rows.iter().map(StoredLetter::read).collect::<Result<Vec<_>, _>>()?;
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
    /// [`LettersError`] if they cannot be written.
    pub async fn finish(&self, ids: &[i64]) -> Result<u64, LettersError> {
        let mut query = QueryBuilder::new(
            self.store.dialect(),
            "UPDATE dead_letters SET status = 'done', body = NULL WHERE status = 'requeued'",
        );
        LetterFilter { ids: Some(ids.to_vec()), ..LetterFilter::default() }.narrow(&mut query);
        self.execute(query).await
    }

    async fn execute(&self, query: QueryBuilder) -> Result<u64, LettersError> {
        let mut writer = self.store.write().await?;
        let count = query.build().execute(&mut *writer).await?.rows_affected();
        writer.commit().await?;
        Ok(count)
    }
}

impl LetterFilter {
    fn narrow(&self, query: &mut QueryBuilder) {
        if let Some(ids) = &self.ids {
            // No letter has this number, and a list may not be empty.
            query.push(" AND id IN ").push_list(ids.iter().copied().chain([-1]));
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
            query.push(" AND at < ").push_bind(micros(before));
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

impl StoredLetter {
    fn read(row: &AnyRow) -> Result<Self, LettersError> {
        let id = row.try_get(0)?;
        let unreadable = || LettersError::Unreadable { id };
        let at: i64 = row.try_get(1)?;
        let at = u64::try_from(at).map_err(|_| unreadable())?;
        let status: String = row.try_get(9)?;
        let status = LetterStatus::ALL.into_iter().find(|it| it.as_str() == status).ok_or_else(unreadable)?;
        let letter = NewLetter {
            at: UNIX_EPOCH + Duration::from_micros(at),
            agent: row.try_get(2)?,
            kind: row.try_get(3)?,
            priority: row.try_get(4)?,
            reason: row.try_get(5)?,
            attempts: u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX),
            age: Duration::from_millis(row.try_get::<i64, _>(7)?.unsigned_abs()),
            body: row.try_get(8)?,
        };
        Ok(Self { id, status, letter })
    }
}

/// Microseconds since 1970; before that, none.
fn micros(at: SystemTime) -> i64 {
    i64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Debug for NewLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLetter")
            .field("agent", &self.agent)
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StoredLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLetter")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("letter", &self.letter)
            .finish()
    }
}
