//! Which agent runs on this thread right now.
//!
//! Set around every poll of an agent's loop, so that a send knows whether an agent makes it and an ask
//! knows who would wait, without a context being passed to it.

use std::cell::{Cell, RefCell};
use std::future::Future;

use super::instance::Instance;
use crate::sync::Arc;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Instance>>> = const { RefCell::new(None) };
    static ARBITER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller runs inside an agent's handler.
pub(crate) fn is_agent() -> bool {
    CURRENT.try_with(|current| current.borrow().is_some()).unwrap_or(false)
}

/// Whether the caller runs inside an agent's handler, or in a task that one spawned on its arbiter.
pub(crate) fn is_inside() -> bool {
    is_agent() || ARBITER.try_with(Cell::get).unwrap_or(false)
}

/// From now on, whatever runs on this thread is inside.
pub(crate) fn mark_arbiter() {
    ARBITER.with(|arbiter| arbiter.set(true));
}

/// The instance whose handler is running.
pub(crate) fn instance() -> Option<Arc<Instance>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Runs `future` as `instance`.
pub(crate) fn scope<F: Future>(instance: Arc<Instance>, future: F) -> impl Future<Output = F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| run_as(&instance, || future.as_mut().poll(cx)))
}

/// Calls `run` as `instance`.
pub(crate) fn run_as<T>(instance: &Arc<Instance>, run: impl FnOnce() -> T) -> T {
    /// Restores on the way out, by return or by panic.
    struct Restore(Option<Arc<Instance>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            let _ = CURRENT.try_with(|current| current.replace(before));
        }
    }
    let before = CURRENT.with(|current| current.replace(Some(Arc::clone(instance))));
    let _restore = Restore(before);
    run()
}
