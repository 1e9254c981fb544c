//! Bringing the tables of one component up to date.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use sqlx::Row;

use super::{Dialect, LockId, ReadError, Store, WriteError, Writer};

/// One step in the life of a component's tables. Steps are numbered 1, 2, 3… and never change once released: a further
/// change is a further step.
///
/// The statements run inside a transaction and so may not contain `BEGIN`, `COMMIT` or `VACUUM`, nor PostgreSQL's
/// `CREATE INDEX CONCURRENTLY`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1, without gaps.
    pub version: u32,
    /// What it does, in a few words.
    pub name: &'static str,
    /// The statements for SQLite.
    pub sqlite: &'static str,
    /// The statements for PostgreSQL.
    pub postgres: &'static str,
}

impl Migration {
    /// A step whose statements are the same for both databases.
    #[must_use]
    pub const fn both(version: u32, name: &'static str, sql: &'static str) -> Self {
        Self { version, name, sqlite: sql, postgres: sql }
    }

    fn sql(&self, dialect: Dialect) -> &'static str {
        dialect.choose(self.sqlite, self.postgres)
    }
}

/// Why a component's tables could not be brought up to date. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The steps are not numbered 1, 2, 3…
    #[error(
        "the migrations of {component} are not numbered 1, 2, 3 and so on: found {found} in place {place}"
    )]
    Misnumbered {
        /// The component.
        component: &'static str,
        /// The number the step should have had.
        place: u32,
        /// The number it had.
        found: u32,
    },
    /// The database was written by a newer program.
    #[error(
        "the tables of {component} are of version {found} and this program knows {known}; use the newer program"
    )]
    Newer {
        /// The component.
        component: &'static str,
        /// The version in the database.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// A step that was already applied has other statements now.
    #[error(
        "migration {version} ({name}) of {component} was changed after it was applied; add a further one instead"
    )]
    Altered {
        /// The component.
        component: &'static str,
        /// The step.
        version: u32,
        /// The step's name.
        name: &'static str,
    },
    /// The database refused a step.
    #[error("migration {version} ({name}) of {component} failed")]
    Step {
        /// The component.
        component: &'static str,
        /// The step.
        version: u32,
        /// The step's name.
        name: &'static str,
        /// What it said.
        source: sqlx::Error,
    },
    /// The record of the steps could not be read or written.
    #[error("the record of migrations (table schema_migrations) cannot be read or written")]
    Record(#[source] sqlx::Error),
    /// The transaction could not begin or be committed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Store {
    /// Applies the steps of `component` that this database has not seen, all in one transaction, and returns how many
    /// those were. Several components keep their tables in one database, each with its own numbering; several
    /// processes may call this at once.
    ///
    /// Cancel safe: all the steps or none.
    ///
    /// # Errors
    ///
    /// [`MigrateError`], with nothing changed: in particular when the database is newer than `migrations`.
    pub async fn migrate(
        &self,
        component: &'static str,
        migrations: &'static [Migration],
    ) -> Result<usize, MigrateError> {
        for (place, step) in (1..).zip(migrations) {
            if step.version != place {
                return Err(MigrateError::Misnumbered { component, place, found: step.version });
            }
        }
        // Several programs may start at once, and PostgreSQL's `CREATE … IF NOT EXISTS` does not wait for another's.
        let mut writer = self.write_exclusive(LockId::named("statim schema_migrations")).await?;
        let dialect = self.dialect();
        let applied = applied(&mut writer, component).await?;
        let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
        if let Some(&(found, _)) = applied.last().filter(|(version, _)| *version > known) {
            return Err(MigrateError::Newer { component, found, known });
        }
        for (step, (_, checksum)) in migrations.iter().zip(&applied) {
            if checksum_of(step.sql(dialect)) != *checksum {
                return Err(MigrateError::Altered { component, version: step.version, name: step.name });
            }
        }
        let missing = &migrations[applied.len().min(migrations.len())..];
        for step in missing {
            apply(&mut writer, component, step).await?;
        }
        writer.commit().await?;
        Ok(missing.len())
    }

    /// How many steps of `component` this database has seen; 0 if there is nothing of it here. Changes nothing.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if it cannot be read.
    pub async fn migrated(&self, component: &str) -> Result<u32, ReadError> {
        let mut reader = self.read().await?;
        let recorded: i64 = sqlx::query_scalar(self.dialect().choose(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
            "SELECT count(to_regclass('schema_migrations'))",
        ))
        .fetch_one(&mut *reader)
        .await
        .map_err(ReadError::Database)?;
        if recorded == 0 {
            return Ok(0);
        }
        let steps: i64 = sqlx::query_scalar("SELECT count(*) FROM schema_migrations WHERE component = $1")
            .bind(component)
            .fetch_one(&mut *reader)
            .await
            .map_err(ReadError::Database)?;
        Ok(steps.try_into().unwrap_or(u32::MAX))
    }
}

/// The steps already applied, oldest first, each with its checksum. Creates the record if there is none.
async fn applied(writer: &mut Writer, component: &'static str) -> Result<Vec<(u32, i64)>, MigrateError> {
    let record = writer.dialect().choose(RECORD_OF_SQLITE, RECORD_OF_POSTGRES);
    writer.run(record).await.map_err(MigrateError::Record)?;
    let rows =
        sqlx::query("SELECT version, checksum FROM schema_migrations WHERE component = $1 ORDER BY version")
            .bind(component)
            .fetch_all(&mut **writer)
            .await
            .map_err(MigrateError::Record)?;
    rows.iter()
        .map(|row| Ok((row.try_get::<i64, _>(0)?.try_into().unwrap_or(u32::MAX), row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .map_err(MigrateError::Record)
}

const RECORD_OF_SQLITE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
        component TEXT NOT NULL,
        version INTEGER NOT NULL,
        name TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        PRIMARY KEY (component, version)
    ) STRICT, WITHOUT ROWID";

const RECORD_OF_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
        component TEXT NOT NULL,
        version BIGINT NOT NULL,
        name TEXT NOT NULL,
        checksum BIGINT NOT NULL,
        applied_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        PRIMARY KEY (component, version)
    )";

async fn apply(writer: &mut Writer, component: &'static str, step: &Migration) -> Result<(), MigrateError> {
    let &Migration { version, name, .. } = step;
    let sql = step.sql(writer.dialect());
    let refused = |source| MigrateError::Step { component, version, name, source };
    sqlx::raw_sql(sql).execute(&mut **writer).await.map_err(refused)?;
    sqlx::query("INSERT INTO schema_migrations (component, version, name, checksum) VALUES ($1, $2, $3, $4)")
        .bind(component)
        .bind(i64::from(version))
        .bind(name)
        .bind(checksum_of(sql))
        .execute(&mut **writer)
        .await
        .map_err(MigrateError::Record)?;
    Ok(())
}

/// Guards against a slip, not against malice, so a keyless hash of fixed definition does.
fn checksum_of(sql: &str) -> i64 {
    let mut hasher = SipHasher13::new();
    hasher.write(sql.as_bytes());
    hasher.finish().cast_signed()
}
