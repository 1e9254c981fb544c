//! The primitives of whichever model checker is chosen, under the standard library's names.
//!
//! Loom treats a sequentially consistent access as acquire-release: where the code relies on more, it may find executions
//! that no machine has, and never misses one. The mailbox has none. Shuttle treats every access as sequentially consistent.

#[cfg(statim_loom)]
pub(crate) use loom::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};
#[cfg(statim_shuttle)]
pub(crate) use shuttle::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread, thread_local,
};

/// Loom's own takes no `const` block.
#[cfg(statim_loom)]
macro_rules! thread_local_of_a_model {
    ($vis:vis static $name:ident: $type:ty = const $init:block;) => {
        loom::thread_local! { $vis static $name: $type = $init; }
    };
}
#[cfg(statim_loom)]
pub(crate) use thread_local_of_a_model as thread_local;
