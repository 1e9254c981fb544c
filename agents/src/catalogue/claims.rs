//! Obsolete numbers and whose they are.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::Row;
use statim::store::Connection;

use super::error::CatalogueError;
use crate::record::Kind;

/// The claims around some ids of one kind: for each claimed number, who claims it.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claimants: HashMap<String, BTreeSet<String>>,
    seen: HashSet<String>,
}

impl Claims {
    /// Whether records of this kind may go by several numbers at all.
    pub(super) fn possible(kind: Kind) -> bool {
        kind == Kind::Study
    }

    /// Loads every claim that has to do with `ids`, directly or through others.
    pub(super) async fn load(
        &mut self,
        connection: &mut Connection,
        kind: Kind,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<(), CatalogueError> {
        let mut open: Vec<String> = ids.into_iter().filter(|id| self.seen.insert(id.clone())).collect();
        while !open.is_empty() {
            let wanted = serde_json::Value::from(std::mem::take(&mut open)).to_string();
            let rows = sqlx::query(connection.dialect().choose(
                "SELECT c.alias, c.id FROM json_each($1) AS w CROSS JOIN claims AS c ON c.kind = $2 AND c.alias = w.value
                 UNION SELECT c.alias, c.id FROM json_each($1) AS w CROSS JOIN claims AS c ON c.kind = $2 AND c.id = w.value",
                "WITH w AS (SELECT value FROM json_array_elements_text($1::json) AS w (value))
                 SELECT c.alias, c.id FROM w JOIN claims AS c ON c.kind = $2 AND c.alias = w.value
                 UNION SELECT c.alias, c.id FROM w JOIN claims AS c ON c.kind = $2 AND c.id = w.value",
            ))
            .bind(wanted)
            .bind(kind.as_str())
            .fetch_all(&mut *connection)
            .await?;
            for row in rows {
                let (alias, id): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                open.extend([&alias, &id].into_iter().filter(|it| self.seen.insert((*it).clone())).cloned());
                self.claimants.entry(alias).or_default().insert(id);
            }
        }
        Ok(())
    }

    /// Takes in a claim. False if it was known.
    pub(super) fn add(&mut self, alias: &str, id: &str) -> bool {
        alias != id && self.claimants.entry(alias.to_owned()).or_default().insert(id.to_owned())
    }

    /// Whose number `id` is: its own if nobody claims it. Claims that run in a circle are settled for the greatest
    /// number in it.
    pub(super) fn root(&self, id: &str) -> String {
        let mut way = vec![id];
        while let Some(next) = self.claimants.get(way[way.len() - 1]).and_then(|it| it.last()) {
            if let Some(start) = way.iter().position(|it| *it == next.as_str()) {
                return way[start..].iter().max().map_or(id, |it| it).to_owned();
            }
            way.push(next);
        }
        way[way.len() - 1].to_owned()
    }

    /// Every id that was loaded or met.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(String::as_str)
    }
}
