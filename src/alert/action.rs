//! What is done when a rule fires.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How bad it is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look, during the day.
    #[default]
    Warning,
    /// Something does not work.
    Error,
    /// Somebody must act now.
    Critical,
}

impl Severity {
    /// Each, by its name in a rule file and in the label `severity`.
    pub const NAMES: [(&str, Self); 4] = [
        ("info", Self::Info),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("critical", Self::Critical),
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// What is done when a rule fires. The engine only says so; who does it sees to the limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Tell somebody.
    Notify {
        /// The sinks, by name; empty for all.
        sinks: Vec<String>,
    },
    /// Add instances to the agent's pool, and take them away again once the rule is resolved.
    ScaleUp {
        /// The agent; without it the one in the alert's label `agent`.
        agent: Option<String>,
        /// Instances added at a time. 1 to 64.
        step: u32,
        /// The most instances there may be. 1 to 1,024.
        maximum: u32,
        /// The least time between two additions while the rule goes on firing.
        cooldown: Duration,
    },
    /// Drain and restart an agent.
    RestartAgents {
        /// The agent; without it the one in the alert's label `agent`, else the worst offender.
        agent: Option<String>,
        /// The most restarts…
        at_most: u32,
        /// …in so long a time.
        within: Duration,
    },
    /// Write a diagnostic bundle.
    Investigate {
        /// The most that all bundles may take together, in bytes.
        most_bytes: u64,
        /// The least time between two bundles of a rule.
        cooldown: Duration,
    },
}

impl Action {
    /// Tells all sinks.
    #[must_use]
    pub const fn notify() -> Self {
        Self::Notify { sinks: Vec::new() }
    }

    /// Adds an instance, up to 8, every 5 minutes at most.
    #[must_use]
    pub const fn scale_up() -> Self {
        Self::ScaleUp { agent: None, step: 1, maximum: 8, cooldown: Duration::from_mins(5) }
    }

    /// Restarts at most 3 times an hour.
    #[must_use]
    pub const fn restart_agents() -> Self {
        Self::RestartAgents { agent: None, at_most: 3, within: Duration::from_hours(1) }
    }

    /// Writes at most a bundle in 10 minutes and 64 MiB in all.
    #[must_use]
    pub const fn investigate() -> Self {
        Self::Investigate { most_bytes: 64 << 20, cooldown: Duration::from_mins(10) }
    }

    /// Its name in a rule file.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Notify { .. } => "notify",
            Self::ScaleUp { .. } => "scale_up",
            Self::RestartAgents { .. } => "restart_agents",
            Self::Investigate { .. } => "investigate",
        }
    }
}
