//! Why a load test cannot begin.

use std::path::PathBuf;

use statim::store::{OpenError, UrlError};

use crate::catalogue::CatalogueError;
use crate::consent::LedgerError;
use crate::deployment::DeploymentError;
use crate::messages::{Refusal, TokenFault};

/// Why there is nothing to send to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// There is no place for a database.
    #[error("no folder for the load test's database can be made below {folder}: {source}")]
    Folder {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database holds what is not a load test's.
    #[error(
        "the database {url} holds records or consents that are no load test's; name an empty one, since a load test \
         writes made-up patients and studies that a ledger never forgets"
    )]
    InUse {
        /// The database, without its password.
        url: String,
    },
    /// The database's URL is no good.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The consent ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The deployment did not start.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The studies that are asked for could not be put there.
    #[error("the studies that will be asked for could not be stored: {0}")]
    Prepare(#[from] Refusal),
    /// The same over HTTP.
    #[error("the studies that will be asked for could not be stored at {url}: {what}")]
    PrepareOverHttp {
        /// Where.
        url: String,
        /// What came back.
        what: String,
    },
    /// The deployment does not say how it is.
    #[error("{url} gives no snapshot: {what}")]
    NoSnapshot {
        /// Where.
        url: String,
        /// What came back.
        what: String,
    },
    /// The address is none.
    #[error("{url:?} is not an address such as http://127.0.0.1:9464; https needs a proxy in between")]
    Address {
        /// What was given, without user information.
        url: String,
    },
    /// The token is none.
    #[error("the token in {variable}: {fault}")]
    Token {
        /// The environment variable.
        variable: String,
        /// What is wrong with it.
        fault: TokenFault,
    },
    /// There is no token.
    #[error("the environment variable {variable} is not set, or not text")]
    NoToken {
        /// The environment variable.
        variable: String,
    },
}
