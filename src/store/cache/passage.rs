//! The way of one query through the cache: memory, those who ask for the same, Redis, the loader.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Inner;
use super::codec::{self, Generation};
use super::entry::Entry;
use super::flight::{Landed, Lead, Turn};
use super::key::Print;
use super::redis::{Asked, NoAnswer, Shared};
use super::tags::{Captured, Tags};
use crate::clock::Nanos;

/// One query on its way.
pub(super) struct Passage<'a> {
    pub(super) cache: &'a Inner,
    pub(super) name: Print,
    pub(super) ttl: Duration,
    pub(super) nothing_ttl: Duration,
    /// Orders it among the questions to Redis.
    pub(super) start: u64,
}

impl<'a> Passage<'a> {
    pub(super) async fn go<T, E, F, Fut>(self, tags: Tags, load: F) -> Result<T, Arc<E>>
    where
        T: Serialize + DeserializeOwned,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let cache = self.cache;
        if let Some(entry) = self.in_memory().await
            && self.is_late_enough(&entry)
            && let Some(value) = codec::decode(&entry.payload)
        {
            cache.stats.memory_hits.add(1);
            return Ok(value);
        }
        let at_start = tags.capture();
        let mut waited = false;
        loop {
            let waiting = match cache.flights.join(self.name) {
                Turn::Lead(lead) => return self.lead(lead, tags, load).await,
                Turn::Wait(waiting) => waiting,
            };
            let Ok(landed) = tokio::time::timeout(cache.options.longest_wait, waiting.landed()).await else {
                cache.stats.impatient.add(1);
                return cache.load(load).await;
            };
            match landed {
                // An invalidation while we waited is one we may or may not know of: better not to serve what it made
                // invalid, but no more than once, or invalidations without end would keep us here.
                Some(Landed::Result(entry))
                    if self.is_late_enough(&entry)
                        && (entry.captured.is_current()
                            || (waited && entry.captured.is_no_older_than(&at_start))) =>
                {
                    if let Some(value) = codec::decode(&entry.payload) {
                        cache.stats.shared.add(1);
                        return Ok(value);
                    }
                }
                Some(Landed::Failed(error)) => {
                    // Another type of error is another caller's; ours is whatever our own loader says.
                    if let Ok(error) = error.downcast::<E>() {
                        cache.stats.shared.add(1);
                        return Err(error);
                    }
                }
                // Or the leader is gone: one of us takes over.
                Some(Landed::Result(_) | Landed::Unshared) | None => {}
            }
            waited = true;
        }
    }

    /// Answers for all who wait: asks both layers, and loads if neither has it.
    async fn lead<T, E, F, Fut>(self, lead: Lead<'_>, tags: Tags, load: F) -> Result<T, Arc<E>>
    where
        T: Serialize + DeserializeOwned,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let cache = self.cache;
        let found = match self.look(&tags).await {
            Looked::Found(entry, value) => {
                lead.land(Landed::Result(entry));
                return Ok(value);
            }
            Looked::Missing(found) => found,
        };
        cache.stats.memory_misses.add(1);
        let value = match cache.load(load).await {
            Ok(value) => value,
            Err(error) => {
                lead.land(Landed::Failed(Arc::clone(&error) as _));
                return Err(error);
            }
        };
        let landed = match codec::encode(&value) {
            Some(payload) => Landed::Result(self.keep(found, payload).await),
            None => Landed::Unshared,
        };
        lead.land(landed);
        Ok(value)
    }

    /// Asks memory, and Redis.
    async fn look<T: DeserializeOwned>(&self, tags: &Tags) -> Looked<T> {
        let cache = self.cache;
        // The order is the promise: first the generations, then the questions, then the load.
        let missing = Missing {
            captured: tags.capture(),
            since: cache.options.time.now(),
            asked: cache.sequence.next(),
            remote: None,
        };
        let in_memory = self.in_memory().await;
        let Some(redis) = &cache.redis else {
            return match in_memory.and_then(Looked::in_memory) {
                Some(found) => {
                    cache.stats.memory_hits.add(1);
                    found
                }
                None => Looked::Missing(missing),
            };
        };
        if let Some(entry) = in_memory {
            match self.confirm(redis, &missing, tags, &entry).await {
                Some(true) => {
                    if let Some(found) = Looked::in_memory(entry) {
                        cache.stats.memory_hits.add(1);
                        return found;
                    }
                }
                Some(false) => {}
                None => return Looked::Missing(missing),
            }
        }
        self.fetch(redis, missing, tags).await
    }

    /// Whether a result from memory may be served; `None` if not, and Redis does not answer.
    async fn confirm(
        &self,
        redis: &Arc<Shared>,
        missing: &Missing,
        tags: &Tags,
        entry: &Entry,
    ) -> Option<bool> {
        let cache = self.cache;
        if self.is_late_enough(entry) {
            return Some(true);
        }
        match self.ask(redis, missing, tags, None).await {
            Ok(asked) if asked.generations.is_some() && asked.generations == entry.remote => {
                entry.confirm((missing.since, missing.asked));
                cache.stats.confirmed.add(1);
                Some(true)
            }
            Ok(_) => {
                // Without generations it was loaded while Redis was away, and is not known to be stale.
                cache.stats.stale.add(entry.remote.is_some().into());
                Some(false)
            }
            Err(NoAnswer) => {
                let trusted = entry.is_younger_than(redis.trust_unreachable(), missing.since);
                if trusted {
                    entry.asked_in_vain(missing.asked);
                    cache.stats.unconfirmed.add(1);
                }
                trusted.then_some(true)
            }
        }
    }

    async fn fetch<T: DeserializeOwned>(
        &self,
        redis: &Arc<Shared>,
        mut missing: Missing,
        tags: &Tags,
    ) -> Looked<T> {
        let stats = &self.cache.stats;
        let Ok(Asked { generations, stored }) = self.ask(redis, &missing, tags, Some(self.name)).await else {
            return Looked::Missing(missing);
        };
        missing.remote = generations;
        let Some((stored, left)) = stored else {
            stats.redis_misses.add(1);
            return Looked::Missing(missing);
        };
        let Some((generations, payload)) = codec::from_stored(&self.cache.namer, self.name, &stored) else {
            stats.redis_misses.add(1);
            stats.corrupt.add(1);
            return Looked::Missing(missing);
        };
        if missing.remote.as_deref() != Some(generations.as_slice()) {
            stats.redis_misses.add(1);
            stats.stale.add(1);
            return Looked::Missing(missing);
        }
        let Some(value) = codec::decode(payload) else {
            stats.redis_misses.add(1);
            stats.corrupt.add(1);
            return Looked::Missing(missing);
        };
        stats.memory_misses.add(1);
        stats.redis_hits.add(1);
        let entry = Arc::new(missing.into_entry(payload.into(), left.min(self.longest_ttl(payload))));
        self.cache.memory.insert(self.name, Arc::clone(&entry)).await;
        Looked::Found(entry, value)
    }

    /// Asks Redis, unless it has yet to hear of an invalidation: what it says of the tag is then of the past.
    async fn ask(
        &self,
        redis: &Arc<Shared>,
        missing: &Missing,
        tags: &Tags,
        value: Option<Print>,
    ) -> Result<Asked, NoAnswer> {
        if missing.captured.is_ahead_of_redis() {
            return Err(NoAnswer);
        }
        redis.ask(value, Arc::clone(tags.prints()), self.ttl.max(self.nothing_ttl)).await
    }

    /// Keeps what was loaded, in both layers, as far as it is to be kept.
    async fn keep(&self, missing: Missing, payload: Vec<u8>) -> Arc<Entry> {
        let cache = self.cache;
        let ttl = self.longest_ttl(&payload);
        let entry = Arc::new(missing.into_entry(payload.into(), ttl));
        let now = cache.options.time.now();
        if entry.payload.len() > cache.options.largest_value_bytes {
            cache.stats.too_large.add(1);
        } else if entry.is_valid(now) {
            cache.memory.insert(self.name, Arc::clone(&entry)).await;
            if let (Some(redis), Some(generations)) = (&cache.redis, &entry.remote) {
                let stored = codec::to_stored(&cache.namer, self.name, generations, &entry.payload);
                let left = ttl.saturating_sub(Duration::from_nanos(now.since(entry.since)));
                redis.keep(self.name, stored, left);
            }
        }
        entry
    }

    fn longest_ttl(&self, payload: &[u8]) -> Duration {
        if codec::is_nothing(payload) { self.nothing_ttl } else { self.ttl }
    }

    /// What memory has and this process knows nothing against.
    async fn in_memory(&self) -> Option<Arc<Entry>> {
        let entry = self.cache.memory.get(self.name).await?;
        entry.is_valid(self.cache.options.time.now()).then_some(entry)
    }

    /// Whether Redis was asked about it late enough for this query; without Redis there is nobody to ask.
    fn is_late_enough(&self, entry: &Entry) -> bool {
        self.cache.redis.as_ref().is_none_or(|redis| {
            entry.was_asked_after(self.start)
                || entry.was_confirmed_within(redis.trust(), self.cache.options.time.now())
        })
    }
}

/// What both layers said.
enum Looked<T> {
    Found(Arc<Entry>, T),
    Missing(Missing),
}

impl<T: DeserializeOwned> Looked<T> {
    fn in_memory(entry: Arc<Entry>) -> Option<Self> {
        codec::decode(&entry.payload).map(|value| Self::Found(entry, value))
    }
}

/// What has to be known from before the load to keep its result.
struct Missing {
    captured: Captured,
    since: Nanos,
    asked: u64,
    remote: Option<Box<[Generation]>>,
}

impl Missing {
    fn into_entry(self, payload: Arc<[u8]>, ttl: Duration) -> Entry {
        Entry::new(payload, self.captured, self.remote, (self.since, self.asked), ttl)
    }
}

impl Inner {
    /// Calls a loader.
    pub(super) async fn load<T, E, F, Fut>(&self, load: F) -> Result<T, Arc<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.stats.loads.add(1);
        let since = self.options.time.now();
        let loaded = load().await;
        self.stats.load_nanos.add(self.options.time.now().since(since));
        loaded.map_err(|error| {
            self.stats.load_errors.add(1);
            Arc::new(error)
        })
    }
}
