//! A function in this process.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, spawn, spawn_blocking};
use tokio::time::timeout;

use super::delivery::{Delivered, Delivery};
use super::error::{SinkError, Step};
use super::{Delivering, Sink};

type Outcome = Result<(), SinkError>;
type Calling = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Calls a function for every notification, one call at a time, each in a task or thread of its own: it may panic, and it
/// may hang, and neither is felt by whoever delivers.
///
/// A call that panics is not made again for this notification; one that takes too long is, since nobody knows how far it
/// came. By [`Delivery::id`] a function knows that it was called before.
#[derive(Clone)]
pub struct Callback {
    name: String,
    limit: Duration,
    call: Call,
    turn: Arc<Semaphore>,
}

#[derive(Clone)]
enum Call {
    Asynchronous(Arc<dyn Fn(Arc<Delivery>) -> Calling + Send + Sync>),
    Blocking(Arc<dyn Fn(&Delivery) -> Outcome + Send + Sync>),
}

impl Callback {
    /// Calls an asynchronous function. If it takes longer than `limit`, it is dropped at its next await.
    ///
    /// It says by [`SinkError::Callback`] why it could not do what it should, and whether to call it again.
    pub fn new<F, T>(name: &str, limit: Duration, call: F) -> Self
    where
        F: Fn(Arc<Delivery>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), SinkError>> + Send + 'static,
    {
        // Made within the task, so that it may panic while it is made too.
        let call = Arc::new(call);
        let boxed = move |delivery: Arc<Delivery>| -> Calling {
            let call = Arc::clone(&call);
            Box::pin(async move { call(delivery).await })
        };
        Self::of(name, limit, Call::Asynchronous(Arc::new(boxed)))
    }

    /// Calls a function that may block, on a thread for that. If it takes longer than `limit`, it goes on, since nothing can
    /// stop it; the next call waits for its end, and so does a Tokio runtime that is dropped.
    pub fn blocking(
        name: &str,
        limit: Duration,
        call: impl Fn(&Delivery) -> Result<(), SinkError> + Send + Sync + 'static,
    ) -> Self {
        Self::of(name, limit, Call::Blocking(Arc::new(call)))
    }

    fn of(name: &str, limit: Duration, call: Call) -> Self {
        Self { name: name.to_owned(), limit, call, turn: Arc::new(Semaphore::new(1)) }
    }

    async fn run(&self, delivery: Arc<Delivery>) -> Outcome {
        // Never closed.
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else { return Err(SinkError::Panicked) };
        match &self.call {
            Call::Asynchronous(call) => {
                let calling = call(delivery);
                let running = spawn(async move {
                    let _turn = turn;
                    calling.await
                });
                let mut running = Ending(running);
                ended((&mut running.0).await)
            }
            Call::Blocking(call) => {
                let call = Arc::clone(call);
                let running = spawn_blocking(move || {
                    let _turn = turn;
                    call(&delivery)
                });
                ended(running.await)
            }
        }
    }
}

/// Ends the task when nobody waits for it any more.
struct Ending(JoinHandle<Outcome>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn ended(result: Result<Outcome, JoinError>) -> Outcome {
    match result {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => Err(SinkError::Panicked),
        // The runtime is shutting down.
        Err(_) => Err(SinkError::Broken),
    }
}

impl Sink for Callback {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "callback"
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let late = SinkError::TimedOut { step: Step::Callback, limit: self.limit };
            timeout(self.limit, self.run(Arc::new(delivery.clone()))).await.unwrap_or(Err(late))?;
            Ok(Delivered::Told)
        })
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("name", &self.name)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
