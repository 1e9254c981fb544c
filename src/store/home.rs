//! The thread that the sockets live on.
//!
//! A socket is tied to the Tokio runtime it was opened on: when that runtime is busy its readiness comes late, and when
//! that runtime has ended it never comes. Statim's arbiters are runtimes that are busy and that end, so a store whose
//! connections are sockets has a small runtime of its own. Connections are opened and closed there, its timers bound
//! waits, and statements may be polled from anywhere: what wakes them is this thread.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// A runtime with a thread of its own. Both end when this is dropped.
#[derive(Debug)]
pub(super) struct Home {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elapsed;

impl Home {
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name("statim-store".to_owned()).spawn(move || {
            // What still runs when the store is gone is dropped, which closes its sockets.
            drop(runtime.block_on(ended));
        })?;
        Ok(Self { handle, _end: end })
    }

    /// Runs `task` to its end, whatever becomes of the caller.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// Runs `task` here and waits for it. Dropped, the task ends too. `None` only when this home is going away.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let task = self.handle.spawn(task);
        let _abort = AbortOnDrop(task.abort_handle());
        task.await.ok()
    }

    /// Bounds a wait by this home's clock, which no test pauses and no busy arbiter delays.
    pub(super) async fn timeout<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let work = pin!(work);
        match select(work, pin!(self.sleep(limit))).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Elapsed),
        }
    }

    /// A rest on this home's clock.
    pub(super) async fn sleep(&self, rest: Duration) {
        let sleep = {
            let _here = self.handle.enter();
            tokio::time::sleep(rest)
        };
        sleep.await;
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
