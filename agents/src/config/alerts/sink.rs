//! `[[sink]]`: where notifications go, and where the secrets for it are.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use super::table::{Notes, Table};
use crate::config::fault::Fault;
use crate::config::lines::Position;

/// Longest secret, in bytes.
const LONGEST: u64 = 64 << 10;

/// Where notifications go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// Its name, by which rules and escalation steps name it.
    pub name: String,
    /// What is there.
    pub kind: SinkKind,
    /// Addresses that are no secret: one, or every member of a cluster. Empty for the vendor's own, or where
    /// `address_secret` says it.
    pub addresses: Vec<String>,
    /// Where the address is kept, if whoever knows it can send.
    pub address_secret: Option<SecretSource>,
    /// Where the key is kept.
    pub secret: Option<SecretSource>,
}

/// What kind of sink it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkKind {
    /// The log of the process.
    Log,
    /// Any HTTP endpoint; signed if there is a secret.
    Webhook,
    /// Prometheus Alertmanager.
    Alertmanager,
    /// PagerDuty, by its events API; the secret is the routing key.
    PagerDuty,
    /// A Slack incoming webhook; its address is the secret.
    Slack,
    /// Jira Service Management; the secret is the API key.
    JiraServiceManagement,
    /// Opsgenie; the secret is the API key.
    Opsgenie,
}

impl SinkKind {
    /// Each, by its name in a rule file.
    pub const NAMES: [(&str, Self); 7] = [
        ("log", Self::Log),
        ("webhook", Self::Webhook),
        ("alertmanager", Self::Alertmanager),
        ("pagerduty", Self::PagerDuty),
        ("slack", Self::Slack),
        ("jira_service_management", Self::JiraServiceManagement),
        ("opsgenie", Self::Opsgenie),
    ];

    /// Its name in a rule file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSource {
    place: Place,
    /// Where the rule file names it.
    pub(crate) position: Position,
    pub(crate) field: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Variable(String),
    File(PathBuf),
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFault {
    /// The environment variable is not set.
    #[error("the environment variable {0} is not set, or empty")]
    Unset(String),
    /// It is set to something that is no text.
    #[error("the environment variable {0} is not UTF-8")]
    NotText(String),
    /// The file cannot be read.
    #[error("the file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// There is nothing in it.
    #[error("the file {0} is empty")]
    Empty(PathBuf),
    /// It is not meant.
    #[error("the file {0} is larger than 64 KiB, which is no secret")]
    Large(PathBuf),
}

impl SecretSource {
    /// The environment variable of this name; `None` if that is no name, but most likely the secret itself.
    pub(in crate::config) fn variable(name: String, position: Position, field: String) -> Option<Self> {
        let valid = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        (valid && name.len() <= 128).then_some(Self { place: Place::Variable(name), position, field })
    }

    /// This file.
    pub(in crate::config) fn file(path: PathBuf, position: Position, field: String) -> Self {
        Self { place: Place::File(path), position, field }
    }

    /// Why it is no good, as a fault of the configuration.
    pub(in crate::config) fn fault(&self, message: String) -> Fault {
        Fault::at(self.position, Some(self.field.clone()), message)
    }

