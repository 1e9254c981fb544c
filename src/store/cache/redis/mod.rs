//! The second layer: Redis, which processes share.
//!
//! Everything that touches a socket or a timer runs on a thread with a Tokio runtime of its own: sockets belong to the
//! runtime they were opened on, and an agent's may be busy, or end. Callers wait for the tasks there, with nothing of
//! their own runtime.
//!
//! A value is at `NAMESPACE:v1:FINGERPRINT`, the generation of a tag at `NAMESPACE:t1:FINGERPRINT`. Nothing depends
//! on two keys being read or written at one moment. A value carries the generations it was loaded under, and whoever
//! reads it compares them with the generations read *after* he began. A generation is random, so that one that Redis
//! lost does not come back, and a tag without one validates nothing.

mod ask;
mod connection;
mod publish;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use redis::{Client, ErrorKind, RedisError, RedisResult};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::connection::Connection;
use super::key::Print;
use super::options::{CacheOpenError, RedisOptions};
use super::stats::Stats;
use crate::resilience::{CircuitBreaker, Environment, Outcome, OwnedPermit};

pub(super) use self::ask::Asked;
pub(super) use self::publish::Mark;
use self::publish::Unpublished;

/// Redis did not answer, or was not asked. Why is in the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// The Redis layer of one cache.
pub(super) struct Shared {
    runtime: Handle,
    connection: Connection,
    breaker: CircuitBreaker,
    in_flight: Arc<Semaphore>,
    namespace: String,
    timeout: Duration,
    largest_value_bytes: usize,
    trust: Duration,
    trust_unreachable: Duration,
    unpublished: Mutex<Unpublished>,
    /// Tasks that `settle` waits for.
    unsettled: AtomicU64,
    stats: Arc<Stats>,
}

/// The thread of the layer. Dropped, it ends, and whatever it was doing with it.
pub(super) struct Thread {
    _stop: oneshot::Sender<()>,
}

impl Shared {
    pub(super) fn start(
        options: &RedisOptions,
        largest_value_bytes: usize,
        stats: &Arc<Stats>,
    ) -> Result<(Arc<Self>, Thread), CacheOpenError> {
        let breaker = CircuitBreaker::new("query-cache-redis", &options.breaker, &Environment::default())?;
        // The error would quote the URL.
        let client = Client::open(options.url.as_str()).map_err(|_| CacheOpenError::Url)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(CacheOpenError::Thread)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("statim-cache".into())
            // It ends with an error, when the sender is dropped; either way it is over.
            .spawn(move || drop(runtime.block_on(stopped)))
            .map_err(CacheOpenError::Thread)?;
        let shared = Self {
            runtime: handle,
            connection: Connection::new(client, options),
            breaker,
            in_flight: Arc::new(Semaphore::new(options.most_in_flight as usize)),
            namespace: options.namespace.clone(),
            timeout: options.timeout,
            largest_value_bytes,
            trust: options.trust,
            trust_unreachable: options.trust_unreachable,
            unpublished: Mutex::default(),
            unsettled: AtomicU64::new(0),
            stats: Arc::clone(stats),
        };
        Ok((Arc::new(shared), Thread { _stop: stop }))
    }

    pub(super) fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    pub(super) fn trust(&self) -> Duration {
        self.trust
    }

    pub(super) fn trust_unreachable(&self) -> Duration {
        self.trust_unreachable
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.unpublished.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until nothing is on its way to Redis any more.
    pub(super) async fn settle(self: &Arc<Self>, within: Duration) -> bool {
        let shared = Arc::clone(self);
        let settled = self.runtime.spawn(tokio::time::timeout(within, async move {
            while shared.unsettled.load(Ordering::SeqCst) > 0 || shared.undelivered() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }));
        matches!(settled.await, Ok(Ok(())))
    }

    fn name_of_value(&self, name: Print) -> String {
        format!("{}:v1:{name}", self.namespace)
    }

    fn name_of_tag(&self, tag: Print) -> String {
        format!("{}:t1:{tag}", self.namespace)
    }

    /// The leave to ask one question: a place among those under way, and the breaker's permit.
    fn leave(&self) -> Result<Leave, NoAnswer> {
        let place = Arc::clone(&self.in_flight).try_acquire_owned().ok();
        // In this order: a permit that is not used would count as a failure.
        let permit = place.and_then(|place| Some((place, self.breaker.try_acquire_owned().ok()?)));
        match permit {
            Some((place, permit)) => Ok(Leave { permit, _place: place }),
            None => {
                self.stats.redis_refused.add(1);
                Err(NoAnswer)
            }
        }
    }

    /// One question within the time it may take. On the layer's own thread only.
    async fn within_time<T>(
        &self,
        Leave { permit, _place }: Leave,
        question: impl AsyncFnOnce(&mut redis::aio::ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, NoAnswer> {
        let asking = async {
            let mut connection = self.connection.get(&self.runtime).await?;
            question(&mut connection).await
        };
        match tokio::time::timeout(self.timeout, asking).await {
            Ok(Ok(answer)) => {
                permit.success();
                Ok(answer)
            }
            Ok(Err(error)) => {
                permit.settle(self.judge(&error));
                Err(NoAnswer)
            }
            Err(_) => {
                self.stats.redis_timeouts.add(1);
                // Its answers may come hours later, or never, if the other side is gone without a word.
                self.connection.give_up();
                permit.settle(Outcome::TimedOut);
                Err(NoAnswer)
            }
        }
    }

    fn judge(&self, error: &RedisError) -> Outcome {
        if error.is_timeout() {
            self.stats.redis_timeouts.add(1);
        } else {
            self.stats.redis_errors.add(1);
        }
        // The category is one of a fixed set of words; the rest may quote what was sent.
        tracing::debug!(category = error.category(), "the query cache's Redis failed");
        if !is_refusal(error) {
            self.connection.give_up();
        }
        Outcome::Failure
    }

    /// Counts a task that `settle` waits for, until the guard is dropped.
    fn unsettled(self: &Arc<Self>) -> impl Drop + Send + use<> {
        struct Guard(Arc<Shared>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.unsettled.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.unsettled.fetch_add(1, Ordering::SeqCst);
        Guard(Arc::clone(self))
    }
}

struct Leave {
    permit: OwnedPermit,
    _place: OwnedSemaphorePermit,
}

/// Whether Redis said no, in its own words, and the connection is as good as before.
fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
