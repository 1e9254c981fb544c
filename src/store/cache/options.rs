//! How a cache is configured.

use std::fmt;
use std::time::Duration;

use crate::resilience::{Backoff, BreakerOptions, InvalidOptions, Jitter, Time, Window};

/// How a [`QueryCache`](super::QueryCache) is configured.
#[derive(Clone)]
pub struct CacheOptions {
    /// The bound of the memory layer, in bytes, bookkeeping included (estimated at 256 bytes a result and 24 a tag);
    /// 0 keeps nothing. Results under way to it may be beyond it. Default: 64 MiB.
    pub memory_bytes: u64,
    /// A result that takes more bytes than this is not kept, in neither layer; up to 64 MiB. Default: 1 MiB.
    pub largest_value_bytes: usize,
    /// How long a result is served that does not say so itself. Default: 60 s.
    pub ttl: Duration,
    /// How long a query waits for another's load of the same before it loads by itself; from 1 ms. It bounds what a
    /// loader that hangs, or whose runtime stands still, does to others. Default: 10 s.
    pub longest_wait: Duration,
    /// The key of all fingerprints. Processes that share a Redis need the same. With it nobody else can tell from a key
    /// in Redis which statement and which parameters it stands for, nor make a value that is taken for ours.
    /// Default: none, which whoever knows the parameters can compute.
    pub secret: Option<[u8; 16]>,
    /// What the age of results is measured with. Default: real time.
    pub time: Time,
    /// The layer that processes share. Default: none; then each process has only its memory, and does not hear of the
    /// others' invalidations.
    pub redis: Option<RedisOptions>,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            largest_value_bytes: 1 << 20,
            ttl: Duration::from_secs(60),
            longest_wait: Duration::from_secs(10),
            secret: None,
            time: Time::real(),
            redis: None,
        }
    }
}

impl CacheOptions {
    pub(super) fn validate(&self) -> Result<(), CacheOpenError> {
        let bounds = [
            (self.largest_value_bytes <= 64 << 20, "largest_value_bytes", "at most 64 MiB"),
            (self.longest_wait >= Duration::from_millis(1), "longest_wait", "at least 1 ms"),
        ];
        let of_redis = self.redis.as_ref().map(RedisOptions::bounds);
        match bounds.into_iter().chain(of_redis.into_iter().flatten()).find(|(right, ..)| !right) {
            Some((_, option, bounds)) => Err(CacheOpenError::Option { option, bounds }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("memory_bytes", &self.memory_bytes)
            .field("largest_value_bytes", &self.largest_value_bytes)
            .field("ttl", &self.ttl)
            .field("longest_wait", &self.longest_wait)
            .field("secret", &self.secret.map(|_| ".."))
            .field("redis", &self.redis)
            .finish_non_exhaustive()
    }
}

/// The Redis layer. A single server of version 6 or newer; not a cluster, whose keys cannot be read together.
///
/// A failover to a replica that lags loses what it had not heard yet, invalidations included: then values are served
/// until their time to live is over.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[user:password@]host:port/[database]`, or `rediss://` for TLS.
    pub url: String,
    /// What all its keys begin with, so that deployments can share a server; 1 to 64 bytes. Default: `statim`.
    pub namespace: String,
    /// How long one question may take before it counts as unanswered, from 1 ms to 10 s. A query asks two at most.
    /// Default: 50 ms.
    pub timeout: Duration,
    /// How long connecting may take, from 1 ms to a minute. Queries do not wait for it longer than `timeout`.
    /// Default: 2 s.
    pub connect_timeout: Duration,
    /// How long a result in memory is served without asking Redis whether another process has invalidated it. With zero
    /// each hit asks (a trip to Redis, without moving the value), and no process serves what another has invalidated. With
    /// more, hits ask nobody, and another process's invalidation is seen that much later at most.
    /// Default: zero.
    pub trust: Duration,
    /// The same while Redis does not answer: then nobody hears of invalidations, and this is how old they get. Zero:
    /// every query loads while Redis is away. Default: 1 s.
    pub trust_unreachable: Duration,
    /// Questions under way at a time, from 1 to 65,536; beyond it queries do without Redis. Default: 1,024.
    pub most_in_flight: u32,
    /// When Redis is not asked any more. Default: at least half of the last 20 questions failed, of at least 5; for
    /// 0.5 s at first, up to 5 s, and one probe decides.
    pub breaker: BreakerOptions,
}

impl RedisOptions {
    /// The defaults, with this URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "statim".into(),
            timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_secs(2),
            trust: Duration::ZERO,
            trust_unreachable: Duration::from_secs(1),
            most_in_flight: 1024,
            breaker: BreakerOptions {
                window: Window::Calls(20),
                minimum_calls: Some(5),
                failure_rate: 0.5,
                slow_call_rate: None,
                open: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(5))
                    .jitter(Jitter::Equal),
                probes: 1,
                ..BreakerOptions::default()
            },
        }
    }

    fn bounds(&self) -> [(bool, &'static str, &'static str); 4] {
        let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
        [
            ((1..=64).contains(&self.namespace.len()), "redis.namespace", "1 to 64 bytes"),
            ((millisecond..=second * 10).contains(&self.timeout), "redis.timeout", "1 ms to 10 s"),
            (
                (millisecond..=second * 60).contains(&self.connect_timeout),
                "redis.connect_timeout",
                "1 ms to 60 s",
            ),
            ((1..=65_536).contains(&self.most_in_flight), "redis.most_in_flight", "1 to 65,536"),
        ]
    }
}

impl fmt::Debug for RedisOptions {
    /// Without the URL, which may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("trust", &self.trust)
            .field("trust_unreachable", &self.trust_unreachable)
            .field("most_in_flight", &self.most_in_flight)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

/// Why a cache could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheOpenError {
    /// An option is out of its bounds.
    #[error("the option {option} of the query cache must be {bounds}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What would be right.
        bounds: &'static str,
    },
    /// The options of the breaker are wrong.
    #[error("the circuit breaker of the query cache's Redis")]
    Breaker(#[from] InvalidOptions),
    /// The URL of Redis cannot be understood. It is not shown, for it may have a password in it.
    #[error(
        "the URL of the query cache's Redis is not redis://[user:password@]host:port/[database], nor rediss://"
    )]
    Url,
    /// The thread of the Redis layer could not be started.
    #[error("cannot start the query cache's thread")]
    Thread(#[source] std::io::Error),
}
