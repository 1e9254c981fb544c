//! Taking in a batch: look up what is known, work out what follows, write the difference.

use std::collections::{HashMap, HashSet};

use sqlx::Row;
use statim::store::Connection;

use super::claims::Claims;
use super::error::CatalogueError;
use super::incoming::{Content, Hash, Incoming, Prepared, SourcePosition, What};
use super::outcome::{Outcome, Refused};
use super::schema::{for_each_id, turn};
use super::sources::Fresh;
use super::thing::{State, Thing, Tombstone, Version};
use super::{Catalogue, write};
use crate::record::{Kind, Revision};

/// Most items in a transaction.
const MOST_ITEMS: usize = 1_000;
/// Most bytes of content in a transaction. Others wait for the turn to write, and the write-ahead log holds it all.
const MOST_BYTES: usize = 4 << 20;

/// A record by kind and id.
pub(super) type Key = (Kind, String);

impl Catalogue {
    /// Takes in a batch of records and deletions.
    ///
    /// The batch is one transaction, unless it has more than 1,000 items or 4 MiB of content, when it is several in its
    /// order. Taking in anything again changes nothing, so a batch that failed or was cancelled half way is simply taken
    /// in again. Writes records as JSON on the current thread (some 10 µs each); to do that elsewhere, see
    /// [`apply_prepared`](Self::apply_prepared).
    ///
    /// Cancel safe: a transaction is taken in whole or not at all.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`]; the transactions before the one that failed are kept. What cannot be stored for its own sake is
    /// no error but in [`Outcome::refused`].
    pub async fn apply(&self, batch: Vec<Incoming>) -> Result<Outcome, CatalogueError> {
        self.apply_prepared(batch.into_iter().map(Prepared::new).collect::<Result<_, _>>()?).await
    }

    /// As [`apply`](Self::apply), with items that were prepared elsewhere.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub async fn apply_prepared(&self, batch: Vec<Prepared>) -> Result<Outcome, CatalogueError> {
        let mut outcome = Outcome::default();
        let (mut part, mut bytes) = (Vec::new(), 0);
        for item in batch {
            if let Some(reason) = item.fault() {
                outcome.refused.push(Refused { source: item.source, reason });
                continue;
            }
            if !part.is_empty() && (part.len() >= MOST_ITEMS || bytes + item.bytes() > MOST_BYTES) {
                outcome += self.apply_part(std::mem::take(&mut part)).await?;
                bytes = 0;
            }
            bytes += item.bytes();
            part.push(item);
        }
        if !part.is_empty() {
            outcome += self.apply_part(part).await?;
        }
        Ok(outcome)
    }

    async fn apply_part(&self, part: Vec<Prepared>) -> Result<Outcome, CatalogueError> {
        let mut outcome = Outcome::default();
        let mut writer = self.store.write_exclusive(turn()).await?;
        let mut work = Work::load(self, &mut writer, &part).await?;
        for (place, item) in part.iter().enumerate() {
            work.take_in(place, item, &mut outcome);
        }
        let contents =
            part.into_iter().map(|it| if let What::Record(it) = it.what { Some(it) } else { None });
        let fresh = write::write(self, &mut writer, work, contents.collect(), &mut outcome).await?;
        writer.commit().await?;
        self.sources.committed(fresh);
        Ok(outcome)
    }
}

/// What is known about everything a batch touches.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Each thing that is touched, under its own number.
    pub(super) things: HashMap<Key, Thing>,
    /// The rows of `records` there are: each with the current version, or none if deleted.
    pub(super) rows: HashMap<Key, Option<i64>>,
    /// Claims that have no row yet: the claimed number and the claimant.
    pub(super) new_claims: Vec<(Kind, String, String)>,
    /// The row after the last.
    pub(super) next_vid: i64,
    pub(super) fresh: Fresh,
    claims: HashMap<Kind, Claims>,
}

impl Work {
    async fn load(
        catalogue: &Catalogue,
        connection: &mut Connection,
        part: &[Prepared],
    ) -> Result<Self, CatalogueError> {
        let next_vid = sqlx::query_scalar("SELECT coalesce(max(vid), 0) + 1 FROM record_versions")
            .fetch_one(&mut *connection)
            .await?;
        let mut work = Self { next_vid, ..Self::default() };
        let mut wanted: HashMap<Kind, HashSet<&str>> = HashMap::new();
        for item in part {
            wanted.entry(item.kind).or_default().insert(&item.id);
        }
        for (kind, ids) in wanted {
            let mut ids: HashSet<String> = ids.into_iter().map(str::to_owned).collect();
            if Claims::possible(kind) {
                ids = work.load_claims(connection, kind, ids, part).await?;
            }
            let mut ids: Vec<String> = ids.into_iter().collect();
            // Neighbours in the index are neighbours on the disk.
            ids.sort_unstable();
            let ids = serde_json::Value::from(ids).to_string();
            work.load_versions(catalogue, connection, kind, &ids).await?;
            work.load_tombstones(catalogue, connection, kind, &ids).await?;
            let rows = sqlx::query(for_each_id!(
                connection.dialect(),
                "SELECT r.id, r.vid FROM",
                "records AS r ON r.kind = $2 AND r.id = w.value"
            ))
            .bind(&ids)
            .bind(kind.as_str())
            .fetch_all(&mut *connection)
            .await?;
            for row in rows {
                work.rows.insert((kind, row.try_get(0)?), row.try_get(1)?);
            }
        }
        Ok(work)
    }

