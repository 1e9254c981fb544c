//! A database URL that can be shown.

use std::fmt;

use statim::store::{UrlError, shown_url, sibling_url};

/// The URL of a database. `Debug` and `Display` show neither user information nor parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    url: String,
    shown: String,
    consent: String,
}

impl DatabaseUrl {
    /// Where everything is kept unless somebody says otherwise.
    pub const DEFAULT: &str = "sqlite://var/statim.db";

    /// Takes a URL such as `sqlite://var/statim.db` or `postgres://user:password@host/database`.
    ///
    /// # Errors
    ///
    /// When this build cannot talk to such a database, or the URL makes no sense.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        Ok(Self { url: url.to_owned(), shown: shown_url(url)?, consent: sibling_url(url, "consent")? })
    }

    /// The URL in full: for opening the database, not for showing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The URL of the neighbouring database that holds the consent ledger, on PostgreSQL the same one: for opening, not
    /// for showing.
    #[must_use]
    pub fn consent(&self) -> &str {
        &self.consent
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        let (url, consent) = (Self::DEFAULT.to_owned(), "sqlite://var/statim.consent.db".to_owned());
        Self { shown: url.clone(), url, consent }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
