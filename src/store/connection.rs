//! One connection, on which every statement is measured.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use sqlx::any::{Any, AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::error::BoxDynError;
use sqlx::{AnyConnection, Describe, Either, Execute, Executor, SqlStr};

use super::fault::{Fault, redacted};
use super::stats::{Ended, Figures};
use super::{Dialect, StatementClass};
use crate::clock::Nanos;

/// A connection to SQLite or PostgreSQL, which a [`Reader`](super::Reader) and a [`Writer`](super::Writer) are.
///
/// It is an executor of sqlx: `sqlx::query("SELECT … WHERE id = $1").bind(id).fetch_all(&mut *reader)`. Parameters are
/// written `$1`, `$2` for both databases. What a statement took goes into the store's [stats](super::Store::stats); a
/// slow one into the log, by its class and fingerprint; and no value that PostgreSQL repeats in its complaints comes out
/// in an error.
///
/// Values are those that both databases have: `i16`, `i32`, `i64`, `f32`, `f64`, `&str`, `String`, `&[u8]`, `Vec<u8>` and
/// `Option` of them (sqlx's `Any`). Columns are accordingly `INTEGER` or `BIGINT`, `TEXT`, `BLOB` or `BYTEA`, and `REAL` or
/// `DOUBLE PRECISION`; a truth value is best an integer, because SQLite has no other.
pub struct Connection {
    raw: AnyConnection,
    watch: Watch,
}

/// What is known of the statements of a connection.
struct Watch {
    dialect: Dialect,
    figures: Arc<Figures>,
    /// A statement was begun and its end was not seen: whoever waited for it stopped waiting.
    under_way: bool,
    /// The worst that happened since [`Connection::forget_fault`].
    fault: Option<Fault>,
    /// Told when another transaction was in the way of this one.
    conflict: Option<Arc<AtomicBool>>,
}

impl Connection {
    pub(super) fn new(raw: AnyConnection, dialect: Dialect, figures: Arc<Figures>) -> Self {
        Self { raw, watch: Watch { dialect, figures, under_way: false, fault: None, conflict: None } }
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.watch.dialect
    }

    /// Runs a statement without parameters and rows.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self.dialect() {
            // Prepared once and kept; without parameters it would be compiled anew each time.
            Dialect::Sqlite => self.execute(sqlx::query(sql)).await?,
            Dialect::Postgres => self.execute(sql).await?,
        };
        Ok(())
    }

    /// Asks whether anybody is there.
    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        sqlx::Connection::ping(&mut self.raw).await.map_err(redacted)
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        sqlx::Connection::close(self.raw).await.map_err(redacted)
    }

    /// Without the watch.
    pub(super) fn unwatched(&mut self) -> &mut AnyConnection {
        &mut self.raw
    }

    /// Whether a statement was begun whose end was not seen.
    pub(super) fn is_under_way(&self) -> bool {
        self.watch.under_way
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.watch.fault
    }

    /// What becomes true when another transaction was in the way, until the connection is given back.
    pub(super) fn report_conflicts(&mut self) -> Arc<AtomicBool> {
        let conflict = Arc::new(AtomicBool::new(false));
        self.watch.conflict = Some(Arc::clone(&conflict));
        conflict
    }

    pub(super) fn forget_fault(&mut self) {
        self.watch.fault = None;
        self.watch.conflict = None;
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let query = match Passed::from(query) {
            Ok(query) => query,
            Err(error) => return futures_util::stream::iter([Err(error)]).boxed(),
        };
        let Connection { raw, watch } = self;
        let running = watch.begin(query.sql.clone());
        Watched { answers: raw.fetch_many(query), running }.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let query = Passed::from(query);
        Box::pin(async move {
            let query = query?;
            let Connection { raw, watch } = self;
            let mut running = watch.begin(query.sql.clone());
            running.ask();
            let row = raw.fetch_optional(query).await;
            running.answered();
            running.end(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.raw.prepare_with(sql, parameters).await.map_err(redacted) })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.raw.describe(sql).await.map_err(redacted) })
    }
}

/// A query taken apart, so that its text can be looked at before it is passed on.
struct Passed {
    sql: SqlStr,
    arguments: Option<AnyArguments>,
    persistent: bool,
}

impl Passed {
    fn from<'q>(mut query: impl Execute<'q, Any>) -> Result<Self, sqlx::Error> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let persistent = query.persistent();
        Ok(Self { sql: query.sql(), arguments, persistent })
    }
}

impl Execute<'_, Any> for Passed {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&AnyStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<AnyArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

/// The answers to a statement, timed.
struct Watched<'e> {
    answers: BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>,
    running: Running<'e>,
}

impl Stream for Watched<'_> {
    type Item = Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.running.ask();
        let answer = ready!(this.answers.as_mut().poll_next(cx));
        this.running.answered();
        Poll::Ready(match answer {
            None => {
                this.running.ended(Ended::Well);
                None
            }
            Some(answer) => Some(match answer {
                Ok(answer) => Ok(answer),
                Err(error) => this.running.end(Err(error)),
            }),
        })
    }
}

/// A statement from its begin to its end.
struct Running<'e> {
    watch: &'e mut Watch,
    sql: SqlStr,
    class: StatementClass,
    /// Since when the database has been asked for what comes next. What passes between an answer and the next question
    /// is the caller's time.
    asked: Option<Nanos>,
    took: u64,
    over: bool,
}

impl Watch {
    fn begin(&mut self, sql: SqlStr) -> Running<'_> {
        let class = StatementClass::of(sql.as_str());
        Running { watch: self, sql, class, asked: None, took: 0, over: false }
    }
}

impl Running<'_> {
    fn ask(&mut self) {
        if self.asked.is_none() {
            self.watch.under_way = true;
            self.asked = Some(self.watch.figures.now());
        }
    }

    fn answered(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.took += self.watch.figures.now().since(asked);
        }
    }

    fn end<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match outcome {
            Ok(done) => {
                self.ended(Ended::Well);
                Ok(done)
            }
            Err(error) => {
                let fault = Fault::of(&error);
                if let Some(conflict) = &self.watch.conflict
                    && matches!(fault, Fault::Conflict | Fault::Busy)
                {
                    conflict.store(true, Ordering::Relaxed);
                }
                // After a conflict PostgreSQL refuses everything else too, which says less.
                if matches!(self.watch.fault, None | Some(Fault::Other)) {
                    self.watch.fault = Some(fault);
                }
                self.ended(Ended::Failed);
                Err(redacted(error))
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        if !std::mem::replace(&mut self.over, true) {
            self.watch.under_way = false;
            self.watch.figures.statement(self.class, self.took, ended, self.sql.as_str());
        }
    }
}

impl Drop for Running<'_> {
    /// The caller stopped waiting, or had enough of the rows.
    fn drop(&mut self) {
        if !self.over && self.watch.under_way {
            self.answered();
            self.watch.figures.statement(self.class, self.took, Ended::Well, self.sql.as_str());
        }
    }
}
