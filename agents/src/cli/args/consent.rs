//! `statim consent`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{effect, filled};
use crate::consent::Effect;

/// Record, ask and check what patients agreed to
///
/// Works on the consent ledger, which is a file beside the database: var/statim.consent.db for var/statim.db. Nothing in
/// it is ever changed or removed; every event is chained to the one before by its hash.
#[derive(Args)]
pub(in crate::cli) struct ConsentArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: ConsentCommand,
    /// The database whose ledger this is [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL", global = true, display_order = 100)]
    pub(in crate::cli) database: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(in crate::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::cli) enum ConsentCommand {
    Grant(GrantArgs),
    Revoke(RevokeArgs),
    Import(ImportArgs),
    Decide(DecideArgs),
    History(HistoryArgs),
    /// Check that no event was changed or removed
    ///
    /// Walks the whole chain of hashes. Exit status 1 and the number of the event if one is not as it was written. That
    /// the newest events were cut off cannot be seen: note the head that is printed, and compare it later.
    Verify,
}

/// Record that a patient permits or refuses something
///
/// A provision of the same name is replaced, and counts again if it was revoked. A list that is not given matches
/// anything: a grant without --actor is for everybody. Denial outweighs permission.
///
/// Example: statim consent grant --patient P1 --provision study-7 --purpose research --data-type labs --actor org:uni
/// --end 2027
#[derive(Args)]
pub(in crate::cli) struct GrantArgs {
    /// Whose data
    #[arg(long, value_parser = filled)]
    pub(in crate::cli) patient: String,
    /// The name of what is agreed, unique within the patient
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(in crate::cli) provision: String,
    /// Whether it permits or denies
    #[arg(long, default_value = "permit", value_parser = effect())]
    pub(in crate::cli) effect: Effect,
    /// For what the data may be used; can be repeated [default: anything]
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(in crate::cli) purpose: Vec<String>,
    /// Which category of data; can be repeated [default: any]
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(in crate::cli) data_type: Vec<String>,
    /// Who may have it; can be repeated [default: anybody]
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(in crate::cli) actor: Vec<String>,
    /// From when: a time, date, month or year, in UTC [default: always]
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) start: Option<String>,
    /// Until when: a date, month or year is included, a time is the first moment outside [default: always]
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) end: Option<String>,
    /// Who records it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(in crate::cli) by: Option<String>,
}

/// Record that a patient takes permissions back
///
/// One provision, or without --provision everything, whatever is imported later included. What was denied stays denied.
///
/// Example: statim consent revoke --patient P1 --provision study-7
#[derive(Args)]
pub(in crate::cli) struct RevokeArgs {
    /// Whose
    #[arg(long, value_parser = filled)]
    pub(in crate::cli) patient: String,
    /// Which provision [default: everything]
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(in crate::cli) provision: Option<String>,
    /// Who records it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(in crate::cli) by: Option<String>,
}

/// Record provisions from another system
///
/// One JSON object a line, with id, patient and effect, and if wanted issued, purposes, data_types, actors, period
/// {start, end} and exceptions. A line that makes no sense is reported and stops no other. (Event files, as
/// `statim generate consents` writes, are for `replay` in the configuration.)
///
/// Example: statim consent import provisions.ndjson
#[derive(Args)]
pub(in crate::cli) struct ImportArgs {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
}

/// Ask whether somebody may have some of a patient's data
///
/// The question and the answer are recorded in the ledger. A denial is an answer, so the exit status is 0.
///
/// Example: statim consent decide --patient P1 --actor org:uni --purpose research --data-type labs
#[derive(Args)]
pub(in crate::cli) struct DecideArgs {
    /// Whose data
    #[arg(long, value_parser = filled)]
    pub(in crate::cli) patient: String,
    /// Who asks
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(in crate::cli) actor: String,
    /// For what
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(in crate::cli) purpose: String,
    /// Which category of data
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(in crate::cli) data_type: String,
    /// The time to take for now, by which periods are judged: a time, or the beginning of a date [default: now]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
}

/// Show what was recorded about a patient, oldest first, decisions included
///
/// Example: statim consent history --patient P1 --limit 20
#[derive(Args)]
pub(in crate::cli) struct HistoryArgs {
    /// Whose
    #[arg(long, value_parser = filled)]
    pub(in crate::cli) patient: String,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) limit: u32,
}
