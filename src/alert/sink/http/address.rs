//! Where a request goes.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::http::uri::Scheme;

use super::super::secret::Secret;

/// Longest address, in bytes.
const LONGEST: usize = 4_096;

/// An HTTP address. May be a secret, so it cannot be printed.
#[derive(Clone)]
pub struct Address {
    uri: Uri,
    host: String,
    /// For `Authorization: Basic`, of the user and password in the address.
    basic: Option<Secret>,
}

/// Why something is no address. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressFault {
    /// Not a URL, or too long.
    #[error(
        "the address is not a URL such as https://alerts.example.org/hook, of at most 4,096 ASCII characters"
    )]
    NotUrl,
    /// Neither HTTP nor HTTPS.
    #[error("the address does not begin with https:// or http://")]
    Scheme,
    /// A key would travel in clear.
    #[error(
        "the address begins with http://, and a key is not sent in clear to another machine; use https://"
    )]
    InClear,
}

impl Address {
    /// Reads an address. A user and password in it are sent as `Authorization: Basic`.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(AddressFault::NotUrl);
        }
        let uri: Uri = text.parse().map_err(|_| AddressFault::NotUrl)?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => {}
            Some(_) => return Err(AddressFault::Scheme),
            None => return Err(AddressFault::NotUrl),
        }
        let authority = uri.authority().ok_or(AddressFault::NotUrl)?.as_str().to_owned();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = place.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map(|(_, port)| port);
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(AddressFault::NotUrl);
        }
        let basic = user.map(basic).transpose()?;
        let mut parts = uri.into_parts();
        parts.authority = Some(place.parse().map_err(|_| AddressFault::NotUrl)?);
        let uri = Uri::from_parts(parts).map_err(|_| AddressFault::NotUrl)?;
        Ok(Self { uri, host, basic })
    }

    /// The address of a path of the API at this one. What is in front of it stays, as of a reverse proxy, and so does the
    /// query; a path that is there already is not added again.
    pub(in super::super) fn api(&self, path: &str) -> Self {
        let before = self.in_front_of(path);
        self.at(&format!("{before}{path}"))
    }

    /// What is in front of a path of the API at this address, whether the path is there or not.
    pub(in super::super) fn base_of(&self, path: &str) -> Self {
        self.at(match self.in_front_of(path) {
            "" => "/",
            before => before,
        })
    }

    fn in_front_of(&self, path: &str) -> &str {
        let before = self.uri.path().trim_end_matches('/');
        before.strip_suffix(path).unwrap_or(before)
    }

    /// The address at the same host with another path, which may have a query, and the same query.
    fn at(&self, path: &str) -> Self {
        let and = if path.contains('?') { '&' } else { '?' };
        let query = self.uri.query().map_or_else(String::new, |query| format!("{and}{query}"));
        let mut parts = self.uri.clone().into_parts();
        // Of two that are valid, and of ours; what cannot be joined stays what it was.
        parts.path_and_query = format!("{path}{query}").parse().ok().or(parts.path_and_query);
        let uri = Uri::from_parts(parts).unwrap_or_else(|_| self.uri.clone());
        Self { uri, ..self.clone() }
    }

    /// This address, if a key may be sent to it.
    ///
    /// # Errors
    ///
    /// It is plain HTTP to another machine.
    pub(in super::super) fn for_a_key(self) -> Result<Self, AddressFault> {
        let local = self.host == "localhost"
            || self.host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_loopback())
            || self.host.parse::<Ipv6Addr>().is_ok_and(|it| it.is_loopback());
        if self.is_https() || local { Ok(self) } else { Err(AddressFault::InClear) }
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The host by name, or by number without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Host and port, as in the header `Host`.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |it| it.as_str())
    }

    /// What follows the word `Basic` in the header `Authorization`.
    pub(super) fn basic(&self) -> Option<&Secret> {
        self.basic.as_ref()
    }
}

/// User and password as a header has them.
fn basic(user: &str) -> Result<Secret, AddressFault> {
    let decoded = decode(user).ok_or(AddressFault::NotUrl)?;
    let both = if user.contains(':') { decoded } else { [decoded.as_slice(), b":"].concat() };
    Ok(Secret::new(STANDARD.encode(both)))
}

/// Percent-encoding undone.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |it: u8| char::from(it).to_digit(16);
            let number = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
            bytes.push(u8::try_from(number).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let address = Address::parse("https://us%40er:p%3Ass@alerts.example.org:8443/a/b?c=d").unwrap();
        assert_eq!(address.uri().to_string(), "https://alerts.example.org:8443/a/b?c=d");
        assert_eq!((address.host(), address.port(), address.is_https()), ("alerts.example.org", 8443, true));
        assert_eq!(address.basic().unwrap().reveal(), STANDARD.encode("us@er:p:ss"));
        assert_eq!(address.authority(), "alerts.example.org:8443");
        let address = Address::parse(" http://[::1]/ ").unwrap();
        assert_eq!((address.host(), address.port(), address.is_https()), ("::1", 80, false));
        assert_eq!(Address::parse("https://a@b").unwrap().basic().unwrap().reveal(), STANDARD.encode("a:"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in
            ["", "key", "/path", "https://", "https://a:b:c", "https://a:99999", "https://a b", "http://ä"]
        {
            assert_eq!(Address::parse(text).unwrap_err(), AddressFault::NotUrl, "{text}");
        }
        assert_eq!(Address::parse("ftp://a").unwrap_err(), AddressFault::Scheme);
        assert_eq!(
            Address::parse(&format!("https://a/{}", "x".repeat(5_000))).unwrap_err(),
            AddressFault::NotUrl
        );
        assert_eq!(Address::parse("https://%zz@a").unwrap_err(), AddressFault::NotUrl);
        let address = Address::parse("https://user:pass@host/secret?key=secret").unwrap();
        assert_eq!(format!("{address:?}"), "Address(…)");
    }

    #[test]
    fn the_path_of_an_api_is_added_once_and_behind_what_is_there() {
        let of = |text: &str| Address::parse(text).unwrap().api("/api/v2/alerts").uri().to_string();
        assert_eq!(of("http://a:9093"), "http://a:9093/api/v2/alerts");
        assert_eq!(of("http://a:9093/am/"), "http://a:9093/am/api/v2/alerts");
        assert_eq!(of("http://a/api/v2/alerts"), "http://a/api/v2/alerts");
        assert_eq!(of("http://a/x?tenant=b"), "http://a/x/api/v2/alerts?tenant=b");
        let base = |text: &str| Address::parse(text).unwrap().base_of("/v2/alerts").uri().to_string();
        assert_eq!(base("https://a/x/v2/alerts/?b=c"), "https://a/x?b=c");
        assert_eq!(
            (base("https://a/v2/alerts"), base("https://a/x")),
            ("https://a/".into(), "https://a/x".into())
        );
        let closing = Address::parse("http://a?tenant=b").unwrap().api("/v2/x/close?by=c");
        assert_eq!(closing.uri().to_string(), "http://a/v2/x/close?by=c&tenant=b");
    }

    #[test]
    fn a_key_is_not_sent_in_clear_to_another_machine() {
        let safe = |text: &str| Address::parse(text).unwrap().for_a_key().is_ok();
        for text in ["https://a", "http://127.0.0.1:1", "http://[::1]", "http://localhost"] {
            assert!(safe(text), "{text}");
        }
        for text in
            ["http://a", "http://10.0.0.1", "http://localhost.example.org", "http://127.0.0.1.example.org"]
        {
            assert!(!safe(text), "{text}");
        }
    }
}
