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

/// Why a pool was not given another size.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleError {
    /// No living agent has the name.
    #[error("no agent is named {name:?}")]
    NotFound {
        /// The name.
        name: String,
    },
    /// It is not a pool.
    #[error(
        "agent {name:?} is one instance and stays so: its state and the order of its messages are one; spawn it with \
         `Pool::Shared` (of 1, to begin with) if it may have more"
    )]
    Single {
        /// The name.
        name: String,
    },
    /// Its messages are dealt out by their keys.
    #[error(
        "agent {name:?} deals its messages out by key, and another number of members would send keys to members that do \
         not know them; spawn it with more members"
    )]
    ByKey {
        /// The name.
        name: String,
    },
    /// It cannot have so many.
    #[error("a pool has from 1 to {} members; {instances} were wanted of agent {name:?}", super::pool::MOST)]
    OutOfRange {
        /// The name.
        name: String,
        /// The size that was wanted.
        instances: usize,
    },
    /// It is ending, or has ended.
    #[error("agent {name:?} is ending and gets no other size")]
    Ended {
        /// The name.
        name: String,
    },
    /// The runtime is ending.
    #[error("agent {name:?} was not given another size: the runtime is shutting down")]
    ShuttingDown {
        /// The name.
        name: String,
    },
    /// A thread could not be started.
    #[error("agent {name:?} was not given another size: a thread for it could not be started: {source}")]
    Thread {
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Why an agent was not rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// No living agent has the name.
    #[error("no agent is named {name:?}")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The caller is the agent.
    #[error("agent {name:?} cannot wait for its own restart; `AgentRef::restart` does not wait")]
    Itself {
        /// The name.
        name: String,
    },
    /// It ended instead.
    #[error("agent {name:?} ended before it was rebuilt")]
    Ended {
        /// The name.
        name: String,
    },
}
