//! Statements whose text is not known before.

use std::fmt::{Display, Write};
use std::sync::Arc;

use sqlx::any::{Any, AnyArguments};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use super::Dialect;

/// A statement in the making, with the parameters that belong to it. sqlx's own `QueryBuilder` writes `?` for every
/// parameter, which PostgreSQL does not read; and `$1` of SQLite is a *name*, looked up in a list for each parameter, so
/// that a statement of ten thousand takes a tenth of a second. This one writes what the database reads at once.
///
/// ```
/// # use statim::store::{Dialect, QueryBuilder};
/// let mut query = QueryBuilder::new(Dialect::Postgres, "INSERT INTO people (name, age) ");
/// query.push_values([("Ann", 40_i64), ("Bob", 41)], |row, (name, age)| {
///     row.push_bind(name).push_bind(age);
/// });
/// query.push(" ON CONFLICT DO NOTHING");
/// assert_eq!(
///     query.sql(),
///     "INSERT INTO people (name, age) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
/// );
/// // query.build().execute(&mut *writer).await?;
/// ```
pub struct QueryBuilder {
    dialect: Dialect,
    text: String,
    arguments: AnyArguments,
    count: usize,
}

impl QueryBuilder {
    /// A statement that begins so.
    #[must_use]
    pub fn new(dialect: Dialect, sql: impl Into<String>) -> Self {
        Self { dialect, text: sql.into(), arguments: AnyArguments::default(), count: 0 }
    }

    /// Appends SQL. Never anything that comes from outside: that is what [`push_bind`](Self::push_bind) is for.
    pub fn push(&mut self, sql: impl Display) -> &mut Self {
        write!(self.text, "{sql}").expect("a String takes everything");
        self
    }

    /// Appends a parameter with its value.
    ///
    /// # Panics
    ///
    /// When the value refuses to be encoded, which none of sqlx's own types does.
    pub fn push_bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        self.count += 1;
        match self.dialect {
            Dialect::Sqlite => self.text.push('?'),
            Dialect::Postgres => write!(self.text, "${}", self.count).expect("a String takes everything"),
        }
        self.arguments.add(value).expect("a value for a parameter encodes itself");
        self
    }

    /// Appends `VALUES (…), (…)`: a row for each item, of the parameters that `bind` appends to it.
    pub fn push_values<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut bind: impl FnMut(&mut Row<'_>, T),
    ) -> &mut Self {
        self.text.push_str("VALUES ");
        for (number, item) in items.into_iter().enumerate() {
            self.text.push_str(if number == 0 { "(" } else { ", (" });
            bind(&mut Row { query: self, first: true }, item);
            self.text.push(')');
        }
        self
    }

    /// Appends `(…, …)` of a parameter for each item, for `IN`. `(NULL)` if there are none, in which nothing is.
    pub fn push_list<'t, T: Encode<'t, Any> + Type<Any>>(
        &mut self,
        items: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        self.text.push('(');
        let mut row = Row { query: self, first: true };
        for item in items {
            row.push_bind(item);
        }
        if row.first {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// Which database it is for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many parameters it has; [`Dialect::most_parameters`] bounds them.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.count
    }

    /// The text so far.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.text
    }

    /// The statement, to be executed on a [`Connection`](super::Connection). Prepared once for each text and kept, unless
    /// `persistent(false)` is said of it: texts that do not come again should not push out those that do.
    pub fn build(self) -> Query<'static, Any, AnyArguments> {
        let text: Arc<str> = self.text.into();
        sqlx::query_with(AssertSqlSafe(text), self.arguments)
    }
}

impl std::fmt::Debug for QueryBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryBuilder").field("sql", &self.text).field("parameters", &self.count).finish()
    }
}

/// A row of [`QueryBuilder::push_values`].
#[derive(Debug)]
pub struct Row<'q> {
    query: &'q mut QueryBuilder,
    first: bool,
}

impl Row<'_> {
    /// Appends a parameter with its value.
    pub fn push_bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        self.comma();
        self.query.push_bind(value);
        self
    }

    /// Appends SQL, such as `DEFAULT` or `now()`; never anything that comes from outside.
    pub fn push(&mut self, sql: impl Display) -> &mut Self {
        self.comma();
        self.query.push(sql);
        self
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.query.text.push_str(", ");
        }
    }
}
