//! Looking things up.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Catalogue;
use super::apply::revision;
use super::claims::Claims;
use super::error::CatalogueError;
use super::schema::for_each_id;
use super::write::scheme_name;
use crate::record::{Identity, Kind, Record, Revision, Scheme};

/// Records by kind: those that are current, not their history and not what was deleted.
pub type Totals = BTreeMap<Kind, u64>;

/// What is known of a version without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// The id it arrived under.
    pub own_id: String,
    /// How new it is.
    pub revision: Revision,
    /// Whether it is the current one.
    pub current: bool,
    /// The SHA-256 of its JSON, the first half, in hexadecimal.
    pub hash: String,
}

impl Catalogue {
    /// How many records there are, by kind.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read.
    pub async fn totals(&self) -> Result<Totals, CatalogueError> {
        let rows = sqlx::query("SELECT kind, count(*) FROM records WHERE vid IS NOT NULL GROUP BY kind")
            .fetch_all(&mut *self.store.read().await?)
            .await?;
        rows.iter()
            .map(|row| Ok((kind(row.try_get(0)?)?, row.try_get::<i64, _>(1)?.cast_unsigned())))
            .collect()
    }

    /// Whose number this is: the same, or the study that it is an obsolete number of.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if it cannot be read.
    pub async fn resolve(&self, identity: &Identity) -> Result<Identity, CatalogueError> {
        if !Claims::possible(identity.kind) {
            return Ok(identity.clone());
        }
        let mut connection = self.store.read().await?;
        let mut claims = Claims::default();
        claims.load(&mut connection, identity.kind, [identity.id.clone()]).await?;
        Ok(Identity { kind: identity.kind, id: claims.root(&identity.id) })
    }

    /// The current version of a record, by any number it goes by; `None` if it is unknown or deleted.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if it cannot be read.
    pub async fn get(&self, identity: &Identity) -> Result<Option<Record>, CatalogueError> {
        let identity = self.resolve(identity).await?;
        let body: Option<String> = sqlx::query_scalar(
            "SELECT v.body FROM records AS r JOIN record_versions AS v ON v.vid = r.vid WHERE r.kind = $1 AND r.id = $2",
        )
        .bind(identity.kind.as_str())
        .bind(&identity.id)
        .fetch_optional(&mut *self.store.read().await?)
        .await?;
        let read = |body: String| {
            serde_json::from_str(&body).map_err(|_| CatalogueError::Unreadable { what: "record" })
        };
        body.map(read).transpose()
    }

    /// Every version of a record, the newest revision first.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read.
    pub async fn history(&self, identity: &Identity) -> Result<Vec<StoredVersion>, CatalogueError> {
        let identity = self.resolve(identity).await?;
        let mut ids = vec![identity.id.clone()];
        if Claims::possible(identity.kind) {
            let mut connection = self.store.read().await?;
            let mut claims = Claims::default();
            claims.load(&mut connection, identity.kind, ids.clone()).await?;
            ids.extend(
                claims
                    .ids()
                    .filter(|it| **it != *identity.id && claims.root(it) == identity.id)
                    .map(str::to_owned),
            );
        }
        let rows = sqlx::query(for_each_id!(
            self.store.dialect(),
            "SELECT v.own_id, v.revision, CASE WHEN v.vid = r.vid THEN 1 ELSE 0 END, v.hash FROM",
            "record_versions AS v ON v.kind = $2 AND v.own_id = w.value
             LEFT JOIN records AS r ON r.kind = $2 AND r.id = $3
             ORDER BY v.revision DESC, v.vid DESC"
        ))
        .bind(serde_json::Value::from(ids).to_string())
        .bind(identity.kind.as_str())
        .bind(&identity.id)
        .fetch_all(&mut *self.store.read().await?)
        .await?;
        let version = |row: &AnyRow| {
            Ok(StoredVersion {
                own_id: row.try_get(0)?,
                revision: revision(row.try_get(1)?)?,
                current: row.try_get::<i64, _>(2)? != 0,
                hash: row.try_get::<&[u8], _>(3)?.iter().map(|byte| format!("{byte:02x}")).collect(),
            })
        };
        rows.iter().map(version).collect()
    }

    /// The records of a kind that go by a name in some register, the first `limit` of them.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if they cannot be read.
    pub async fn identified_by(
        &self,
        kind: Kind,
        scheme: Scheme,
        value: &str,
        limit: u32,
    ) -> Result<Vec<Identity>, CatalogueError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM identifiers WHERE kind = $1 AND scheme = $2 AND value = $3 ORDER BY id LIMIT $4",
        )
        .bind(kind.as_str())
        .bind(scheme_name(scheme))
        .bind(value)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.store.read().await?)
        .await?;
        Ok(ids.into_iter().map(|id| Identity { kind, id }).collect())
    }
}

fn kind(text: &str) -> Result<Kind, CatalogueError> {
    text.parse().map_err(|_| CatalogueError::Unreadable { what: "kind of record" })
}
