//! Writing what a batch changed, many rows to a statement.

use sqlx::Row as _;
use statim::store::{Connection, QueryBuilder, Row};

use super::Catalogue;
use super::apply::{Key, Work};
use super::error::CatalogueError;
use super::incoming::{Content, storable};
use super::outcome::{Outcome, PossibleDuplicate};
use super::sources::Fresh;
use super::thing::{State, Thing, Version};
use crate::record::{Alias, Evidence, Identity, Kind, Record, Scheme};

/// Rows a statement holds at most. Sizes are powers of four, so that few statements need preparing.
const ROWS: [usize; 4] = [64, 16, 4, 1];

pub(super) async fn write(
    catalogue: &Catalogue,
    connection: &mut Connection,
    work: Work,
    mut contents: Vec<Option<Content>>,
    outcome: &mut Outcome,
) -> Result<Fresh, CatalogueError> {
    let Work { things, mut rows, new_claims, mut fresh, .. } = work;
    let mut numbered = Numbered::default();
    let mut changed = Changed::default();
    let mut names: Vec<(Identity, Alias)> = Vec::new();
    for (key, thing) in things {
        numbered.collect(catalogue, connection, &mut fresh, &key, &thing, &mut contents).await?;
        let row = rows.remove(&key);
        let current = thing.current();
        let vid = current.map(|it| it.vid);
        if thing.versions.is_empty() || row == Some(vid) {
            continue;
        }
        if let Some(Some(_)) = row {
            changed.unnamed.push(key.clone());
        }
        if let Some(current) = current {
            let identity = Identity { kind: key.0, id: key.1.clone() };
            let aliases = match current.state {
                State::New(place) => {
                    contents[place].as_mut().map(|it| std::mem::take(&mut it.aliases)).unwrap_or_default()
                }
                State::Stored | State::Moved => aliases_of(connection, current.vid).await?,
            };
            names.extend(aliases.into_iter().map(|alias| (identity.clone(), alias)));
        }
        changed.current.push((key, vid));
    }
    // A row without a thing of its own belongs to another one now.
    for (key, vid) in rows {
        outcome.merged += u64::from(vid.is_some());
        changed.unnamed.push(key.clone());
        changed.gone.push(key);
    }
    numbered.insert(connection, contents).await?;
    changed.write(connection).await?;
    insert(connection, CLAIMS, new_claims, |row, (kind, alias, id)| {
        row.push_bind(kind.as_str()).push_bind(alias).push_bind(id);
    })
    .await?;
    // Things come in no order; what is reported does.
    names.sort_unstable();
    duplicates(connection, &names, outcome).await?;
    insert(connection, IDENTIFIERS, names, |row, (Identity { kind, id }, alias)| {
        row.push_bind(kind.as_str())
            .push_bind(scheme_name(alias.scheme))
            .push_bind(alias.value)
            .push_bind(id)
            .push_bind(evidence_name(alias.evidence));
    })
    .await?;
    Ok(fresh)
}

const VERSIONS: [&str; 2] = [
    "INSERT INTO record_versions (vid, kind, own_id, hash, revision, number,
        first_source, first_index, last_source, last_index, body) ",
    "",
];
const RECORDS: [&str; 2] =
    ["INSERT INTO records (kind, id, vid) ", " ON CONFLICT (kind, id) DO UPDATE SET vid = excluded.vid"];
const TOMBSTONES: [&str; 2] = [
    "INSERT INTO tombstones (kind, id, number, source, at_index) ",
    " ON CONFLICT (kind, id, number) DO UPDATE SET source = excluded.source, at_index = excluded.at_index",
];
const CLAIMS: [&str; 2] = ["INSERT INTO claims (kind, alias, id) ", " ON CONFLICT DO NOTHING"];
const IDENTIFIERS: [&str; 2] =
    ["INSERT INTO identifiers (kind, scheme, value, id, evidence) ", " ON CONFLICT DO NOTHING"];

