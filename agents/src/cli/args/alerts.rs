//! `statim alerts`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use statim::alert::Matcher;

use super::values::{duration, filled, matcher};

/// Check, test and list alert rules; see and silence what fires
#[derive(Args)]
pub(in crate::cli) struct AlertsArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: AlertsCommand,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(in crate::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::cli) enum AlertsCommand {
    /// Say everything that is wrong with a rule file at once
    ///
    /// Each fault comes with its line, its field and what would be right; a secret that a sink needs and that is not there
    /// is one. No secret is printed. Exit status 2 if there is a fault.
    ///
    /// Example: statim alerts check config/alerts.toml
    Check {
        /// The rule file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Play cases against rules: made-up series, and what should come of them
    ///
    /// Exit status 1 if something else comes of one, with what differs; 2 if a file is wrong.
    ///
    /// Example: statim alerts test config/alerts.toml config/alerts.test.toml
    Test {
        /// The rule file
        #[arg(value_name = "RULES")]
        rules: PathBuf,
        /// The file of cases
        #[arg(value_name = "CASES")]
        cases: PathBuf,
    },
    /// Show the rules, or what fires now
    ///
    /// With --database: what was pending or fired at the last evaluation of the deployment that uses it, who was told, and
    /// the notifications that are not delivered.
    ///
    /// Example: statim alerts list --database sqlite://var/statim.db
    List {
        /// The rule file; without it the rules that are built in
        #[arg(value_name = "FILE", conflicts_with = "database")]
        file: Option<PathBuf>,
        /// The database of a deployment
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
    /// Say who looks after an alert that fires
    ///
    /// Nobody is told again while it fires, and it goes no further up. Done with the next evaluation of the deployment.
    ///
    /// Example: statim alerts acknowledge statim-ecc005dc3fd78011a5fbe298412e15e0 --by ann
    Acknowledge {
        /// The alert's key, as `statim alerts list --database` shows it
        #[arg(value_name = "KEY", value_parser = filled)]
        key: String,
        /// Who
        #[arg(long, value_name = "WHO", value_parser = filled)]
        by: String,
        /// The database of the deployment [default: $STATIM_DATABASE, else sqlite://var/statim.db]
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
    Silence(SilenceArgs),
    /// End a silence
    ///
    /// Done with the next evaluation of the deployment.
    ///
    /// Example: statim alerts lift upgrade
    Lift {
        /// Its name
        #[arg(value_name = "NAME", value_parser = filled)]
        name: String,
        /// The database of the deployment [default: $STATIM_DATABASE, else sqlite://var/statim.db]
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
}

/// Hold back some alerts for a while
///
/// They are watched all the same: what still fires at the end is told then. Begins with the next evaluation of the
/// deployment. A silence of the same name is replaced.
///
/// Example: statim alerts silence upgrade --where alertname=Mailbox* --for 2h --by ann --comment "the store is moved"
#[derive(Args)]
pub(in crate::cli) struct SilenceArgs {
    /// Its name
    #[arg(value_name = "NAME", value_parser = filled)]
    pub(in crate::cli) name: String,
    /// Which alerts: a label and its value, in which * stands for any characters; can be repeated, all must hold
    #[arg(long = "where", value_name = "LABEL=VALUE", required = true, value_parser = matcher)]
    pub(in crate::cli) matchers: Vec<Matcher>,
    /// How long: a number and s, m, h, d or w
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) lasts: Duration,
    /// Who wants it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(in crate::cli) by: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(in crate::cli) comment: String,
    /// The database of the deployment [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) database: Option<String>,
}
