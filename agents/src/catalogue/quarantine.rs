//! What could not be read, kept to be looked at.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use statim::store::QueryBuilder;

use super::{Catalogue, CatalogueError};

/// The place and reason of something that could not be read. It shows names of fields, never a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// The file's name.
    pub file: String,
    /// The member of a zip file; empty where there are none.
    pub member: String,
    /// Which record of it, from 0; the byte where the fault is in none.
    pub position: u64,
    /// The field at fault; empty where the whole is.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

impl Catalogue {
    /// Keeps entries, all in one transaction; those that are there already are not kept twice. Returns how many are new.
    ///
    /// Cancel safe: all or none.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be written.
    pub async fn quarantine(&self, entries: &[QuarantineEntry]) -> Result<u64, CatalogueError> {
        if entries.is_empty() {
            return Ok(0);
        }
        let mut writer = self.store.write().await?;
        let mut new = 0;
        for some in entries.chunks(64) {
            let mut query = QueryBuilder::new(
                self.store.dialect(),
                "INSERT INTO quarantine (file, member, position, path, reason) ",
            );
            query.push_values(some, |row, entry| {
                row.push_bind(storable(&entry.file))
                    .push_bind(storable(&entry.member))
                    .push_bind(entry.position.cast_signed())
                    .push_bind(storable(&entry.path))
                    .push_bind(storable(&entry.reason));
            });
            query.push(" ON CONFLICT DO NOTHING");
            new += query.build().execute(&mut *writer).await?.rows_affected();
        }
        writer.commit().await?;
        Ok(new)
    }

    /// The first `limit` entries after `after` (or from the beginning), by file and position.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read.
    pub async fn quarantined(
        &self,
        after: Option<&QuarantineEntry>,
        limit: u32,
    ) -> Result<Vec<QuarantineEntry>, CatalogueError> {
        let from = after.cloned().unwrap_or(QuarantineEntry {
            file: String::new(),
            member: String::new(),
            position: 0,
            path: String::new(),
            reason: String::new(),
        });
        let rows = sqlx::query(
            "SELECT file, member, position, path, reason FROM quarantine
             WHERE (file, member, position, path, reason) > ($1, $2, $3, $4, $5)
             ORDER BY file, member, position, path, reason LIMIT $6",
        )
        .bind(from.file)
        .bind(from.member)
        .bind(from.position.cast_signed())
        .bind(from.path)
        .bind(from.reason)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.store.read().await?)
        .await?;
        let entry = |row: &AnyRow| {
            Ok(QuarantineEntry {
                file: row.try_get(0)?,
                member: row.try_get(1)?,
                position: row.try_get::<i64, _>(2)?.cast_unsigned(),
                path: row.try_get(3)?,
                reason: row.try_get(4)?,
            })
        };
        rows.iter().map(entry).collect()
    }
}

/// PostgreSQL's text cannot hold a NUL, which a field's name in a hostile file may.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
