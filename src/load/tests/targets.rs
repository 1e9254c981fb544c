//! Targets that behave in a known way, most of them in virtual time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::load::*;
use crate::message::Priority;
use crate::sync::{Arc, lock};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A scenario of the target's one kind, `message`.
pub(super) fn scenario(rate: f64, seconds: u64) -> Scenario {
    let mut scenario = Scenario::new("test", rate, Duration::from_secs(seconds));
    scenario.arrivals = Arrivals::Constant;
    scenario
}

/// In virtual time, on the calling task.
pub(super) async fn run<T: Target>(scenario: Scenario, target: T) -> LoadResult {
    Load::new(scenario, target).in_place().run().await.unwrap().result
}

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind::new("message", Priority::Normal),
        Kind::new("alarm", Priority::Critical),
        Kind::new("bulk", Priority::Low),
    ]
}

/// Does to each message what a function says.
pub(super) struct Does<F>(pub(super) F);

impl<F, R> Target for Does<F>
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn kinds(&self) -> Vec<Kind> {
        kinds()
    }

    fn send(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        (self.0)(request)
    }
}

/// Ends every message at once, and remembers what it was sent and when.
#[derive(Default)]
pub(super) struct Notes(pub(super) Mutex<Vec<(Duration, Request)>>, Mutex<Option<Instant>>);

impl Notes {
    pub(super) fn take(&self) -> Vec<(Duration, Request)> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Target for Notes {
    fn kinds(&self) -> Vec<Kind> {
        // Asked for as the run begins.
        *lock(&self.1) = Some(Instant::now());
        kinds()
    }

    async fn send(&self, request: Request) -> Outcome {
        let since = lock(&self.1).map_or(Duration::ZERO, |began| began.elapsed());
        lock(&self.0).push((since, request));
        Outcome::Done
    }
}

/// Takes one message at a time, each for as long, urgent ones first; what would have to wait too long is refused.
#[derive(Clone)]
pub(super) struct Server {
    service: Duration,
    longest: Duration,
    free_at: Arc<Mutex<Option<Instant>>>,
    pub(super) handled: Arc<AtomicU64>,
}

impl Server {
    pub(super) fn new(service: Duration, longest: Duration) -> Self {
        Self { service, longest, free_at: Arc::default(), handled: Arc::default() }
    }

    /// When it has done what it has and this too; `None` if that is too late.
    fn done_at(&self, priority: Priority) -> Option<Instant> {
        let now = Instant::now();
        let mut free_at = lock(&self.free_at);
        let from = free_at.unwrap_or(now).max(now);
        if priority == Priority::Critical {
            // Past all others: they are later by it.
            *free_at = Some(from + self.service);
            return Some(now + self.service);
        }
        if from - now > self.longest {
            return None;
        }
        *free_at = Some(from + self.service);
        *free_at
    }
}

impl Target for Server {
    fn kinds(&self) -> Vec<Kind> {
        kinds()
    }

    async fn send(&self, request: Request) -> Outcome {
        let Some(done) = self.done_at(request.priority) else {
            return Outcome::Failed(ErrorClass::Overloaded);
        };
        sleep_until(done).await;
        self.handled.fetch_add(1, Ordering::Relaxed);
        Outcome::Done
    }
}

/// Ends nothing.
pub(super) struct Never;

impl Target for Never {
    fn kinds(&self) -> Vec<Kind> {
        kinds()
    }

    async fn send(&self, _: Request) -> Outcome {
        std::future::pending().await
    }
}

/// Ends every message after as long.
pub(super) fn after(time: Duration) -> impl Target {
    Does(move |_| async move {
        sleep(time).await;
        Outcome::Done
    })
}
