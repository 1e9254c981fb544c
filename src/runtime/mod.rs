//! A runtime: agents by name, on threads, under supervision, ended in order.

mod builder;
mod core;
mod error;
mod handle;
mod pool;
mod registry;
mod restart;
mod shutdown;
pub(crate) mod supervision;

use std::ops::Deref;
use std::time::Duration;

pub use builder::RuntimeBuilder;
pub use error::{FindError, RestartError, ScaleError, SpawnError, StartError};
pub use handle::RuntimeHandle;
pub use pool::Scaled;
pub use shutdown::ShutdownReport;

/// A running runtime, and the right to end it.
///
/// Several live in one process without knowing of each other. Start one inside an existing Tokio program
/// or in a plain `main`: its threads are its own. Everything else is done through its
/// [`RuntimeHandle`], which a runtime dereferences to.
///
/// Dropping it tells its threads to end without waiting for them; queued messages go to the dead letters.
/// To end in order, [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Runtime {
    handle: RuntimeHandle,
}

impl Runtime {
    /// Chooses options, then [`start`](RuntimeBuilder::start)s.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    pub(crate) fn of(handle: RuntimeHandle) -> Self {
        Self { handle }
    }

    /// A handle that does not keep the runtime alive.
    #[must_use]
    pub fn handle(&self) -> &RuntimeHandle {
        &self.handle
    }

    /// Runs a future on this thread, with the runtime's timers at hand. For a plain `main`.
    ///
    /// # Panics
    ///
    /// Inside an async context, where a thread may not block.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.core().host.timers().block_on(future)
    }

    /// Ends in order: no new messages from outside; then, by stop order, each agent handles what it has
    /// and ends; after the builder's deadline (10 s by default) the rest goes to the dead letters. Resolves
    /// when the threads have ended, so a handler that blocks its thread holds it up.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the runtime ends at once, as by a drop.
    pub async fn shutdown(self) -> ShutdownReport {
        self.handle.core().shut_down().await;
        let core = self.handle.core().clone();
        let (done, joined) = tokio::sync::oneshot::channel();
        // Joining blocks, and this future may run anywhere.
        std::thread::spawn(move || {
            core.host.join();
            let _ = done.send(());
        });
        let _ = joined.await;
        self.handle.core().report()
    }

    /// [`shutdown`](Self::shutdown) for a thread that may block.
    ///
    /// # Panics
    ///
    /// Inside an async context, where a thread may not block.
    pub fn shutdown_blocking(self) -> ShutdownReport {
        self.block_on(self.handle.core().shut_down());
        self.handle.core().host.join();
        self.handle.core().report()
    }

    /// [`shutdown`](Self::shutdown) with another deadline than the builder's.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the runtime ends at once, as by a drop.
    pub async fn shutdown_within(self, deadline: Duration) -> ShutdownReport {
        self.handle.core().set_shutdown_deadline(deadline);
        self.shutdown().await
    }
}

impl Deref for Runtime {
    type Target = RuntimeHandle;

    fn deref(&self) -> &RuntimeHandle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.handle.core().stop();
    }
}
