//! The sections of the file: what can be set, in which bounds, and what it is otherwise.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use statim::monitor::MonitorOptions;
use statim::telemetry::HistoryOptions;

use super::reader::{Document, Section};
use super::{DatabaseUrl, Place};
use crate::alerting::RuleSource;

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseConfig {
    /// `url`: the database; consent goes to its neighbour. Default: `sqlite://var/statim.db`.
    pub url: DatabaseUrl,
}

pub(super) fn database(document: &mut Document<'_>) -> DatabaseConfig {
    let mut section = document.section("database");
    let url = section.text("url", "give a URL such as \"sqlite://var/statim.db\"", DatabaseUrl::parse);
    section.finish();
    DatabaseConfig { url: url.map(|(url, _)| url).unwrap_or_default() }
}

/// `[runtime]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// `arbiters`: threads that agents run on, up to 256; 0 is one per processor. Default: 0.
    pub arbiters: usize,
    /// `shutdown_seconds`: how long stopping may take before what is left is given up, up to an hour. Default: 10 s.
    pub shutdown: Duration,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self { arbiters: 0, shutdown: Duration::from_secs(10) }
    }
}

impl RuntimeConfig {
    /// How many arbiters that is on this machine: at least one.
    #[must_use]
    pub fn arbiter_count(&self) -> usize {
        if self.arbiters == 0 { processors() } else { self.arbiters }
    }
}

pub(super) fn runtime(document: &mut Document<'_>) -> RuntimeConfig {
    let default = RuntimeConfig::default();
    let mut section = document.section("runtime");
    let arbiters = size(&mut section, "arbiters", default.arbiters, 0, 256);
    let shutdown = seconds(&mut section, "shutdown_seconds", default.shutdown, 0.0, 3600.0);
    section.finish();
    RuntimeConfig { arbiters, shutdown }
}

/// `[ingestion]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestionConfig {
    /// `sources`: files or folders, relative to the current directory; may be empty. Default: `data/sample`.
    pub sources: Vec<PathBuf>,
    /// `workers`: threads that read, up to 256; 0 is the processors less one. Default: 0.
    pub workers: usize,
    /// `rescan_seconds`: how long between two looks for new and changed files, up to a day; `None` (0) looks once.
    /// Default: 60 s.
    pub rescan: Option<Duration>,
    /// `memory_mib`: how many bytes of records may be under way at a time, 1 MiB to 64 GiB. Default: 48 MiB.
    pub memory_bytes: u64,
}

impl Default for IngestionConfig {
    fn default() -> Self {
        Self {
            sources: vec![PathBuf::from("data/sample")],
            workers: 0,
            rescan: Some(Duration::from_secs(60)),
            memory_bytes: 48 << 20,
        }
    }
}

impl IngestionConfig {
    /// How many workers that is on this machine: at least one.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        if self.workers == 0 { processors().saturating_sub(1).max(1) } else { self.workers }
    }
}

pub(super) fn ingestion(document: &mut Document<'_>, places: &mut Vec<Place>) -> IngestionConfig {
    let default = IngestionConfig::default();
    let mut section = document.section("ingestion");
    let sources = match section.texts("sources", "give files or folders, such as [\"data/sample\"]") {
        None => default.sources,
        Some(texts) => {
            for (index, (text, position)) in texts.iter().enumerate() {
                let field = format!("ingestion.sources[{index}]");
                places.push(Place { field, path: text.into(), position: *position });
            }
            texts.into_iter().map(|(text, _)| text.into()).collect()
        }
    };
    let workers = size(&mut section, "workers", default.workers, 0, 256);
    let rescan = seconds(&mut section, "rescan_seconds", Duration::from_secs(60), 0.0, 86_400.0);
    let memory_mib = section.whole("memory_mib", default.memory_bytes >> 20, 1..=65_536);
    section.finish();
    IngestionConfig {
        sources,
        workers,
        rescan: (!rescan.is_zero()).then_some(rescan),
        memory_bytes: memory_mib << 20,
    }
}

