//! The query cache: results of queries, kept in memory and, when configured, in Redis.
//!
//! ```
//! # use std::time::Duration;
//! # use statim::store::cache::{CacheOptions, QueryCache, QueryKey};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Study { title: String }
//! # async fn from_database(id: &str) -> Result<Study, std::io::Error> { Ok(Study { title: id.to_owned() }) }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let cache = QueryCache::open(CacheOptions::default())?;
//! let study: Study = cache
//!     .query(QueryKey::new("SELECT * FROM studies WHERE id = ?").bind("NCT00000102"))
//!     .tag("study:NCT00000102")
//!     .ttl(Duration::from_secs(60))
//!     .get_or_load(|| from_database("NCT00000102"))
//!     .await?;
//! // … and after the commit that changes it:
//! cache.invalidate("study:NCT00000102").await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! * **No value from before an invalidation after it.** A query that begins after [`QueryCache::invalidate`] has
//!   returned does not get a value whose loading began before, neither from this process's memory nor from Redis, nor
//!   from a load that was under way. Tags have generations: a value is kept with the generations its tags had
//!   *before* it was loaded, and served only while they are the same. So there is nothing to delete, and nothing that
//!   a late fill could put back. [`Invalidation`] says whether other processes are included.
//! * **One load** for all who ask for the same at the same time. If whoever loads is cancelled or panics, another takes
//!   over; if its loader fails, those who waited get the same error, and nothing is kept.
//! * **Redis costs hits, never errors**, and a bounded delay: dead, hung, out of memory, or answering nonsense. One
//!   question to it takes [`RedisOptions::timeout`] at most; a query waits for two of its own at most, and for two of
//!   another query that it shares the result of. After some failures the circuit breaker takes the delay away.
//! * **Bytes are bounded**: [`CacheOptions::memory_bytes`] for all, [`CacheOptions::largest_value_bytes`] for one.
//! * **Names stay here.** Redis and the log see fingerprints of statements, parameters and tags. The values themselves
//!   are in Redis as they are: treat it as you treat the database.
//!
//! # How it is built
//!
//! `tags` has the generations, `entry` a value with those it was loaded under, `memory` the first layer (moka), `redis`
//! the second, `flight` the single flight, and `passage` the way of one query through all of them.
//!
//! # Several runtimes, and time
//!
//! The cache belongs to no Tokio runtime: sockets and timers of the Redis layer live on a thread of their own, and
//! answers come back over channels, so that any number of runtimes may use one cache, and outlive each other. A query
//! needs a Tokio runtime with timers only to limit its wait for another's load. The age of values is measured by
//! [`CacheOptions::time`], which may be virtual; what concerns Redis happens in real time.

mod codec;
mod entry;
mod flight;
mod key;
mod memory;
mod options;
mod passage;
mod query;
mod redis;
mod stats;
mod tags;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::flight::Flights;
use self::key::Namer;
use self::memory::Memory;
use self::redis::{Mark, Shared, Thread};
use self::stats::Stats;
use self::tags::{Sequence, TagTable};

pub use self::key::QueryKey;
pub use self::options::{CacheOpenError, CacheOptions, RedisOptions};
pub use self::query::CachedQuery;
pub use self::stats::{CacheSnapshot, LayerSnapshot, LoadSnapshot, RedisSnapshot};

/// How far an invalidation has come when [`QueryCache::invalidate`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "another process may not know yet"]
pub enum Invalidation {
    /// Everywhere this cache reaches: this process, and through Redis, if there is one, all others.
    Complete,
    /// This process only. Redis could not be told yet; it will be, as soon as it answers, as long as this cache lives.
    /// Until then this process does not ask Redis about these tags, and other processes may serve what they have until
    /// its time to live is over.
    HereOnly,
}

/// A cache of query results. A clone is another handle on the same one.
#[derive(Clone)]
pub struct QueryCache {
    inner: Arc<Inner>,
}

struct Inner {
    options: CacheOptions,
    namer: Namer,
    tags: TagTable,
    memory: Memory,
    flights: Flights,
    /// Orders queries and questions to Redis.
    sequence: Sequence,
    redis: Option<Arc<Shared>>,
    /// Ends the thread of the Redis layer when the cache ends.
    _thread: Option<Thread>,
    stats: Arc<Stats>,
}