    /// Loads the claims around `ids`, adds those of the batch, and returns every id that is concerned.
    async fn load_claims(
        &mut self,
        connection: &mut Connection,
        kind: Kind,
        mut ids: HashSet<String>,
        part: &[Prepared],
    ) -> Result<HashSet<String>, CatalogueError> {
        let made = || {
            let records = part.iter().filter(move |it| it.kind == kind);
            records.filter_map(|it| {
                if let What::Record(content) = &it.what { Some((&it.id, content)) } else { None }
            })
        };
        ids.extend(made().flat_map(|(_, content)| content.claims()).map(str::to_owned));
        let claims = self.claims.entry(kind).or_default();
        claims.load(connection, kind, ids.iter().cloned()).await?;
        for (id, content) in made() {
            for alias in content.claims() {
                if claims.add(alias, id) {
                    self.new_claims.push((kind, alias.to_owned(), id.clone()));
                }
            }
        }
        ids.extend(claims.ids().map(str::to_owned));
        Ok(ids)
    }

    async fn load_versions(
        &mut self,
        catalogue: &Catalogue,
        connection: &mut Connection,
        kind: Kind,
        ids: &str,
    ) -> Result<(), CatalogueError> {
        let rows = sqlx::query(for_each_id!(
            connection.dialect(),
            "SELECT v.vid, v.own_id, v.hash, v.revision, v.number,
                    v.first_source, v.first_index, v.last_source, v.last_index FROM",
            "record_versions AS v ON v.kind = $2 AND v.own_id = w.value"
        ))
        .bind(ids)
        .bind(kind.as_str())
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let own_id: String = row.try_get(1)?;
            let (first, last) = ((row.try_get(5)?, row.try_get(6)?), (row.try_get(7)?, row.try_get(8)?));
            let version = Version {
                vid: row.try_get(0)?,
                hash: hash(row.try_get(2)?)?,
                revision: revision(row.try_get(3)?)?,
                number: small(row.try_get(4)?)?,
                first: catalogue.sources.position(connection, first.0, first.1).await?,
                last: catalogue.sources.position(connection, last.0, last.1).await?,
                own_id,
                state: State::Stored,
            };
            self.thing(kind, &version.own_id).versions.push(version);
        }
        Ok(())
    }

    async fn load_tombstones(
        &mut self,
        catalogue: &Catalogue,
        connection: &mut Connection,
        kind: Kind,
        ids: &str,
    ) -> Result<(), CatalogueError> {
        let rows = sqlx::query(for_each_id!(
            connection.dialect(),
            "SELECT t.id, t.number, t.source, t.at_index FROM",
            "tombstones AS t ON t.kind = $2 AND t.id = w.value"
        ))
        .bind(ids)
        .bind(kind.as_str())
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let at = catalogue.sources.position(connection, row.try_get(2)?, row.try_get(3)?).await?;
            let own_id: String = row.try_get(0)?;
            let tombstone = Tombstone { number: small(row.try_get(1)?)?, at, changed: false, own_id };
            self.thing(kind, &tombstone.own_id).tombstones.push(tombstone);
        }
        Ok(())
    }

    /// The thing that `id` belongs to.
    fn thing(&mut self, kind: Kind, id: &str) -> &mut Thing {
        let root = self.claims.get(&kind).map_or_else(|| id.to_owned(), |claims| claims.root(id));
        self.things.entry((kind, root)).or_default()
    }

    fn take_in(&mut self, place: usize, item: &Prepared, outcome: &mut Outcome) {
        let vid = self.next_vid;
        let thing = self.thing(item.kind, &item.id);
        let before = thing.current().map(|it| it.vid);
        match &item.what {
            What::Delete { number } => {
                thing.delete(&item.id, *number, &item.source);
                let after = thing.current().map(|it| it.vid);
                *(if before == after {
                    &mut outcome.deletions_without_effect
                } else {
                    &mut outcome.deleted
                }) += 1;
            }
            What::Record(content) if thing.sight(&item.id, content.hash, &item.source) => {
                let after = thing.current().map(|it| it.vid);
                *(if before == after { &mut outcome.unchanged } else { &mut outcome.updated }) += 1;
            }
            What::Record(content) => {
                let known = !thing.versions.is_empty();
                thing.versions.push(version(vid, place, &item.id, &item.source, content));
                let after = thing.current().map(|it| it.vid);
                *(match (known, after == Some(vid)) {
                    (_, false) => &mut outcome.superseded,
                    (true, true) => &mut outcome.updated,
                    (false, true) => &mut outcome.inserted,
                }) += 1;
                self.next_vid += 1;
            }
        }
    }
}

fn version(vid: i64, place: usize, id: &str, source: &SourcePosition, content: &Content) -> Version {
    let &Content { hash, revision, number, .. } = content;
    let (first, last) = (source.clone(), source.clone());
    Version { vid, own_id: id.to_owned(), hash, revision, number, first, last, state: State::New(place) }
}

fn hash(bytes: &[u8]) -> Result<Hash, CatalogueError> {
    bytes.try_into().map_err(|_| CatalogueError::Unreadable { what: "content hash" })
}

fn small(number: i64) -> Result<u32, CatalogueError> {
    number.try_into().map_err(|_| CatalogueError::Unreadable { what: "number of a version" })
}

pub(super) fn revision(text: &str) -> Result<Revision, CatalogueError> {
    text.parse().map_err(|_| CatalogueError::Unreadable { what: "revision" })
}
