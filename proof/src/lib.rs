//! The mailbox and the scheduler under model checkers.
//!
//! Their files are compiled here once more, unchanged and alone, with the primitives of a model checker
//! behind `crate::sync`. What is checked is therefore the code that runs, not a copy of it.
//!
//! - `adapter`: the mailbox as the models use it, with an account of every message. The one file that names the mailbox's
//!   own interface.
//! - `loom_models` (feature `loom`): every interleaving of a few operations, and every value a load may return under the
//!   memory model.
//! - `shuttle_models` (feature `shuttle`): random schedules of many operations.
//! - `primitives`: what stands in for the standard library.
//!
//! Run by `scripts/prove`; the book's chapter on the proof says what each model shows.
#![cfg(test)]
// What other folders of the runtime use of these files is unused here.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/mailbox/mod.rs"]
mod mailbox;
#[path = "../../src/message.rs"]
mod message;
#[path = "../../src/scheduler/mod.rs"]
mod scheduler;
#[path = "../../src/sync.rs"]
mod sync;

#[cfg(any(statim_loom, statim_shuttle))]
mod adapter;
#[cfg(any(statim_loom, statim_shuttle))]
mod bed;
#[cfg(any(statim_loom, statim_shuttle))]
mod letter;
#[cfg(statim_loom)]
mod loom_models;
#[cfg(any(statim_loom, statim_shuttle))]
mod primitives;
#[cfg(statim_shuttle)]
mod shuttle_models;

#[cfg(all(statim_loom, statim_shuttle))]
compile_error!("one model checker at a time: `--features loom` or `--features shuttle`");
