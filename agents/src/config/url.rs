//! A database URL that can be shown.

use std::fmt;

use statim::store::{UrlError, sibling_url};

/// The URL of a database. `Debug` and `Display` show neither user information nor parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    url: String,
    consent: String,
}

impl DatabaseUrl {
    /// Where everything is kept unless somebody says otherwise.
    pub const DEFAULT: &str = "sqlite://var/statim.db";

    /// Takes a URL such as `sqlite://var/statim.db`.
    ///
    /// # Errors
    ///
    /// When this build cannot talk to such a database, or the URL makes no sense.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        Ok(Self { url: url.to_owned(), consent: sibling_url(url, "consent")? })
    }

    /// The URL in full: for opening the database, not for showing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The URL of the neighbouring database that holds the consent ledger: for opening, not for showing.
    #[must_use]
    pub fn consent(&self) -> &str {
        &self.consent
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        let url = Self::DEFAULT.to_owned();
        Self { url, consent: "sqlite://var/statim.consent.db".to_owned() }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.split('?').next().unwrap_or_default();
        let (scheme, rest) = shown.split_once(':').unwrap_or(("", shown));
        match rest.rsplit_once('@') {
            Some((_, place)) => write!(f, "{scheme}://***@{place}"),
            None => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