impl QueryCache {
    /// An empty cache. Redis, if there is one, is not asked before the first query; it may be dead.
    ///
    /// # Errors
    ///
    /// [`CacheOpenError`]: an option is out of its bounds, the URL of Redis is no good, or its thread cannot be
    /// started.
    pub fn open(options: CacheOptions) -> Result<Self, CacheOpenError> {
        options.validate()?;
        let stats = Arc::new(Stats::default());
        let (redis, thread) = match &options.redis {
            Some(redis) => {
                let (shared, thread) = Shared::start(redis, options.largest_value_bytes, &stats)?;
                (Some(shared), Some(thread))
            }
            None => (None, None),
        };
        let inner = Inner {
            namer: Namer::new(options.secret),
            tags: TagTable::default(),
            memory: Memory::new(options.memory_bytes, &stats),
            flights: Flights::default(),
            sequence: Sequence::default(),
            redis,
            _thread: thread,
            stats,
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A query whose result is cached; say under which tags and for how long, then
    /// [`get_or_load`](CachedQuery::get_or_load).
    pub fn query(&self, key: QueryKey) -> CachedQuery<'_> {
        CachedQuery::new(&self.inner, key)
    }

    /// Makes every result with this tag invalid. Call it when the change is committed, not before: a query between the
    /// two would load the old rows again.
    ///
    /// Takes as long as Redis needs to answer, at most [`RedisOptions::timeout`]; without Redis no time. In this
    /// process it is done at the first poll.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe once polled: what is left is done by the cache's own thread.
    pub async fn invalidate(&self, tag: &str) -> Invalidation {
        self.invalidate_all_of([tag]).await
    }

    /// Makes every result invalid that has one of these tags; one trip to Redis for all.
    ///
    /// # Cancel safety
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_all_of<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Invalidation {
        let prints: Vec<_> = tags.into_iter().map(|tag| self.inner.namer.tag(tag)).collect();
        self.inner.invalidate(&prints).await
    }

    /// Makes everything invalid.
    ///
    /// # Cancel safety
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_everything(&self) -> Invalidation {
        self.inner.invalidate(&[self.inner.namer.everything()]).await
    }

    /// Waits until Redis has what is on its way there: results to be kept, and invalidations that it could not be told
    /// before. Before a program ends, for the other processes' sake; without Redis it returns at once.
    ///
    /// Returns whether all arrived within this time.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn settle(&self, within: Duration) -> bool {
        match &self.inner.redis {
            Some(redis) => redis.settle(within).await,
            None => true,
        }
    }

    /// Figures since the cache was opened, and what it holds now.
    #[must_use]
    pub fn snapshot(&self) -> CacheSnapshot {
        let (entries, bytes) = self.inner.memory.size();
        let breaker = self.inner.redis.as_ref().map(|redis| redis.breaker().snapshot());
        let undelivered = self.inner.redis.as_ref().map_or(0, |redis| redis.undelivered());
        self.inner.stats.snapshot(entries, bytes, breaker, undelivered)
    }

    /// Reads the figures as long as somebody else holds the cache.
    pub(crate) fn watch(&self) -> impl Fn() -> Option<CacheSnapshot> + Send + Sync + 'static {
        let inner = Arc::downgrade(&self.inner);
        move || Some(Self { inner: inner.upgrade()? }.snapshot())
    }
}

impl Inner {
    async fn invalidate(&self, tags: &[key::Print]) -> Invalidation {
        self.stats.invalidations.add(tags.len() as u64);
        let Some(redis) = &self.redis else {
            // Nobody holds a value or loads one under a tag that has no cell.
            tags.iter().filter_map(|&tag| self.tags.existing(tag)).for_each(|cell| cell.invalidate());
            return Invalidation::Complete;
        };
        if tags.is_empty() {
            return Invalidation::Complete;
        }
        let mark = |&print: &key::Print| {
            let cell = self.tags.cell(print);
            // In this order: who sees the new generation sees also that Redis does not know it yet.
            cell.begin_publishing();
            cell.invalidate();
            Mark { print, cell }
        };
        match redis.publish(tags.iter().map(mark).collect(), self.namer.everything(), &self.tags).await {
            true => Invalidation::Complete,
            false => Invalidation::HereOnly,
        }
    }
}

impl fmt::Debug for QueryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryCache").field("redis", &self.inner.redis.is_some()).finish_non_exhaustive()
    }
}