    /// Reads the secret, without the line end at its end. What it returns is for sending only: never log it.
    ///
    /// # Errors
    ///
    /// Why it is not there. No value is repeated.
    pub fn load(&self) -> Result<String, SecretFault> {
        match &self.place {
            Place::Variable(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(value),
                Err(std::env::VarError::NotUnicode(_)) => Err(SecretFault::NotText(name.clone())),
                _ => Err(SecretFault::Unset(name.clone())),
            },
            Place::File(path) => {
                let mut text = String::new();
                let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
                match read {
                    Err(error) => Err(SecretFault::Unreadable(path.clone(), error)),
                    Ok(_) if text.len() as u64 > LONGEST => Err(SecretFault::Large(path.clone())),
                    Ok(_) if text.trim().is_empty() => Err(SecretFault::Empty(path.clone())),
                    Ok(_) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                }
            }
        }
    }
}

pub(super) fn sinks<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> Vec<Sink> {
    let tables = file.tables(notes, "sink");
    if tables.is_empty() {
        let (addresses, address_secret, secret) = (Vec::new(), None, None);
        return vec![Sink { name: "log".to_owned(), kind: SinkKind::Log, addresses, address_secret, secret }];
    }
    let mut sinks: Vec<Sink> = Vec::new();
    for mut table in tables {
        let name = table.text(notes, "name", "give it a name").unwrap_or_default();
        table.require(notes, "name", "give it a name by which rules can name it");
        if sinks.iter().any(|it| it.name == name && !name.is_empty()) {
            table.fault(notes, "name", "is the name of an earlier sink too; names are unique");
        }
        if !name.is_empty() {
            table.rename(format!("sink.{name}"));
        }
        let kind = table.choice(notes, "kind", &SinkKind::NAMES);
        table.require(notes, "kind", "say what is there, such as \"webhook\"");
        let addresses = addresses(notes, &mut table);
        let address_secret = source(notes, &mut table, "url_env", "url_file");
        let secret = source(notes, &mut table, "secret_env", "secret_file");
        let kind = kind.unwrap_or(SinkKind::Log);
        let sink = Sink { name, kind, addresses, address_secret, secret };
        if !table.is_wrong("kind") {
            judge(notes, &mut table, &sink);
        }
        table.finish(notes);
        sinks.push(sink);
    }
    sinks
}

/// Whether the sink has what its kind needs.
fn judge<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>, sink: &Sink) {
    const HIDE: &str = "name the environment variable (url_env) or file (url_file) that holds it";
    let addressed = !sink.addresses.is_empty() || sink.address_secret.is_some() || table.is_wrong("url");
    match sink.kind {
        SinkKind::Slack if !sink.addresses.is_empty() => {
            table.fault(notes, "url", format!("is a secret, since whoever knows it can send; {HIDE}"));
        }
        SinkKind::Slack if !addressed => table.require(notes, "url_env", HIDE),
        SinkKind::Webhook | SinkKind::Alertmanager if !addressed => {
            table.require(notes, "url", "give the address to send to");
        }
        SinkKind::PagerDuty | SinkKind::JiraServiceManagement | SinkKind::Opsgenie
            if sink.secret.is_none() =>
        {
            let wanted =
                "name the environment variable (secret_env) or file (secret_file) that holds the key";
            table.require(notes, "secret_env", wanted);
        }
        _ => {}
    }
}

fn addresses<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>) -> Vec<String> {
    let named = table.texts(notes, "url", "give an address, such as \"https://alerts.example.org/hook\"");
    let path = format!("{}.url", table.path());
    let mut addresses = Vec::new();
    for (address, span) in named.unwrap_or_default() {
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let host = rest.map(|it| it.split(['/', '?', '#']).next().unwrap_or_default());
        // What is wrong with it is said without repeating it: it may hold a password.
        match host {
            Some(host) if host.contains('@') => {
                notes.add(
                    span,
                    &*path,
                    "holds a user or password; name the variable (url_env) or file (url_file) that holds it",
                );
            }
            Some(host) if !host.is_empty() && !address.contains(char::is_whitespace) => {
                addresses.push(address)
            }
            _ => notes.add(span, &*path, "is not an address that begins with https:// or http://"),
        }
    }
    addresses
}

fn source<'i>(
    notes: &mut Notes<'i>,
    table: &mut Table<'i>,
    variable: &'static str,
    file: &'static str,
) -> Option<SecretSource> {
    let place = |table: &Table<'i>, notes: &Notes<'i>, place, field: &str| SecretSource {
        place,
        position: notes.position(&table.span(field)),
        field: format!("{}.{field}", table.path()),
    };
    let named = table.text(notes, variable, "name an environment variable");
    let kept = table.text(notes, file, "name a file");
    match (named, kept) {
        (Some(_), Some(_)) => {
            table.fault(notes, file, format!("is there beside {variable}; give one of them"));
            None
        }
        (Some(name), None) => {
            let valid = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
            if !valid || name.len() > 128 {
                // Most likely the secret itself.
                table.fault(
                    notes,
                    variable,
                    "is not the name of an environment variable: letters, digits and _",
                );
                return None;
            }
            Some(place(table, notes, Place::Variable(name), variable))
        }
        (None, Some(path)) => Some(place(table, notes, Place::File(path.into()), file)),
        (None, None) => None,
    }
}
