//! What can go wrong with a deployment as a whole.

use std::path::PathBuf;

use statim::alert::service::AlertOpenError;
use statim::delivery::LettersError;
use statim::link::NewLinkError;
use statim::monitor::ServeError;
use statim::store::cache::CacheOpenError;
use statim::store::{OpenError, UrlError};
use statim::{SpawnError, StartError};

use crate::catalogue::CatalogueError;
use crate::config::Faults;
use crate::formats::DiscoverError;

/// Why a deployment did not start, or a job of it did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// The runtime did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An agent did not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// A link between two agents cannot be made.
    #[error(transparent)]
    Link(#[from] NewLinkError),
    /// The alert rules are wrong.
    #[error(transparent)]
    Rules(#[from] Faults),
    /// Alerting did not start.
    #[error(transparent)]
    Alerts(#[from] AlertOpenError),
    /// Metrics and health cannot be served.
    #[error("monitor.listen: {0}")]
    Serve(#[from] ServeError),
    /// Anybody who reaches the address could send messages.
    #[error("messages are not accepted at {address} without a token: it can be reached from other machines")]
    OpenDoor {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// The cache of the research agent cannot be opened.
    #[error(transparent)]
    Cache(#[from] CacheOpenError),
    /// The database's URL is no good.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tables of the catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The dead letters cannot be read or written.
    #[error(transparent)]
    Letters(#[from] LettersError),
    /// A source cannot be looked into.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The file of consent events cannot be read.
    #[error("cannot read the consent events in {path}: {source}")]
    Replay {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of it is none.
    #[error(
        "{path}, line {line}: not a consent event; each line is one JSON object with an \"op\" of grant, revoke or decide"
    )]
    ReplayLine {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// An agent ended in the middle of its job.
    #[error("the {agent} agent ended before its job was done; the log above says why")]
    AgentEnded {
        /// Which.
        agent: &'static str,
    },
}
