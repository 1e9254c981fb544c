//! What came of an action.

use std::fmt;

use super::bundle::{Bundle, BundleError};
use crate::alert::Moment;
use crate::runtime::{RestartError, ScaleError};

/// What came of an action.
#[derive(Debug)]
#[non_exhaustive]
pub enum RemedyOutcome {
    /// It was done.
    Done {
        /// What exactly.
        what: Deed,
    },
    /// There was a reason not to do it.
    Skipped {
        /// The reason.
        why: Skip,
    },
    /// It could not be done.
    Failed {
        /// Why.
        error: RemedyError,
    },
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Deed {
    /// A pool got more members.
    ScaledUp {
        /// The agent.
        agent: String,
        /// Members before.
        from: usize,
        /// Members now.
        to: usize,
    },
    /// Pools have their members from before again.
    ScaledDown {
        /// Each agent, with its members before and now.
        agents: Vec<(String, usize, usize)>,
    },
    /// An agent was rebuilt.
    Restarted {
        /// The agent.
        agent: String,
        /// Whether it serves again. If not it is at a message still, and is rebuilt after it.
        serves: bool,
    },
    /// A bundle was written.
    Investigated {
        /// The bundle.
        bundle: Bundle,
    },
}

/// Why an action was not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Skip {
    /// It was done a short while ago.
    Cooldown {
        /// When it may be done again.
        until: Moment,
    },
    /// It was done as often as it may be.
    RateLimited {
        /// When it may be done again.
        until: Moment,
    },
    /// The pool has as many members as it may have.
    AtMaximum {
        /// The agent.
        agent: String,
        /// Its members.
        instances: usize,
    },
    /// The action names no agent, and neither does the alert.
    NoAgent,
    /// There is no such agent, or it is ending.
    NoSuchAgent {
        /// Its name.
        agent: String,
    },
    /// The agent cannot have more members, or is the one that asks.
    Unfit {
        /// Why.
        error: RemedyError,
    },
    /// Another agent is being restarted.
    Busy {
        /// Which.
        agent: String,
    },
    /// No agent is worse than others, as far as is known.
    NobodyStandsOut,
    /// There is no folder for bundles.
    NoFolder,
    /// Nothing was done that would have to be undone.
    NothingToUndo,
    /// It is done by others: somebody is told.
    NotARemedy,
}

/// Why an action could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemedyError {
    /// A pool was not given another size.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// An agent was not rebuilt.
    #[error(transparent)]
    Restart(#[from] RestartError),
    /// A bundle was not written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl RemedyOutcome {
    pub(super) fn done(what: Deed) -> Self {
        Self::Done { what }
    }

    pub(super) fn skipped(why: Skip) -> Self {
        Self::Skipped { why }
    }

    pub(super) fn failed(error: impl Into<RemedyError>) -> Self {
        Self::Failed { error: error.into() }
    }

    /// Whether it was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

impl fmt::Display for RemedyOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { what } => what.fmt(f),
            Self::Skipped { why } => why.fmt(f),
            Self::Failed { error } => error.fmt(f),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScaledUp { agent, from, to } => write!(f, "{agent:?} has {to} instances instead of {from}"),
            Self::ScaledDown { agents } => {
                for (number, (agent, from, to)) in agents.iter().enumerate() {
                    let comma = if number == 0 { "" } else { ", " };
                    write!(f, "{comma}{agent:?} has {to} instances again instead of {from}")?;
                }
                Ok(())
            }
            Self::Restarted { agent, serves: true } => write!(f, "{agent:?} was restarted"),
            Self::Restarted { agent, serves: false } => {
                write!(f, "{agent:?} restarts as soon as its message is handled")
            }
            Self::Investigated { bundle } => write!(f, "a bundle was written to {}", bundle.path.display()),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cooldown { .. } => f.write_str("it was done a short while ago"),
            Self::RateLimited { .. } => f.write_str("it was done as often as it may be in so long"),
            Self::AtMaximum { agent, instances } => {
                write!(f, "{agent:?} has its {instances} instances already")
            }
            Self::NoAgent => f.write_str("neither the rule nor the alert names an agent"),
            Self::NoSuchAgent { agent } => write!(f, "no agent named {agent:?} serves"),
            Self::Unfit { error } => error.fmt(f),
            Self::Busy { agent } => write!(f, "{agent:?} is being restarted, and one at a time is"),
            Self::NobodyStandsOut => f.write_str("no agent is known to be worse than the others"),
            Self::NoFolder => f.write_str("there is no folder for bundles"),
            Self::NothingToUndo => f.write_str("there is nothing to undo"),
            Self::NotARemedy => f.write_str("somebody is told, which is not done here"),
        }
    }
}
