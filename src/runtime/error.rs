//! What can go wrong with a runtime itself.

use std::io;

use crate::resilience::InvalidOptions;

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A thread or its event loop could not be started.
    #[error("the runtime's threads could not be started: {0}")]
    Threads(#[from] io::Error),
}

/// Why an agent was not spawned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// A living agent has the name.
    #[error("an agent named {name:?} is already running; stop it first or choose another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The runtime is ending.
    #[error("agent {name:?} was not started: the runtime is shutting down")]
    ShuttingDown {
        /// The name.
        name: String,
    },
    /// Its options cannot be as they are.
    #[error("agent {name:?} was not started: its admission options are not valid: {source}")]
    Admission {
        /// The name.
        name: String,
        /// What is wrong with them.
        source: InvalidOptions,
    },
    /// Its arbiter could not be started.
    #[error("agent {name:?} was not started: its thread could not be: {source}")]
    Thread {
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Why an agent was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No living agent has the name.
    #[error("no agent is named {name:?}")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The agent of this name takes other messages.
    #[error("agent {name:?} takes messages of another type than {wanted}")]
    OtherType {
        /// The name.
        name: String,
        /// The type that was asked for.
        wanted: &'static str,
    },
}
