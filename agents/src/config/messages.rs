//! `[messages]`: messages from outside.

use std::path::PathBuf;
use std::time::Duration;

use super::MonitorConfig;
use super::alerts::SecretSource;
use super::fault::Fault;
use super::reader::{Document, Section};
use crate::messages::{RouteOptions, Token};

/// `[messages]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesConfig {
    /// `accept`: whether `POST /messages` is served where metrics are. On other than a loopback address only with a token.
    /// Default: no.
    pub accept: bool,
    /// `token_env` or `token_file`: where the token is that senders must show. Default: none.
    pub token: Option<SecretSource>,
    /// `body_kib`: largest message, 1 KiB to 64 MiB. Default: 1 MiB.
    pub body_bytes: usize,
    /// `concurrency`: messages under way at a time, 1 to 10,000. Default: 256.
    pub concurrency: usize,
    /// `deadline_ms`: how long a message is given that does not say so itself, up to a minute. Default: 10 s.
    pub deadline: Duration,
}

impl Default for MessagesConfig {
    fn default() -> Self {
        let RouteOptions { body_bytes, concurrency, deadline, .. } = RouteOptions::default();
        Self { accept: false, token: None, body_bytes, concurrency, deadline }
    }
}

impl MessagesConfig {
    /// The options of the route, with the token read; `None` if no messages are accepted.
    ///
    /// # Errors
    ///
    /// Why there is no token. It is not repeated.
    pub(super) fn route(&self) -> Result<Option<RouteOptions>, Fault> {
        if !self.accept {
            return Ok(None);
        }
        let token = match &self.token {
            None => None,
            Some(source) => {
                let secret = source.load().map_err(|fault| source.fault(fault.to_string()))?;
                Some(Token::new(&secret).map_err(|fault| source.fault(fault.to_string()))?)
            }
        };
        let Self { body_bytes, concurrency, deadline, .. } = *self;
        Ok(Some(RouteOptions { token, body_bytes, concurrency, deadline }))
    }
}

pub(super) fn messages(document: &mut Document<'_>, monitor: &MonitorConfig) -> MessagesConfig {
    let default = MessagesConfig::default();
    let mut section = document.section("messages");
    let written = section.span("accept");
    let accept = section.flag("accept", default.accept);
    let token = token(&mut section);
    let body_kib = section.whole("body_kib", (default.body_bytes >> 10) as u64, 1..=65_536);
    let concurrency = section.whole("concurrency", default.concurrency as u64, 1..=10_000);
    let deadline = section.whole("deadline_ms", 10_000, 1..=60_000);
    if let Some(span) = written.filter(|_| accept) {
        match monitor.listen {
            None => section.note("accept", span, "needs an address: give monitor.listen one"),
            Some(address) if !address.ip().is_loopback() && token.is_none() => section.note(
                "accept",
                span,
                "would let whoever reaches monitor.listen send messages; name the environment variable (token_env) \
                 or file (token_file) that holds a token, or listen on 127.0.0.1",
            ),
            Some(_) => {}
        }
    }
    section.finish();
    MessagesConfig {
        accept,
        token,
        body_bytes: usize::try_from(body_kib << 10).unwrap_or(usize::MAX),
        concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
        deadline: Duration::from_millis(deadline),
    }
}

fn token(section: &mut Section<'_, '_>) -> Option<SecretSource> {
    let filled = |text: &str| if text.trim().is_empty() { Err("is blank") } else { Ok(text.to_owned()) };
    let beside = section.span("token_file");
    let variable = section.text("token_env", "name an environment variable", filled);
    let file = section.text("token_file", "name a file", filled);
    match (variable, file) {
        (Some(_), Some(_)) => {
            section.note("token_file", beside.unwrap_or(0..0), "is there beside token_env; give one of them");
            None
        }
        (Some((name, position)), None) => {
            let source = SecretSource::variable(name, position, "messages.token_env".to_owned());
            if source.is_none() {
                section.note_at(
                    "token_env",
                    position,
                    "is not the name of an environment variable: letters, digits and _",
                );
            }
            source
        }
        (None, Some((path, position))) => {
            Some(SecretSource::file(PathBuf::from(path), position, "messages.token_file".to_owned()))
        }
        (None, None) => None,
    }
}
