//! Inserting many rows.

use super::rows_of_next;
use crate::store::{Connection, QueryBuilder, Row};

/// Inserts any number of rows by as few statements as the database's limit on parameters allows.
///
/// ```no_run
/// # async fn example(mut writer: statim::store::Writer) -> Result<(), Box<dyn std::error::Error>> {
/// use statim::store::BulkInsert;
/// let people = [("Ann", 40_i64), ("Bob", 41)];
/// BulkInsert::new("people", &["name", "age"])
///     .or("ON CONFLICT (name) DO NOTHING")
///     .execute(&mut writer, people, |row, (name, age)| {
///         row.push_bind(name).push_bind(age);
///     })
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct BulkInsert {
    table: &'static str,
    columns: &'static [&'static str],
    or: &'static str,
}

impl BulkInsert {
    /// Inserts into these columns of `table`.
    #[must_use]
    pub const fn new(table: &'static str, columns: &'static [&'static str]) -> Self {
        Self { table, columns, or: "" }
    }

    /// What follows the values, such as `ON CONFLICT DO NOTHING`.
    #[must_use]
    pub const fn or(self, clause: &'static str) -> Self {
        Self { or: clause, ..self }
    }

    /// Inserts `rows`; `bind` appends a value for each column. Returns how many rows were inserted or changed.
    ///
    /// Several statements: in a transaction all of them or none, without one each by itself.
    ///
    /// # Errors
    ///
    /// What the database says of the first statement that fails.
    pub async fn execute<T>(
        self,
        connection: &mut Connection,
        rows: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut bind: impl FnMut(&mut Row<'_>, T),
    ) -> Result<u64, sqlx::Error> {
        let dialect = connection.dialect();
        let mut rows = rows.into_iter();
        let mut count = 0;
        while rows.len() > 0 {
            let some = rows_of_next(rows.len(), self.columns.len(), dialect.most_parameters());
            let mut query = QueryBuilder::new(dialect, "INSERT INTO ");
            query.push(self.table).push(" (").push(self.columns.join(", ")).push(") ");
            query.push_values(rows.by_ref().take(some), &mut bind);
            if !self.or.is_empty() {
                query.push(" ").push(self.or);
            }
            count += query.build().execute(&mut *connection).await?.rows_affected();
        }
        Ok(count)
    }
}
