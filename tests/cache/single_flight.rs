//! One load for all who ask at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use statim::store::cache::{CacheOptions, QueryCache, QueryKey};
use tokio::sync::Semaphore;

use crate::support::{in_memory, on_a_runtime, until};

/// A load that waits for a sign, and counts.
#[derive(Clone)]
struct Slow {
    begun: Arc<AtomicU64>,
    signs: Arc<Semaphore>,
}

impl Slow {
    fn new() -> Self {
        Self { begun: Arc::default(), signs: Arc::new(Semaphore::new(0)) }
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// Lets so many loads end.
    fn release(&self, loads: usize) {
        self.signs.add_permits(loads);
    }

    async fn load(&self) -> Result<u64, String> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        self.signs.acquire().await.unwrap().forget();
        Ok(number)
    }

    async fn through(&self, cache: &QueryCache) -> Result<u64, Arc<String>> {
        cache.query(QueryKey::new("slow")).tag("slow").get_or_load(|| self.load()).await
    }

    fn spawn(&self, cache: &QueryCache) -> tokio::task::JoinHandle<Result<u64, Arc<String>>> {
        let (slow, cache) = (self.clone(), cache.clone());
        tokio::spawn(async move { slow.through(&cache).await })
    }
}

async fn let_everybody_run() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_thousand_callers_load_once() {
    on_a_runtime(async {
        let (cache, slow) = (in_memory(), Slow::new());
        let callers: Vec<_> = (0..1000).map(|_| slow.spawn(&cache)).collect();
        let_everybody_run().await;
        slow.release(1);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Ok(1));
        }
        assert_eq!(slow.begun(), 1);
        let snapshot = cache.snapshot();
        assert_eq!((snapshot.loads.shared, snapshot.memory.misses, snapshot.queries), (999, 1, 1000));
    });
}

#[test]
fn threads_that_race_load_once() {
    let cache = in_memory();
    let loads = AtomicU64::new(0);
    for round in 0..200_u64 {
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    on_a_runtime(async {
                        let query = cache.query(QueryKey::new("race").bind(&round));
                        let load = || async {
                            loads.fetch_add(1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                            Ok::<_, String>(round)
                        };
                        assert_eq!(query.get_or_load(load).await, Ok(round));
                    });
                });
            }
        });
        assert_eq!(loads.load(Ordering::SeqCst), round + 1);
    }
}

#[test]
fn a_cancelled_loader_lets_another_take_over() {
    on_a_runtime(async {
        let (cache, slow) = (in_memory(), Slow::new());
        let first = slow.spawn(&cache);
        let_everybody_run().await;
        let others: Vec<_> = (0..10).map(|_| slow.spawn(&cache)).collect();
        let_everybody_run().await;
        assert_eq!(slow.begun(), 1);
        first.abort();
        let_everybody_run().await;
        assert_eq!(slow.begun(), 2, "one takes over, and only one");
        slow.release(1);
        for other in others {
            assert_eq!(other.await.unwrap(), Ok(2));
        }
    });
}

#[test]
fn a_panicking_loader_lets_another_take_over() {
    on_a_runtime(async {
        let (cache, slow) = (in_memory(), Slow::new());
        let gate = Arc::new(Semaphore::new(0));
        let panicking = tokio::spawn({
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            async move {
                let load = || async move {
                    gate.acquire().await.unwrap().forget();
                    if true {
                        panic!("a loader's own fault");
                    }
                    Ok::<u64, String>(0)
                };
                cache.query(QueryKey::new("slow")).tag("slow").get_or_load(load).await
            }
        });
        let_everybody_run().await;
        let others: Vec<_> = (0..10).map(|_| slow.spawn(&cache)).collect();
        let_everybody_run().await;
        assert_eq!(slow.begun(), 0);
        gate.add_permits(1);
        assert!(panicking.await.unwrap_err().is_panic());
        slow.release(1);
        for other in others {
            assert_eq!(other.await.unwrap(), Ok(1));
        }
    });
}

#[test]
fn an_error_goes_to_all_who_waited_and_is_not_kept() {
    on_a_runtime(async {
        let cache = in_memory();
        let (loads, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (cache, loads, gate) = (cache.clone(), Arc::clone(&loads), Arc::clone(&gate));
                tokio::spawn(async move {
                    let load = || async move {
                        loads.fetch_add(1, Ordering::SeqCst);
                        gate.acquire().await.unwrap().forget();
                        Err::<u64, _>("the database is down".to_owned())
                    };
                    cache.query(QueryKey::new("slow")).tag("slow").get_or_load(load).await
                })
            })
            .collect();
        let_everybody_run().await;
        gate.add_permits(1);
        for caller in callers {
            assert_eq!(*caller.await.unwrap().unwrap_err(), "the database is down");
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        let slow = Slow::new();
        slow.release(1);
        assert_eq!(slow.through(&cache).await, Ok(1));
    });
}

#[test]
fn who_waits_too_long_loads_by_itself() {
    on_a_runtime(async {
        let longest_wait = Duration::from_millis(20);
        let cache = QueryCache::open(CacheOptions { longest_wait, ..CacheOptions::default() }).unwrap();
        let hanging = Slow::new();
        let stuck = hanging.spawn(&cache);
        until("the load has begun", async || hanging.begun() == 1).await;
        let quick = Slow::new();
        quick.release(1);
        assert_eq!(quick.through(&cache).await, Ok(1));
        assert_eq!(cache.snapshot().loads.impatient, 1);
        hanging.release(1);
        assert_eq!(stuck.await.unwrap(), Ok(1));
    });
}
