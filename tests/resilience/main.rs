//! The guards, as their users see them.

mod admission;
mod breaker;
mod breaker_faults;
mod bulkhead;
mod limit;
mod options;
mod policy;
mod retry;
mod simulation;
mod support;
