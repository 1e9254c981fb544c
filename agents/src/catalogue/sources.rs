//! Files and members by number, so that a version row holds two small numbers and not two names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Row;
use statim::store::Connection;

use super::error::CatalogueError;
use super::incoming::SourcePosition;

type Name = (Arc<str>, Arc<str>);

/// The numbers that are known. Rows are never changed or deleted, so what is known stays true.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<Name, i64>,
    names: HashMap<i64, Name>,
}

/// Numbers given within a transaction. They become known once it is committed: until then it may be undone.
#[derive(Debug, Default)]
pub(super) struct Fresh(HashMap<Name, i64>);

impl Sources {
    /// The number of a file and member, giving it one if it has none.
    pub(super) async fn number(
        &self,
        connection: &mut Connection,
        fresh: &mut Fresh,
        position: &SourcePosition,
    ) -> Result<i64, CatalogueError> {
        let name = (Arc::clone(&position.file), Arc::clone(&position.member));
        if let Some(number) = fresh.0.get(&name).copied().or_else(|| self.lock().numbers.get(&name).copied())
        {
            return Ok(number);
        }
        sqlx::query("INSERT INTO sources (file, member) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&*name.0)
            .bind(&*name.1)
            .execute(&mut *connection)
            .await?;
        let number = sqlx::query_scalar("SELECT source FROM sources WHERE file = $1 AND member = $2")
            .bind(&*name.0)
            .bind(&*name.1)
            .fetch_one(connection)
            .await?;
        fresh.0.insert(name, number);
        Ok(number)
    }

    /// The place that a row's number and index stand for.
    pub(super) async fn position(
        &self,
        connection: &mut Connection,
        number: i64,
        index: i64,
    ) -> Result<SourcePosition, CatalogueError> {
        let known = self.lock().names.get(&number).cloned();
        let (file, member) = match known {
            Some(name) => name,
            None => {
                let row = sqlx::query("SELECT file, member FROM sources WHERE source = $1")
                    .bind(number)
                    .fetch_optional(connection)
                    .await?
                    .ok_or(CatalogueError::Unreadable { what: "source" })?;
                let name: Name = (row.try_get::<&str, _>(0)?.into(), row.try_get::<&str, _>(1)?.into());
                self.lock().names.insert(number, name.clone());
                name
            }
        };
        Ok(SourcePosition { file, member, index: index.cast_unsigned() })
    }

    pub(super) fn committed(&self, fresh: Fresh) {
        self.lock().numbers.extend(fresh.0);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
