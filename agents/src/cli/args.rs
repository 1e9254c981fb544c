//! What can be asked for, and how the help explains it.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::consent::Effect;
use crate::generate::Kind;
use statim::alert::Matcher;
use statim::delivery::LetterStatus;

/// Agents that may not make urgent messages wait, over health data.
///
/// Exit status: 0 done, 1 failed, 2 usage or configuration, 99 a threshold failed. With --json the last line of standard
/// output is one JSON object; notes, logs and progress bars go to standard error.
#[derive(Parser)]
#[command(name = "statim", version, arg_required_else_help = true, subcommand_required = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Run(RunArgs),
    Ingest(IngestArgs),
    Consent(ConsentArgs),
    Alerts(AlertsArgs),
    DeadLetters(DeadLettersArgs),
    Generate(GenerateArgs),
    Load(LoadArgs),
    Report(ReportArgs),
    Check(CheckArgs),
}

/// Start the deployment
///
/// Starts every agent, reads the sources and goes on looking for new files until it is interrupted (Ctrl-C), which stops
/// it in order: intake closes, the mailboxes are emptied, and what cannot be handled in time goes to the dead letters.
///
/// Example: statim run --config config/statim.toml --until-idle --json
#[derive(Args)]
pub(crate) struct RunArgs {
    /// The configuration; without it $STATIM_CONFIG, else config/statim.toml if it is there, else built-in defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read the sources to their end, let every agent finish, and stop
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Read files into the database
///
/// Reads ClinicalTrials.gov JSON, PubMed XML and openFDA JSON; plain, .gz or .zip. A folder stands for every such file in
/// it. A record that cannot be read is put into quarantine with its file, position and reason, and stops no other. Reading
/// a file twice changes nothing.
///
/// Example: statim ingest data/sample --json
#[derive(Args)]
pub(crate) struct IngestArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The database [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Threads that read, 1 to 256 [default: the processors less one]
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(crate) workers: Option<usize>,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Record, ask and check what patients agreed to
///
/// Works on the consent ledger, which is a file beside the database: var/statim.consent.db for var/statim.db. Nothing in
/// it is ever changed or removed; every event is chained to the one before by its hash.
#[derive(Args)]
pub(super) struct ConsentArgs {
    #[command(subcommand)]
    pub(super) command: ConsentCommand,
    /// The database whose ledger this is [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL", global = true, display_order = 100)]
    pub(super) database: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum ConsentCommand {
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
pub(super) struct GrantArgs {
    /// Whose data
    #[arg(long, value_parser = filled)]
    pub(super) patient: String,
    /// The name of what is agreed, unique within the patient
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(super) provision: String,
    /// Whether it permits or denies
    #[arg(long, default_value = "permit", value_parser = effect())]
    pub(super) effect: Effect,
    /// For what the data may be used; can be repeated [default: anything]
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(super) purpose: Vec<String>,
    /// Which category of data; can be repeated [default: any]
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(super) data_type: Vec<String>,
    /// Who may have it; can be repeated [default: anybody]
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(super) actor: Vec<String>,
    /// From when: a time, date, month or year, in UTC [default: always]
    #[arg(long, value_name = "DATE")]
    pub(super) start: Option<String>,
    /// Until when: a date, month or year is included, a time is the first moment outside [default: always]
    #[arg(long, value_name = "DATE")]
    pub(super) end: Option<String>,
    /// Who records it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(super) by: Option<String>,
}

/// Record that a patient takes permissions back
///
/// One provision, or without --provision everything, whatever is imported later included. What was denied stays denied.
///
/// Example: statim consent revoke --patient P1 --provision study-7
#[derive(Args)]
pub(super) struct RevokeArgs {
    /// Whose
    #[arg(long, value_parser = filled)]
    pub(super) patient: String,
    /// Which provision [default: everything]
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(super) provision: Option<String>,
    /// Who records it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(super) by: Option<String>,
}

/// Record provisions from another system
///
/// One JSON object a line, with id, patient and effect, and if wanted issued, purposes, data_types, actors, period
/// {start, end} and exceptions. A line that makes no sense is reported and stops no other. (Event files, as
/// `statim generate consents` writes, are for `replay` in the configuration.)
///
/// Example: statim consent import provisions.ndjson
#[derive(Args)]
pub(super) struct ImportArgs {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// Ask whether somebody may have some of a patient's data
///
/// The question and the answer are recorded in the ledger. A denial is an answer, so the exit status is 0.
///
/// Example: statim consent decide --patient P1 --actor org:uni --purpose research --data-type labs
#[derive(Args)]
pub(super) struct DecideArgs {
    /// Whose data
    #[arg(long, value_parser = filled)]
    pub(super) patient: String,
    /// Who asks
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(super) actor: String,
    /// For what
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(super) purpose: String,
    /// Which category of data
    #[arg(long, value_name = "CODE", value_parser = filled)]
    pub(super) data_type: String,
    /// The time to take for now, by which periods are judged: a time, or the beginning of a date [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
}

/// Show what was recorded about a patient, oldest first, decisions included
///
/// Example: statim consent history --patient P1 --limit 20
#[derive(Args)]
pub(super) struct HistoryArgs {
    /// Whose
    #[arg(long, value_parser = filled)]
    pub(super) patient: String,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) limit: u32,
}

/// Check, test and list alert rules; see and silence what fires
#[derive(Args)]
pub(super) struct AlertsArgs {
    #[command(subcommand)]
    pub(super) command: AlertsCommand,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum AlertsCommand {
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
pub(super) struct SilenceArgs {
    /// Its name
    #[arg(value_name = "NAME", value_parser = filled)]
    pub(super) name: String,
    /// Which alerts: a label and its value, in which * stands for any characters; can be repeated, all must hold
    #[arg(long = "where", value_name = "LABEL=VALUE", required = true, value_parser = matcher)]
    pub(super) matchers: Vec<Matcher>,
    /// How long: a number and s, m, h, d or w
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) lasts: Duration,
    /// Who wants it
    #[arg(long, value_name = "WHO", value_parser = filled)]
    pub(super) by: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) comment: String,
    /// The database of the deployment [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
}

/// Look after messages that no agent could handle
///
/// Each waits, parked, until somebody decides: requeue it, and its agent gets it again when the deployment runs; or purge
/// it.
#[derive(Args)]
pub(super) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(super) command: DeadLettersCommand,
    /// The database [default: $STATIM_DATABASE, else sqlite://var/statim.db]
    #[arg(long, value_name = "URL", global = true, display_order = 100)]
    pub(super) database: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 101)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum DeadLettersCommand {
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
pub(super) struct ListArgs {
    /// Only with this status [default: any]
    #[arg(long, value_parser = status())]
    pub(super) status: Option<LetterStatus>,
    /// Only for this agent [default: any]
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Only those that died of this, such as poisoned [default: anything]
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) limit: u32,
}

/// Forget some for ever, whatever their status
///
/// Example: statim dead-letters purge --older-than 30d
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct PurgeArgs {
    /// Their numbers
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<i64>,
    /// All that died longer ago: a number and s, m, h, d or w
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) older_than: Option<Duration>,
    /// All
    #[arg(long)]
    pub(super) all: bool,
}

/// Make synthetic health data, with known duplicates and faults
///
/// The same command gives the same bytes on every machine. Nobody in it exists. The name of the file says its format: .json,
/// .ndjson or .jsonl (a record a line), .xml for articles, .csv for people; .gz after it compresses.
///
/// Example: statim generate studies --count 1000 --seed 1 --output studies.ndjson.gz
#[derive(Args)]
pub(super) struct GenerateArgs {
    /// What to make
    #[arg(value_parser = kind())]
    pub(super) kind: Kind,
    /// How many records, repeats and broken ones included
    #[arg(long, value_name = "N")]
    pub(super) count: u64,
    /// Which of all possible worlds: another seed gives other records
    #[arg(long, value_name = "S")]
    pub(super) seed: u64,
    /// The file; its folder must exist
    #[arg(long, value_name = "PATH")]
    pub(super) output: PathBuf,
    /// Where in the endless sequence of the seed to begin; 60 continues a file of --count 60
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) first: u64,
    /// The share of records that repeat or revise an earlier one, 0 to 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(super) duplicates: f64,
    /// The share of records that are broken, 0 to 0.9; with --duplicates at most 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(super) bad: f64,
    /// Replace the file if it exists
    #[arg(long)]
    pub(super) force: bool,
    /// Print what is really in the file as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Put load on the agents, and measure what becomes of it
///
/// Messages are sent at their moment, whether or not earlier ones were answered, and latency counts from that moment. Without
/// --url a deployment with a database of its own is started in this process. light is 10 users with 2 messages a second each,
/// moderate 50 with 5, heavy 100 with 10; stress begins with 200 and 20 and goes on until it breaks. Exit status 99 if a
/// threshold does not hold, or a figure is worse than the baseline's beyond chance. An interrupt (Ctrl-C) ends it early, with
/// what was measured until then, and status 1.
///
/// Example: statim load light --report var/light
#[derive(Args)]
pub(super) struct LoadArgs {
    /// light, moderate, heavy, stress, or a file like config/load/light.toml
    #[arg(value_name = "SCENARIO|FILE", value_parser = filled)]
    pub(super) scenario: String,
    /// How long it sends: all stages are stretched or shortened to that; of one that raises the rate until it breaks, ten steps
    /// [example: 30s, 5m]
    #[arg(long, value_name = "D", value_parser = load_duration)]
    pub(super) duration: Option<Duration>,
    /// The most users; those of every stage, and with them its rate, grow or shrink with it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) users: Option<u32>,
    /// Messages a second of each user
    #[arg(long, value_name = "R", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// What arrivals and messages are drawn by [default: the scenario's]
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Write result.json, report.html, report.md and HDR histograms into this folder; an earlier report there is replaced
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
    /// Compare with this result.json, or the report it is in
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Send to the deployment that serves its metrics here, such as http://127.0.0.1:9464, and has [messages] on; made-up
    /// patients and studies will be in its database
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The environment variable that holds that deployment's token
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(super) token_env: Option<String>,
    /// The database of the deployment that is started: empty, or an earlier load test's [default: SQLite in a temporary
    /// folder]
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub(super) database: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Say what limits a system, and what to do about it
///
/// Response times against targets, resources, bottlenecks with their evidence and what removing them would gain, and a
/// capacity forecast, in Markdown; HTML if --output ends in .html.
///
/// Example: statim report var/light --output performance.md
#[derive(Args)]
pub(super) struct ReportArgs {
    /// The folder or result.json of a load test, a snapshot in a file, or the address of a running deployment, such as
    /// http://127.0.0.1:9464
    #[arg(value_name = "FROM", value_parser = filled)]
    pub(super) from: String,
    /// The file to write; one that exists is replaced [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// Check a configuration, and say everything that is wrong with it at once
///
/// Each fault comes with its line, its field and what would be right. Exit status 2 if there is one.
///
/// Example: statim check --config config/statim.toml
#[derive(Args)]
pub(super) struct CheckArgs {
    /// The configuration; without it $STATIM_CONFIG, else config/statim.toml if it is there, else built-in defaults
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// A text with something in it: a blank one is most often a shell variable that was not set.
fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is blank") } else { Ok(text.to_owned()) }
}

fn matcher(text: &str) -> Result<Matcher, &'static str> {
    let (name, value) = text.split_once('=').ok_or("give a label and its value, such as agent=consent")?;
    if name.trim().is_empty() { Err("the label has no name") } else { Ok(Matcher::is(name.trim(), value)) }
}

fn workers(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|it| (1..=256).contains(it)).ok_or("give a number from 1 to 256")
}

/// How long a load test may take: a second to a week.
fn load_duration(text: &str) -> Result<Duration, &'static str> {
    const ADVICE: &str = "give a duration of a second to a week, such as 30s, 5m or 1h30m";
    let read = crate::config::duration(text).ok_or(ADVICE)?;
    if (Duration::from_secs(1)..=Duration::from_hours(168)).contains(&read) { Ok(read) } else { Err(ADVICE) }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate: Option<f64> = text.parse().ok().filter(|it| (0.001..=1e6).contains(it));
    rate.ok_or("give a number from 0.001 to 1000000")
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    const ADVICE: &str = "give a whole number and s, m, h, d or w, such as 30d";
    let unit = text.chars().last().ok_or(ADVICE)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(ADVICE),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| ADVICE)?;
    // A hundred years: within what a timestamp can go back.
    number
        .checked_mul(seconds)
        .filter(|it| *it <= 100 * 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or("that is more than a hundred years")
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::NAMES).try_map(|name| name.parse::<Kind>())
}

fn effect() -> impl TypedValueParser<Value = Effect> {
    PossibleValuesParser::new(["permit", "deny"])
        .map(|name| if name == "permit" { Effect::Permit } else { Effect::Deny })
}

fn status() -> impl TypedValueParser<Value = LetterStatus> {
    PossibleValuesParser::new(["parked", "requeued", "done"]).map(|name| match name.as_str() {
        "parked" => LetterStatus::Parked,
        "requeued" => LetterStatus::Requeued,
        _ => LetterStatus::Done,
    })
}
