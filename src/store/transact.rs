//! Transactions that are tried again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Store, WriteError, Writer};
use crate::resilience::{Backoff, RetryBudget, RetryOptions, Verdict};

/// How often [`Store::transact`] tries, and how long it rests: eight attempts, with rests that are left to chance between
/// nothing and 5 ms, doubling up to a second. The budget bounds what all callers add to the load of a database in trouble.
pub(super) fn default_retry() -> RetryOptions {
    RetryOptions {
        attempts: 8,
        backoff: Backoff::exponential(Duration::from_millis(5), Duration::from_secs(1)),
        retry_timeouts: false,
        budget: RetryBudget { ratio: 1.0, per_second: 50.0, burst: 1_000 },
    }
}

impl Store {
    /// Does `work` in a transaction, which it commits itself. If another transaction was in the way (PostgreSQL: a
    /// deadlock, 40P01, or a serialization failure, 40001; SQLite: another process holds the file), it is undone and done
    /// anew after a rest, as [`StoreOptions::retry`](super::StoreOptions::retry) says. So `work` may run several times, and
    /// what it does beside its transaction is done as often.
    ///
    /// It is the database's word that counts, not the error `work` makes of it, so `E` may be anything. Work that returns
    /// `Ok` is not done again, and what it did not commit is undone.
    ///
    /// ```no_run
    /// # async fn example(store: statim::store::Store) -> Result<(), Box<dyn std::error::Error>> {
    /// let ids = [7_i64, 3];
    /// let changed = store
    ///     .transact(|mut writer| async move {
    ///         let mut changed = 0;
    ///         for id in ids {
    ///             let update = sqlx::query("UPDATE accounts SET balance = balance - 1 WHERE id = $1");
    ///             changed += update.bind(id).execute(&mut *writer).await?.rows_affected();
    ///         }
    ///         writer.commit().await?;
    ///         Ok::<_, Box<dyn std::error::Error>>(changed)
    ///     })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Cancel safe until the commit, as [`Writer::commit`] says.
    ///
    /// # Errors
    ///
    /// What `work` returns, when no conflict was behind it or the attempts are used up; a [`WriteError`] from beginning.
    pub async fn transact<T, E, F>(&self, mut work: impl FnMut(Writer) -> F) -> Result<T, E>
    where
        E: From<WriteError>,
        F: Future<Output = Result<T, E>>,
    {
        let inner = self.inner();
        inner.retry.begin();
        for attempt in 1.. {
            let (error, in_the_way) = match self.write().await {
                Err(error) => {
                    let in_the_way = matches!(error, WriteError::Conflict(_) | WriteError::Busy(_));
                    (E::from(error), in_the_way)
                }
                Ok(mut writer) => {
                    let conflict = writer.report_conflicts();
                    match work(writer).await {
                        Ok(done) => return Ok(done),
                        Err(error) => (error, conflict.load(Ordering::Relaxed)),
                    }
                }
            };
            if !in_the_way {
                return Err(error);
            }
            match inner.retry.after(attempt, Verdict::Retryable) {
                Ok(rest) => {
                    inner.figures.retried();
                    self.rest(rest).await;
                }
                Err(_) => {
                    inner.figures.given_up();
                    return Err(error);
                }
            }
        }
        unreachable!("attempts end before numbers do")
    }

    /// A rest on a clock that runs: the connections' own, where there is one.
    pub(super) async fn rest(&self, rest: Duration) {
        match self.inner().connector.home() {
            Some(home) => home.sleep(rest).await,
            None => tokio::time::sleep(rest).await,
        }
    }
}
