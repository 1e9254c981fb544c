//! Connections that are kept for the next caller.
//!
//! sqlx has a pool; it is not used, because it gives a connection back by a task on whatever runtime the caller happens
//! to be on (a busy arbiter's, or one that has just ended), sets a timer for each acquire (which a paused clock fires at
//! once), and knows no overflow. Here a connection is given back in `Drop`, on the spot.

mod lease;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::resilience::Backoff;
use crate::store::Dialect;
use crate::store::connect::Connector;
use crate::store::connection::Connection;
use crate::store::fault::{Fault, may_connect_later};
use crate::store::options::StoreOptions;
use crate::store::stats::PoolEvent;
use crate::sync::lock;

pub(in crate::store) use self::lease::Pooled;

/// The rests between attempts to reach a server that is starting.
const KNOCKING: Backoff = Backoff::exponential(Duration::from_millis(10), Duration::from_millis(500));

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Entry {
    /// To read.
    Read,
    /// To read as of one moment.
    Snapshot,
    /// To write in a transaction.
    Write,
    /// To write statements that are each a transaction of their own.
    Alone,
}

/// Why there is no connection.
#[derive(Debug)]
pub(in crate::store) enum AcquireError {
    TimedOut { waited: Duration, source: Option<sqlx::Error> },
    Closed,
    Database(sqlx::Error),
}

pub(in crate::store) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    limits: Limits,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    closed: AtomicBool,
}

struct Limits {
    most: usize,
    kept: usize,
    recycle: Option<Duration>,
    test: bool,
    acquire_timeout: Duration,
}

struct Idle {
    connection: Connection,
    born: Instant,
    access: Access,
}

/// What statements outside transactions may do, as PostgreSQL's session was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadOnly,
    ReadWrite,
}

impl Pool {
    pub(in crate::store) fn new(connector: Connector, options: &StoreOptions) -> Self {
        let limits = match connector.dialect() {
            // The connection is a thread of this process: nothing can have hung up.
            Dialect::Sqlite => {
                let most = options.readers.max(1) as usize;
                Limits {
                    most,
                    kept: most,
                    recycle: None,
                    test: false,
                    acquire_timeout: options.acquire_timeout,
                }
            }
            Dialect::Postgres => {
                let kept = options.connections.max(1) as usize;
                Limits {
                    most: (kept + options.overflow as usize).min(Semaphore::MAX_PERMITS),
                    kept,
                    recycle: Some(options.recycle),
                    test: options.test_before_acquire,
                    acquire_timeout: options.acquire_timeout,
                }
            }
        };
        let places = Arc::new(Semaphore::new(limits.most));
        let closed = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { connector, limits, places, idle: Mutex::default(), closed }) }
    }

    /// Keeps a connection that was made elsewhere.
    pub(in crate::store) fn put(&self, connection: Connection) {
        self.inner.put(Idle { connection, born: Instant::now(), access: Access::ReadOnly });
    }

    /// A connection, ready for what it is wanted for.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue; a transaction already begun is undone.
    pub(in crate::store) async fn acquire(&self, entry: Entry) -> Result<Pooled, AcquireError> {
        let inner = &self.inner;
        let waiting = inner.connector.figures().waiting();
        let mut last = None;
        let limit = inner.limits.acquire_timeout;
        let acquired = match inner.connector.home() {
            Some(home) => {
                let work = async {
                    let place = Arc::clone(&inner.places).acquire_owned().await;
                    inner.enter(place.map_err(|_| AcquireError::Closed)?, entry, &mut last).await
                };
                home.timeout(limit, work).await.map_err(|_| ())
            }
            None => match inner.place().await {
                Ok(place) => Ok(inner.enter(place, entry, &mut last).await),
                Err(Some(error)) => Ok(Err(error)),
                Err(None) => Err(()),
            },
        };
        match acquired {
            Ok(Ok(pooled)) => {
                waiting.served();
                Ok(pooled)
            }
            Ok(Err(error)) => Err(error),
            Err(()) => {
                inner.connector.figures().pool(PoolEvent::TimedOut);
                Err(AcquireError::TimedOut { waited: limit, source: last })
            }
        }
    }

    /// The most there may be, those in use, and those resting.
    pub(in crate::store) fn fill(&self) -> (usize, usize, usize) {
        let Inner { limits, places, idle, .. } = &*self.inner;
        let in_use = limits.most - places.available_permits().min(limits.most);
        (limits.most, in_use, lock(idle).len())
    }

    /// Waits until every connection was given back and closes them.
    pub(in crate::store) async fn close(&self) {
        let Inner { closed, places, limits, idle, connector, .. } = &*self.inner;
        closed.store(true, Ordering::Release);
        let most = u32::try_from(limits.most).unwrap_or(u32::MAX);
        // An error says that another call has closed it before.
        let Ok(all) = places.acquire_many(most).await else { return };
        all.forget();
        places.close();
        let resting = std::mem::take(&mut *lock(idle));
        for Idle { connection, .. } in resting {
            let close = async move {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "closing a connection failed");
                }
            };
            match connector.home() {
                Some(home) => drop(home.run(close).await),
                None => close.await,
            }
        }
    }
}

