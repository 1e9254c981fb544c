//! Where a PostgreSQL database is.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::UrlError;

const UNDERSTOOD: &str = "only sslmode, sslrootcert, sslcert, sslkey, host, hostaddr, port, dbname, user, password, \
    application_name, options and statement-cache-capacity may follow the question mark";

/// What sqlx understands. It logs the value of a parameter that it does not, and `passwort=…` must not get there.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// A PostgreSQL URL. It may hold a password.
#[derive(Clone)]
pub(in crate::store) struct Server {
    url: String,
    shown: String,
}

impl Server {
    /// Takes what follows `postgres:`.
    pub(super) fn parse(rest: &str) -> Result<Self, UrlError> {
        let shown = shown(rest);
        let Some(place) = rest.strip_prefix("//") else {
            return Err(UrlError::NotAUrl);
        };
        // Whatever follows it would not be read by anybody.
        if place.contains('#') {
            return Err(UrlError::Malformed { url: shown });
        }
        let parameters = place.split_once('?').map_or("", |(_, parameters)| parameters);
        for parameter in parameters.split('&').filter(|it| !it.is_empty()) {
            let key = parameter.split('=').next().unwrap_or_default();
            let of_session = key.strip_prefix("options[").is_some_and(|it| it.ends_with(']'));
            if !of_session && !PARAMETERS.contains(&key) {
                return Err(UrlError::Parameter { url: shown, understood: UNDERSTOOD });
            }
        }
        let mut url = format!("postgres:{rest}");
        if PgConnectOptions::from_str(&url).is_err() {
            return Err(UrlError::Malformed { url: shown });
        }
        // So that whoever looks at the server sees who is connected.
        if !parameters.split('&').any(|it| it.starts_with("application_name=")) {
            url.push_str(if place.contains('?') { "&" } else { "?" });
            url.push_str("application_name=statim");
        }
        Ok(Self { url, shown })
    }

    /// The URL in full: for connecting, not for showing.
    pub(in crate::store) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The URL without user information and parameters; less of it where a slip may have put a password elsewhere.
fn shown(rest: &str) -> String {
    const HIDDEN: &str = "postgres://***";
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (place, parameters) = rest.split_at(end);
    // A password with an unescaped `?` or `#` ends with an `@` behind it.
    if parameters.contains('@') {
        return HIDDEN.to_owned();
    }
    let (hidden, place) = match place.rsplit_once('@') {
        Some((_, place)) => ("***@", place),
        None => ("", place),
    };
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host_ends = authority.rfind(']').unwrap_or(0);
    // `user:password` without a host looks like a host and its port.
    let port = authority[host_ends..].split_once(':').map(|(_, port)| port);
    if port.is_some_and(|it| it.parse::<u16>().is_err()) {
        return HIDDEN.to_owned();
    }
    format!("postgres://{hidden}{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_password_wherever_it_was_put() {
        for (url, expected) in [
            ("//db.example/statim", "postgres://db.example/statim"),
            ("//ann:hunter2@db.example:5433/statim", "postgres://***@db.example:5433/statim"),
            ("//ann:hunter2@[::1]:5433/statim?sslmode=require", "postgres://***@[::1]:5433/statim"),
            ("//ann:hunter2@%2Frun%2Fpg/statim", "postgres://***@%2Frun%2Fpg/statim"),
            ("//ann:hunter2", "postgres://***"),
            ("//ann:hunt/er2@db/x", "postgres://***@db/x"),
            ("//ann:hunt?hunter2@db/x", "postgres://***"),
            ("//ann:hunt#hunter2@db/x", "postgres://***"),
            ("//db/x?password=hunter2", "postgres://db/x"),
        ] {
            assert_eq!(shown(url), expected);
            match Server::parse(url) {
                Ok(server) => assert_eq!(server.shown(), expected),
                Err(error) => assert!(!format!("{error} {error:?}").contains("hunt"), "{error}"),
            }
        }
    }
}
