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
    let mut instance = Some(instance);
    std::future::poll_fn(move |cx| run_as(&mut instance, || future.as_mut().poll(cx)))
}

/// Calls `run` as `instance`, which is lent for so long: to count another owner each time would cost more than many
/// a handler.
pub(crate) fn run_as<T>(instance: &mut Option<Arc<Instance>>, run: impl FnOnce() -> T) -> T {
    /// Changes back on the way out, by return or by panic.
    struct Restore<'a> {
        instance: &'a mut Option<Arc<Instance>>,
        before: Option<Arc<Instance>>,
    }
    impl Drop for Restore<'_> {
        fn drop(&mut self) {
            let before = self.before.take();
            *self.instance = CURRENT.try_with(|current| current.replace(before)).ok().flatten();
        }
    }
    let before = CURRENT.with(|current| current.replace(instance.take()));
    let _restore = Restore { instance, before };
    run()
}
