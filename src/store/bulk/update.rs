//! Changing many rows, in one order.

use sqlx::any::Any;
use sqlx::{Encode, Type};

use super::rows_of_next;
use crate::store::{Connection, Dialect, QueryBuilder, Row};

/// What rows are known by, in an order that the program and the database agree about.
pub trait BulkKey: Ord + Clone + Send + Type<Any> + for<'q> Encode<'q, Any> + private::Sealed {
    /// What makes PostgreSQL compare this as Rust does.
    #[doc(hidden)]
    const COLLATION: &'static str;
}

mod private {
    pub trait Sealed {}
    impl Sealed for i64 {}
    impl Sealed for i32 {}
    impl Sealed for String {}
}

impl BulkKey for i64 {
    const COLLATION: &'static str = "";
}

impl BulkKey for i32 {
    const COLLATION: &'static str = "";
}

impl BulkKey for String {
    const COLLATION: &'static str = " COLLATE \"C\"";
}

/// Changes any number of rows by as few statements as may be, and locks them in the order of their keys first, so that
/// two that change the same rows wait for each other and do not deadlock.
///
/// PostgreSQL's `UPDATE … FROM` locks rows in whatever order its plan finds them. So each part is two statements: one that
/// locks its rows in order, and one that changes what it then sees.
///
/// ```no_run
/// # async fn example(mut writer: statim::store::Writer) -> Result<(), Box<dyn std::error::Error>> {
/// use statim::store::BulkUpdate;
/// let seen = vec![(7_i64, (1_i64, "Ann")), (3, (2, "Bob"))];
/// BulkUpdate::new("people", "id")
///     .add("visits")
///     .set("name")
///     .execute(&mut writer, seen, |row, (visits, name)| {
///         row.push_bind(visits).push_bind(name);
///     })
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct BulkUpdate {
    table: &'static str,
    key: &'static str,
    columns: Vec<(&'static str, Change)>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Set,
    Add,
}

impl BulkUpdate {
    /// Changes rows of `table` that are known by the column `key`, which must be unique.
    #[must_use]
    pub fn new(table: &'static str, key: &'static str) -> Self {
        Self { table, key, columns: Vec::new() }
    }

    /// The next value of a row is what `column` becomes.
    #[must_use]
    pub fn set(mut self, column: &'static str) -> Self {
        self.columns.push((column, Change::Set));
        self
    }

    /// The next value of a row is added to `column`, whatever it is by then.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "it names a column, as `set` does")]
    pub fn add(mut self, column: &'static str) -> Self {
        self.columns.push((column, Change::Add));
        self
    }

    /// Changes the rows with these keys; `bind` appends a value for each column. A key may come several times; its changes
    /// are made in the order given. Keys that are not in the table are passed over. Returns how many changes were made.
    ///
    /// Must be in a transaction for the locks to last: on a connection of [`Store::write`](crate::store::Store::write) or
    /// [`transact`](crate::store::Store::transact), which also tries again should somebody else not keep to the order.
    ///
    /// # Errors
    ///
    /// What the database says of the first statement that fails.
    pub async fn execute<K: BulkKey, T>(
        self,
        connection: &mut Connection,
        mut rows: Vec<(K, T)>,
        mut bind: impl FnMut(&mut Row<'_>, T),
    ) -> Result<u64, sqlx::Error> {
        // Stable: the changes of one key stay in their order.
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let most = connection.dialect().most_parameters();
        let mut rows = rows.into_iter().peekable();
        let mut count = 0;
        while rows.peek().is_some() {
            let some = rows_of_next(rows.len(), self.columns.len() + 1, most);
            let mut part: Vec<(K, T)> = Vec::with_capacity(some);
            // One statement changes a row once. A further change of it begins the next part.
            while part.len() < some
                && let Some(row) = rows.next_if(|(key, _)| part.last().is_none_or(|(last, _)| last != key))
            {
                part.push(row);
            }
            if connection.dialect() == Dialect::Postgres {
                self.lock(connection, &part).await?;
            }
            count += self.update(connection, part, &mut bind).await?;
        }
        Ok(count)
    }

    async fn lock<K: BulkKey, T>(
        &self,
        connection: &mut Connection,
        part: &[(K, T)],
    ) -> Result<(), sqlx::Error> {
        let Self { table, key, .. } = self;
        let collation = K::COLLATION;
        let keys: Vec<K> = part.iter().map(|(key, _)| key.clone()).collect();
        let mut query =
            QueryBuilder::new(Dialect::Postgres, format!("SELECT 1 FROM {table} WHERE {key} IN "));
        query.push_list(keys).push(format_args!(" ORDER BY {key}{collation} FOR NO KEY UPDATE"));
        query.build().execute(connection).await?;
        Ok(())
    }

    async fn update<K: BulkKey, T>(
        &self,
        connection: &mut Connection,
        part: Vec<(K, T)>,
        bind: &mut impl FnMut(&mut Row<'_>, T),
    ) -> Result<u64, sqlx::Error> {
        let Self { table, key, columns } = self;
        let mut query = QueryBuilder::new(connection.dialect(), format!("UPDATE {table} SET "));
        // Both databases call the columns of VALUES so.
        for (number, (column, change)) in (2..).zip(columns) {
            let comma = if number == 2 { "" } else { ", " };
            let before = match change {
                Change::Set => String::new(),
                Change::Add => format!("{table}.{column} + "),
            };
            query.push(format_args!("{comma}{column} = {before}new.column{number}"));
        }
        query.push(" FROM (");
        query.push_values(part, |row, (key, values)| {
            row.push_bind(key);
            bind(row, values);
        });
        query.push(format_args!(") AS new WHERE {table}.{key} = new.column1"));
        Ok(query.build().execute(connection).await?.rows_affected())
    }
}
