//! Statim beside its peers: the same work, in one process, on the same threads.
//!
//! A [`System`] is one way of moving messages; a [`Workload`] is one thing to do with it. The two meet in
//! [`workloads::cases`], which lists every pair that makes sense; [`measure`] runs them in turns and [`report`] prints
//! what came out. To add a system, write one file in `systems/` and name it in `systems.rs`; to add a workload, write
//! one file in `workloads/` and name it in `workloads.rs`.

pub mod command;
mod counter;
pub mod crowd;
pub mod crowds;
pub mod footprint;
mod gate;
pub mod growth;
pub mod machine;
pub mod measure;
pub mod memory;
pub mod report;
mod stage;
pub mod store;
mod system;
pub mod systems;
pub mod urgent;
pub mod workloads;

pub use counter::{Counter, Done};
pub use gate::Gate;
pub use stage::{Peer, Pinned, WorkStealing};
pub use system::{Ask, CAPACITY, Fault, Level, Placement, Stage, System, Target, Verb, Work};
pub use workloads::{Case, CrowdWorkload, Workload};