/// `[deduplication]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeduplicationConfig {
    /// `batch_records`: most records written in one transaction, 1 to 10,000. Default: 256.
    pub batch_records: usize,
    /// `linger_ms`: how long a batch waits to fill, up to 10 s. Default: 5 ms.
    pub linger: Duration,
    /// `capacity`: most records in the mailbox, 16 to 1,000,000. Default: 4096.
    pub capacity: usize,
}

impl Default for DeduplicationConfig {
    fn default() -> Self {
        Self { batch_records: 256, linger: Duration::from_millis(5), capacity: 4096 }
    }
}

pub(super) fn deduplication(document: &mut Document<'_>) -> DeduplicationConfig {
    let default = DeduplicationConfig::default();
    let mut section = document.section("deduplication");
    let batch_records = size(&mut section, "batch_records", default.batch_records, 1, 10_000);
    let linger = Duration::from_millis(section.whole("linger_ms", 5, 0..=10_000));
    let capacity = size(&mut section, "capacity", default.capacity, 16, 1_000_000);
    section.finish();
    DeduplicationConfig { batch_records, linger, capacity }
}

/// `[consent]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentConfig {
    /// `replay`: a file of consent events that are played at the start. Default: none.
    pub replay: Option<PathBuf>,
    /// `capacity`: most messages in the mailbox, 16 to 1,000,000. Default: 10,000.
    pub capacity: usize,
}

impl Default for ConsentConfig {
    fn default() -> Self {
        Self { replay: None, capacity: 10_000 }
    }
}

pub(super) fn consent(document: &mut Document<'_>, places: &mut Vec<Place>) -> ConsentConfig {
    let mut section = document.section("consent");
    let wanted = "give a file, such as \"data/sample/consents.ndjson\", or leave the line out";
    let read = |text: &str| {
        if text.trim().is_empty() { Err(format!("is blank; {wanted}")) } else { Ok(PathBuf::from(text)) }
    };
    let replay = section.text("replay", wanted, read).map(|(path, position)| {
        places.push(Place { field: "consent.replay".to_owned(), path: path.clone(), position });
        path
    });
    let capacity = size(&mut section, "capacity", ConsentConfig::default().capacity, 16, 1_000_000);
    section.finish();
    ConsentConfig { replay, capacity }
}

/// `[monitor]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorConfig {
    /// `interval_seconds`: how long between two looks at the agents, 0.05 s to an hour. Default: 1 s.
    pub interval: Duration,
    /// `history_hours`: how long looks are remembered, 2 to 168 hours. Default: 24 h.
    pub history: Duration,
    /// `listen`: the address at which metrics and health are served, such as `127.0.0.1:9464`; `None` (an empty text) serves
    /// nothing. Default: nothing.
    pub listen: Option<SocketAddr>,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), history: Duration::from_secs(24 * 3600), listen: None }
    }
}

impl MonitorConfig {
    /// How the monitor looks then. A deployment has few agents, so every look reads their histograms too.
    #[must_use]
    pub fn options(&self) -> MonitorOptions {
        MonitorOptions {
            interval: self.interval,
            latency_interval: self.interval,
            history: HistoryOptions::of(self.history),
            ..MonitorOptions::default()
        }
    }
}

pub(super) fn monitor(document: &mut Document<'_>) -> MonitorConfig {
    let default = MonitorConfig::default();
    let mut section = document.section("monitor");
    let interval = seconds(&mut section, "interval_seconds", default.interval, 0.05, 3600.0);
    let hours = section.whole("history_hours", default.history.as_secs() / 3600, 2..=168);
    let wanted = "give an address such as \"127.0.0.1:9464\", or \"\" to serve nothing";
    let listen = section.text("listen", wanted, |text| {
        let address = if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
        address.map_err(|_| format!("is not an address and a port; {wanted}"))
    });
    section.finish();
    let listen = listen.map_or(default.listen, |(address, _)| address);
    MonitorConfig { interval, history: Duration::from_secs(hours * 3600), listen }
}