impl Inner {
    /// A place in the pool by the caller's own clock, without a timer while one is free. This jumps no queue: a freed
    /// place goes straight to the first in it. `Err(None)`: none came in time.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Option<AcquireError>> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let wait =
            tokio::time::timeout(self.limits.acquire_timeout, Arc::clone(&self.places).acquire_owned());
        wait.await.map_err(|_| None)?.map_err(|_| Some(AcquireError::Closed))
    }

    /// Finds or makes a connection and makes it ready.
    async fn enter(
        self: &Arc<Self>,
        place: OwnedSemaphorePermit,
        entry: Entry,
        last: &mut Option<sqlx::Error>,
    ) -> Result<Pooled, AcquireError> {
        let mut place = Some(place);
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(AcquireError::Closed);
            }
            let rested = self.take(entry);
            let reused = rested.is_some();
            let idle = match rested {
                Some(idle) => idle,
                None => self.connect(last).await?,
            };
            let Idle { connection, born, access } = idle;
            let mut pooled = Pooled {
                connection: Some(connection),
                born,
                access,
                in_transaction: false,
                pool: Arc::clone(self),
                place: place.take(),
            };
            match pooled.ready(entry, reused && self.limits.test).await {
                Ok(()) => return Ok(pooled),
                Err(error) if reused && Fault::of(&error) == Fault::Lost => {
                    self.connector.figures().pool(PoolEvent::FoundDead);
                    *last = Some(error);
                    place = pooled.discard();
                }
                Err(error) => return Err(AcquireError::Database(error)),
            }
        }
    }

    /// The connection that rested least, one that needs no telling if there is any. Those too old are closed.
    fn take(&self, entry: Entry) -> Option<Idle> {
        let wanted = if entry == Entry::Alone { Access::ReadWrite } else { Access::ReadOnly };
        let mut idle = lock(&self.idle);
        let mut old = Vec::new();
        let taken = loop {
            let at = idle.iter().rposition(|it| it.access == wanted).or(idle.len().checked_sub(1));
            let Some(at) = at else { break None };
            let candidate = idle.remove(at);
            if self.is_old(candidate.born) { old.push(candidate.connection) } else { break Some(candidate) }
        };
        drop(idle);
        for connection in old {
            self.connector.figures().pool(PoolEvent::Recycled);
            self.close_later(connection);
        }
        taken
    }

    async fn connect(&self, last: &mut Option<sqlx::Error>) -> Result<Idle, AcquireError> {
        for attempt in 1.. {
            match self.connector.connect().await {
                Ok(connection) => {
                    return Ok(Idle { connection, born: Instant::now(), access: Access::ReadOnly });
                }
                Err(error) => {
                    let Some(home) = self.connector.home().filter(|_| may_connect_later(&error)) else {
                        return Err(AcquireError::Database(error));
                    };
                    *last = Some(error);
                    let longest = KNOCKING.ceiling(attempt);
                    let rest = rand::rng().random_range(longest / 2..=longest);
                    home.sleep(rest).await;
                }
            }
        }
        unreachable!("attempts never end")
    }

    fn put(&self, idle: Idle) {
        let figures = self.connector.figures();
        if self.closed.load(Ordering::Acquire) {
            return self.close_later(idle.connection);
        }
        if self.is_old(idle.born) {
            figures.pool(PoolEvent::Recycled);
            return self.close_later(idle.connection);
        }
        let mut resting = lock(&self.idle);
        if resting.len() < self.limits.kept {
            resting.push(idle);
        } else {
            drop(resting);
            figures.pool(PoolEvent::Closed);
            self.close_later(idle.connection);
        }
    }

    fn is_old(&self, born: Instant) -> bool {
        self.limits.recycle.is_some_and(|limit| born.elapsed() >= limit)
    }

    /// Says goodbye to the server, where there is one; nobody waits for it.
    fn close_later(&self, connection: Connection) {
        if let Some(home) = self.connector.home() {
            home.spawn(async move { drop(connection.close().await) });
        }
    }
}
