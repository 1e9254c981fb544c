//! `statim dead-letters`.

use std::time::Duration;

use clap::{Args, Subcommand};
use statim::delivery::LetterStatus;

use super::values::{duration, status};

/// Look after messages that no agent could handle
///
/// Each waits, parked, until somebody decides: requeue it, and its agent gets it again when the deployment runs; or purge
/// it.
#[derive(Args)]
pub(in crate::cli) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: DeadLettersCommand,
    /// The database [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL", global = true, display_order = 100)]
    pub(in crate::cli) database: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(in crate::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::cli) enum DeadLettersCommand {
    List(ListArgs),
    /// Show one, with its content
    ///
    /// The content may be a patient's data. Example: statim dead-letters show 7
    Show {
        /// Its number
        #[arg(value_name = "ID")]
        id: i64,
    },
    /// Hand some to their agents again, when the deployment runs
    ///
    /// Example: statim dead-letters requeue 7 8
    Requeue {
        /// Their numbers
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All that are parked
        #[arg(long)]
        all: bool,
    },
    Purge(PurgeArgs),
}

/// List them, oldest first, without their content
///
/// Example: statim dead-letters list --status parked --agent consent
#[derive(Args)]
pub(in crate::cli) struct ListArgs {
    /// Only with this status [default: any]
    #[arg(long, value_parser = status())]
    pub(in crate::cli) status: Option<LetterStatus>,
    /// Only for this agent [default: any]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) agent: Option<String>,
    /// Only those that died of this, such as poisoned [default: anything]
    #[arg(long)]
    pub(in crate::cli) reason: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) limit: u32,
}

/// Forget some for ever, whatever their status
///
/// Example: statim dead-letters purge --older-than 30d
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct PurgeArgs {
    /// Their numbers
    #[arg(value_name = "ID")]
    pub(in crate::cli) ids: Vec<i64>,
    /// All that died longer ago: a number and s, m, h, d or w
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) older_than: Option<Duration>,
    /// All
    #[arg(long)]
    pub(in crate::cli) all: bool,
}