/// `[alerting]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertingConfig {
    /// `rules`: the rule file; without it (an empty text), the rules that are built in. Default: none.
    pub rules: RuleSource,
    /// `bundles`: the folder for diagnostic bundles; `None` (an empty text) writes none. Default: `var/bundles`.
    pub bundles: Option<PathBuf>,
}

impl Default for AlertingConfig {
    fn default() -> Self {
        Self { rules: RuleSource::BuiltIn, bundles: Some(PathBuf::from("var/bundles")) }
    }
}

pub(super) fn alerting(document: &mut Document<'_>, places: &mut Vec<Place>) -> AlertingConfig {
    let mut section = document.section("alerting");
    let wanted = "give a rule file, such as \"config/alerts.toml\", or \"\" for the built-in rules";
    let rules = section.text("rules", wanted, |text| {
        let is_blank = !text.is_empty() && text.trim().is_empty();
        if is_blank { Err(format!("is blank; {wanted}")) } else { Ok(PathBuf::from(text)) }
    });
    let rules = rules.filter(|(path, _)| !path.as_os_str().is_empty()).map(|(path, position)| {
        places.push(Place { field: "alerting.rules".to_owned(), path: path.clone(), position });
        RuleSource::File(path)
    });
    let wanted = "give a folder, such as \"var/bundles\", or \"\" to write none";
    let bundles = section.text("bundles", wanted, |text| {
        let is_blank = !text.is_empty() && text.trim().is_empty();
        if is_blank { Err(format!("is blank; {wanted}")) } else { Ok(PathBuf::from(text)) }
    });
    let bundles = bundles.map(|(path, _)| Some(path).filter(|it| !it.as_os_str().is_empty()));
    // Until version 0.1 there was one rule, and it was here.
    for name in ["metric", "threshold", "clear", "for_seconds"] {
        section.retired(name, "is in the rule file now, as a field of [[rule]]; see config/alerts.toml");
    }
    section.finish();
    let bundles = bundles.unwrap_or_else(|| AlertingConfig::default().bundles);
    AlertingConfig { rules: rules.unwrap_or_default(), bundles }
}

/// `[drill]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrillConfig {
    /// `every_ms`: how long between two revocations of a made-up patient, up to an hour; `None` (0) sends none.
    /// Default: none.
    pub every: Option<Duration>,
}

pub(super) fn drill(document: &mut Document<'_>) -> DrillConfig {
    let mut section = document.section("drill");
    let every = Duration::from_millis(section.whole("every_ms", 0, 0..=3_600_000));
    section.finish();
    DrillConfig { every: (!every.is_zero()).then_some(every) }
}

/// `[log]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogConfig {
    /// `level`: `error`, `warn`, `info`, `debug` or `trace`. Default: `info`.
    pub level: LogLevel,
    /// `format`: `pretty` or `json`. Default: `pretty`.
    pub format: LogFormat,
}

/// The least important thing that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is wrong, and was dealt with.
    Warn,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    const NAMES: [(&str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line, for machines.
    Json,
}

pub(super) fn log(document: &mut Document<'_>) -> LogConfig {
    let default = LogConfig::default();
    let mut section = document.section("log");
    let level = section.choice("level", default.level, &LogLevel::NAMES);
    let format =
        section.choice("format", default.format, &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)]);
    section.finish();
    LogConfig { level, format }
}

fn size(section: &mut Section<'_, '_>, name: &'static str, default: usize, least: u64, most: u64) -> usize {
    let number = section.whole(name, default as u64, least..=most);
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn seconds(
    section: &mut Section<'_, '_>,
    name: &'static str,
    default: Duration,
    least: f64,
    most: f64,
) -> Duration {
    Duration::from_secs_f64(section.number(name, default.as_secs_f64(), least..=most))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
