//! What the operator decides: the TOML file of a deployment.
//!
//! [`Config::load`] reads a file and either understands all of it or says everything that is wrong with it at once
//! ([`Faults`]): the line and column, the field, what is wrong and what would be right. Whatever a file leaves out has its
//! default. A name that is not known is a fault, because a misspelt setting would otherwise silently be the default.

pub mod alerts;
mod fault;
mod guards;
mod lines;
pub mod load;
mod messages;
mod reader;
mod sections;
mod shape;
mod suggest;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use self::alerts::quantity::duration;
pub use self::fault::{Fault, Faults};
pub use self::guards::{AdmissionConfig, LinksConfig};
pub use self::lines::Position;
pub use self::messages::MessagesConfig;
pub use self::sections::{
    AlertingConfig, ConsentConfig, DatabaseConfig, DeduplicationConfig, DrillConfig, IngestionConfig,
    LogConfig, LogFormat, LogLevel, MonitorConfig, RuntimeConfig,
};
pub(crate) use self::suggest::nearest;
pub use self::url::DatabaseUrl;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use self::reader::Document;
use crate::alerting::RuleSource;
use crate::messages::RouteOptions;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A deployment. The default is what an empty file gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where records, consent and dead letters are kept.
    pub database: DatabaseConfig,
    /// Threads, and how long stopping may take.
    pub runtime: RuntimeConfig,
    /// What is read, and by how many.
    pub ingestion: IngestionConfig,
    /// How records are gathered on their way into the catalogue.
    pub deduplication: DeduplicationConfig,
    /// The consent agent.
    pub consent: ConsentConfig,
    /// How often the agents are looked at, and how much of that is kept.
    pub monitor: MonitorConfig,
    /// Whether messages from outside are taken in.
    pub messages: MessagesConfig,
    /// When somebody is told.
    pub alerting: AlertingConfig,
    /// Made-up revocations, to show how fast real ones would be.
    pub drill: DrillConfig,
    /// The guards on the links between agents.
    pub links: LinksConfig,
    /// Agents that refuse messages while messages wait too long.
    pub admission: AdmissionConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// What the configuration was read from, as faults name it.
    origin: String,
    /// Where each path that must exist is written.
    places: Vec<Place>,
}

/// Where a path is written.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    field: String,
    path: PathBuf,
    position: Position,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: DatabaseConfig::default(),
            runtime: RuntimeConfig::default(),
            ingestion: IngestionConfig::default(),
            deduplication: DeduplicationConfig::default(),
            consent: ConsentConfig::default(),
            monitor: MonitorConfig::default(),
            messages: MessagesConfig::default(),
            alerting: AlertingConfig::default(),
            drill: DrillConfig::default(),
            links: LinksConfig::default(),
            admission: AdmissionConfig::default(),
            log: LogConfig::default(),
            origin: "the built-in defaults".to_owned(),
            places: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a configuration file of at most 1 MiB.
    ///
    /// Whether the paths it names exist is not looked at; see [`check_paths`](Self::check_paths).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, or why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let (text, origin) = text_of(path)?;
        Self::parse(&text, &origin)
    }

    /// Reads a configuration from its text; `origin` is the name by which faults call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Faults> {
        let mut document = Document::parse(text);
        let mut places = Vec::new();
        // In the order in which faults name the sections.
        let database = sections::database(&mut document);
        let runtime = sections::runtime(&mut document);
        let ingestion = sections::ingestion(&mut document, &mut places);
        let deduplication = sections::deduplication(&mut document);
        let consent = sections::consent(&mut document, &mut places);
        let monitor = sections::monitor(&mut document);
        let messages = messages::messages(&mut document, &monitor);
        let config = Self {
            database,
            runtime,
            ingestion,
            deduplication,
            consent,
            monitor,
            messages,
            alerting: sections::alerting(&mut document, &mut places),
            drill: sections::drill(&mut document),
            links: guards::links(&mut document),
            admission: guards::admission(&mut document),
            log: sections::log(&mut document),
            origin: origin.to_owned(),
            places,
        };
        let faults = document.finish();
        if faults.is_empty() { Ok(config) } else { Err(Faults::of(origin.to_owned(), faults)) }
    }

    /// How messages from outside are let in, with the token read from where it is kept; `None` if they are not.
    ///
    /// # Errors
    ///
    /// Why there is no token, with the line that names its place. The token is not repeated.
    pub fn message_route(&self) -> Result<Option<RouteOptions>, Faults> {
        self.messages.route().map_err(|fault| Faults::of(self.origin.clone(), vec![fault]))
    }

    /// What it was read from: the path of the file, or that it is the built-in defaults.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the files and folders to be read are there. Paths are relative to the current directory.
    ///
    /// # Errors
    ///
    /// Each path that is not, with its line.
    pub fn check_paths(&self) -> Result<(), Faults> {
        let mut faults = Vec::new();
        for (index, source) in self.ingestion.sources.iter().enumerate() {
            if let Err(error) = std::fs::metadata(source) {
                faults.push(self.absent(format!("ingestion.sources[{index}]"), source, &missing(&error)));
            }
        }
        let rules = match &self.alerting.rules {
            RuleSource::File(path) => Some(("alerting.rules", path)),
            RuleSource::BuiltIn => None,
        };
        for (field, path) in self.consent.replay.iter().map(|it| ("consent.replay", it)).chain(rules) {
            let message = match std::fs::metadata(path) {
                Ok(found) if found.is_dir() => Some("is a folder; name a file".to_owned()),
                Ok(_) => None,
                Err(error) => Some(missing(&error)),
            };
            faults.extend(message.map(|it| self.absent(field.to_owned(), path, &it)));
        }
        if faults.is_empty() { Ok(()) } else { Err(Faults::of(self.origin.clone(), faults)) }
    }

    fn absent(&self, field: String, path: &Path, what: &str) -> Fault {
        match self.places.iter().find(|it| it.field == field && it.path == path) {
            Some(place) => Fault::at(place.position, Some(field), format!("{} {what}", path.display())),
            None => Fault::unwritten(field, format!("{} (the default) {what}", path.display())),
        }
    }
}

fn missing(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist; paths are relative to the current directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The text of a file of at most 1 MiB, and its name.
fn text_of(path: &Path) -> Result<(String, String), Faults> {
    let origin = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Err(Faults::of(origin, vec![Fault::file(format!("cannot be read: {error}"))]));
        }
    };
    if bytes.len() as u64 > LARGEST {
        return Err(Faults::of(origin, vec![Fault::file("is larger than 1 MiB".to_owned())]));
    }
    String::from_utf8(bytes).map(|text| (text, origin.clone())).map_err(|error| {
        let before = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let position = lines::Lines::new(&before).position(before.len());
        let fault = Fault::at(position, None, "is not UTF-8 from here on; save it as UTF-8");
        Faults::of(origin, vec![fault])
    })
}

/// At most one byte more than may be.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