/// Inserts `items` by as few statements as may be: `statement` is what goes before and after the values.
async fn insert<T>(
    connection: &mut Connection,
    statement: [&'static str; 2],
    items: Vec<T>,
    mut bind: impl FnMut(&mut Row<'_>, T),
) -> Result<(), CatalogueError> {
    let mut left = items.len();
    let mut items = items.into_iter();
    while left > 0 {
        let count = ROWS.into_iter().find(|count| *count <= left).unwrap_or(1);
        left -= count;
        let mut query = QueryBuilder::new(connection.dialect(), statement[0]);
        query.push_values(items.by_ref().take(count), |row, item| bind(row, item));
        query.push(statement[1]);
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Versions and tombstones to be written, with the numbers of their sources.
#[derive(Default)]
struct Numbered {
    new: Vec<(Kind, Version, [i64; 2])>,
    moved: Vec<(Version, [i64; 2])>,
    tombstones: Vec<(Kind, String, u32, i64, u64)>,
}

impl Numbered {
    async fn collect(
        &mut self,
        catalogue: &Catalogue,
        connection: &mut Connection,
        fresh: &mut Fresh,
        (kind, _): &Key,
        thing: &Thing,
        contents: &mut [Option<Content>],
    ) -> Result<(), CatalogueError> {
        for version in thing.versions.iter().filter(|it| it.state != State::Stored) {
            let first = catalogue.sources.number(connection, fresh, &version.first).await?;
            let last = catalogue.sources.number(connection, fresh, &version.last).await?;
            match version.state {
                State::New(place) if contents[place].is_some() => {
                    self.new.push((*kind, version.clone(), [first, last]));
                }
                State::New(_) | State::Stored => {}
                State::Moved => self.moved.push((version.clone(), [first, last])),
            }
        }
        for tombstone in thing.tombstones.iter().filter(|it| it.changed) {
            let source = catalogue.sources.number(connection, fresh, &tombstone.at).await?;
            self.tombstones.push((
                *kind,
                tombstone.own_id.clone(),
                tombstone.number,
                source,
                tombstone.at.index,
            ));
        }
        Ok(())
    }

    async fn insert(
        mut self,
        connection: &mut Connection,
        mut contents: Vec<Option<Content>>,
    ) -> Result<(), CatalogueError> {
        // Rows in the order of their numbers go to the end of the table.
        self.new.sort_unstable_by_key(|(_, version, _)| version.vid);
        insert(connection, VERSIONS, self.new, |row, (kind, version, [first, last])| {
            let State::New(place) = version.state else { return };
            let Some(content) = contents[place].take() else { return };
            row.push_bind(version.vid)
                .push_bind(kind.as_str())
                .push_bind(version.own_id)
                .push_bind(content.hash.to_vec())
                .push_bind(content.revision.to_string())
                .push_bind(i64::from(content.number))
                .push_bind(first)
                .push_bind(version.first.index.cast_signed())
                .push_bind(last)
                .push_bind(version.last.index.cast_signed())
                .push_bind(content.body);
        })
        .await?;
        for (version, [first, last]) in self.moved {
            sqlx::query(
                "UPDATE record_versions SET first_source = $1, first_index = $2, last_source = $3, last_index = $4
                 WHERE vid = $5",
            )
            .bind(first)
            .bind(version.first.index.cast_signed())
            .bind(last)
            .bind(version.last.index.cast_signed())
            .bind(version.vid)
            .execute(&mut *connection)
            .await?;
        }
        insert(connection, TOMBSTONES, self.tombstones, |row, (kind, id, number, source, index)| {
            row.push_bind(kind.as_str())
                .push_bind(id)
                .push_bind(i64::from(number))
                .push_bind(source)
                .push_bind(index.cast_signed());
        })
        .await
    }
}

/// Rows of `records` to be written.
#[derive(Default)]
struct Changed {
    current: Vec<(Key, Option<i64>)>,
    /// Merged into another.
    gone: Vec<Key>,
    /// Those whose identifiers are no longer true.
    unnamed: Vec<Key>,
}

impl Changed {
    async fn write(mut self, connection: &mut Connection) -> Result<(), CatalogueError> {
        for (kind, id) in self.gone {
            sqlx::query("DELETE FROM records WHERE kind = $1 AND id = $2")
                .bind(kind.as_str())
                .bind(id)
                .execute(&mut *connection)
                .await?;
        }
        for (kind, id) in self.unnamed {
            sqlx::query("DELETE FROM identifiers WHERE kind = $1 AND id = $2")
                .bind(kind.as_str())
                .bind(id)
                .execute(&mut *connection)
                .await?;
        }
        self.current.sort_unstable();
        insert(connection, RECORDS, self.current, |row, ((kind, id), vid)| {
            row.push_bind(kind.as_str()).push_bind(id).push_bind(vid);
        })
        .await
    }
}

async fn aliases_of(connection: &mut Connection, vid: i64) -> Result<Vec<Alias>, CatalogueError> {
    let row = sqlx::query("SELECT body FROM record_versions WHERE vid = $1")
        .bind(vid)
        .fetch_one(connection)
        .await?;
    let record: Record =
        serde_json::from_str(row.try_get(0)?).map_err(|_| CatalogueError::Unreadable { what: "record" })?;
    Ok(storable(record.aliases()))
}

/// Reports whoever else goes by one of these names already.
async fn duplicates(
    connection: &mut Connection,
    names: &[(Identity, Alias)],
    outcome: &mut Outcome,
) -> Result<(), CatalogueError> {
    let asked: Vec<&(Identity, Alias)> =
        names.iter().filter(|(_, alias)| alias.evidence == Evidence::Secondary).collect();
    if asked.is_empty() {
        return Ok(());
    }
    // Among those of this batch, which are not in the table yet.
    let mut seen = std::collections::HashMap::new();
    for (identity, alias) in &asked {
        let other = seen.entry((identity.kind, alias.scheme, &*alias.value)).or_insert(identity);
        if *other != identity {
            outcome.duplicate(pair(identity, other.id.clone(), alias));
        }
    }
    let values: Vec<[&str; 4]> = asked
        .iter()
        .map(|(identity, alias)| {
            [identity.kind.as_str(), scheme_name(alias.scheme), &*alias.value, &*identity.id]
        })
        .collect();
    let values =
        serde_json::to_string(&values).map_err(|_| CatalogueError::Unreadable { what: "identifier" })?;
    // One other is enough: a name that a thousand go by must not give a million pairs.
    let rows = sqlx::query(connection.dialect().choose(
        "SELECT w.key, (
             SELECT i.id FROM identifiers AS i
             WHERE i.kind = w.value ->> 0 AND i.scheme = w.value ->> 1 AND i.value = w.value ->> 2
                   AND i.id <> w.value ->> 3 AND i.evidence = 'secondary' LIMIT 1
         ) AS other FROM json_each($1) AS w WHERE other IS NOT NULL",
        "SELECT w.place - 1, o.id FROM json_array_elements($1::json) WITH ORDINALITY AS w (value, place)
         CROSS JOIN LATERAL (
             SELECT i.id FROM identifiers AS i
             WHERE i.kind = w.value ->> 0 AND i.scheme = w.value ->> 1 AND i.value = w.value ->> 2
                   AND i.id <> w.value ->> 3 AND i.evidence = 'secondary' LIMIT 1
         ) AS o",
    ))
    .bind(values)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let at = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        if let Some((identity, alias)) = asked.get(at) {
            outcome.duplicate(pair(identity, row.try_get(1)?, alias));
        }
    }
    Ok(())
}

fn pair(record: &Identity, other: String, alias: &Alias) -> PossibleDuplicate {
    let other = Identity { kind: record.kind, id: other };
    PossibleDuplicate { record: record.clone(), other, scheme: alias.scheme, value: alias.value.clone() }
}

pub(super) fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Nct => "nct",
        Scheme::OrganisationStudy => "organisation_study",
        Scheme::SecondaryStudy => "secondary_study",
        Scheme::Pmid => "pmid",
        Scheme::Pmc => "pmc",
        Scheme::Doi => "doi",
        Scheme::Pii => "pii",
        Scheme::ApplicationNumber => "application_number",
        Scheme::SplSet => "spl_set",
        Scheme::SplVersion => "spl_version",
        Scheme::ProductNdc => "product_ndc",
        Scheme::PackageNdc => "package_ndc",
        Scheme::ReportNumber => "report_number",
    }
}

fn evidence_name(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Same => "same",
        Evidence::Secondary => "secondary",
        Evidence::Link => "link",
    }
}
