//! What a caller says of a query.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Inner;
use super::codec;
use super::key::{Print, QueryKey};
use super::passage::Passage;
use super::tags::Tags;

/// A query about to be answered from the cache. Made by [`QueryCache::query`](super::QueryCache::query).
#[must_use = "nothing is asked before get_or_load"]
pub struct CachedQuery<'a> {
    cache: &'a Inner,
    key: QueryKey,
    tags: Vec<Print>,
    ttl: Duration,
    nothing_ttl: Duration,
}

impl<'a> CachedQuery<'a> {
    pub(super) fn new(cache: &'a Inner, key: QueryKey) -> Self {
        let tags = vec![cache.namer.everything()];
        Self { cache, key, tags, ttl: cache.options.ttl, nothing_ttl: Duration::ZERO }
    }

    /// The result depends on this: when the tag is invalidated, so is the result. The same query under other tags is
    /// another one.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(self.cache.namer.tag(tag));
        self
    }

    /// The result depends on all of these; at most 65,000 tags in all, or it is not kept.
    pub fn tags<'t>(mut self, tags: impl IntoIterator<Item = &'t str>) -> Self {
        self.tags.extend(tags.into_iter().map(|tag| self.cache.namer.tag(tag)));
        self
    }

    /// How long the result may be served, counted from before it is loaded. Zero: it is shared with those who ask at
    /// the same time, and not kept. Default: [`CacheOptions::ttl`](super::CacheOptions::ttl).
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Keeps also the answer that there is nothing (`None` or `()`), and for how long. Without this it is not kept, and
    /// what comes to be is seen at once. A list without elements is not nothing.
    pub fn keep_nothing(mut self, ttl: Duration) -> Self {
        self.nothing_ttl = ttl;
        self
    }

    /// The result, from memory, from Redis, or from `load`, which is called at most once, by this task.
    ///
    /// Of all callers who ask for the same at the same time one loads. The others wait for it at most
    /// [`CacheOptions::longest_wait`](super::CacheOptions::longest_wait). `load` must not ask for the very same itself.
    /// A result that cannot be serialised, or takes more bytes than
    /// [`CacheOptions::largest_value_bytes`](super::CacheOptions::largest_value_bytes), is returned and not kept.
    ///
    /// Must be called in a Tokio runtime with timers; which one is no matter.
    ///
    /// # Errors
    ///
    /// The loader's, and no other. Those who waited for a load that failed get the same error; none is kept.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: `load` is dropped where it is, nothing is kept, and one of those who wait loads instead.
    pub async fn get_or_load<T, E, F, Fut>(self, load: F) -> Result<T, Arc<E>>
    where
        T: Serialize + DeserializeOwned,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let Self { cache, key, tags, ttl, nothing_ttl } = self;
        let tags = Tags::new(&cache.tags, tags);
        if !key.is_whole() || tags.prints().len() > codec::MOST_TAGS {
            cache.stats.unkeyed.add(1);
            return cache.load(load).await;
        }
        let name = cache.namer.result(&key, type_name::<T>(), tags.prints());
        let passage = Passage { cache, name, ttl, nothing_ttl, start: cache.sequence.next() };
        passage.go(tags, load).await
    }
}

impl fmt::Debug for CachedQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedQuery")
            .field("tags", &self.tags.len())
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
