//! The research agent.

use std::sync::Arc;
use std::time::Duration;

use statim::store::Store;
use statim::store::cache::{QueryCache, QueryKey};
use statim::{Agent, Context, Message, Priority, Reply, Severity};

use crate::catalogue::{Catalogue, CatalogueError, Totals};
use crate::record::{Identity, Record};

/// What research is asked.
#[derive(Debug)]
pub enum ResearchMessage {
    /// The current version of a record, by any number it goes by.
    Record {
        /// Which.
        identity: Identity,
        /// Who asks; `None` is the answer for one that is not there.
        reply: Reply<Option<Record>>,
    },
    /// How many records there are, by kind.
    Totals(Reply<Totals>),
}

impl Message for ResearchMessage {
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Record { .. } => "record",
            Self::Totals(_) => "totals",
        }
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResearchError {
    /// The catalogue could not be opened or read.
    #[error("the catalogue cannot be asked: {0}")]
    Catalogue(Arc<CatalogueError>),
}

/// A member of the research pool.
#[derive(Debug)]
pub struct Research {
    store: Store,
    cache: QueryCache,
    catalogue: Option<Catalogue>,
}

impl Research {
    /// How old an answer may be.
    pub const FRESH: Duration = Duration::from_secs(2);

    /// Asks the catalogue in `store`, and keeps answers in `cache`, which the members of a pool share.
    #[must_use]
    pub fn new(store: Store, cache: QueryCache) -> Self {
        Self { store, cache, catalogue: None }
    }

    fn catalogue(&self) -> &Catalogue {
        self.catalogue.as_ref().expect("the catalogue is opened before the first message")
    }

    async fn record(&self, identity: &Identity) -> Result<Option<Record>, Arc<CatalogueError>> {
        let key = QueryKey::new("catalogue.record").bind(identity.kind.as_str()).bind(&identity.id);
        self.cache.query(key).ttl(Self::FRESH).get_or_load(|| self.catalogue().get(identity)).await
    }

    async fn totals(&self) -> Result<Totals, Arc<CatalogueError>> {
        let key = QueryKey::new("catalogue.totals");
        self.cache.query(key).ttl(Self::FRESH).get_or_load(|| self.catalogue().totals()).await
    }
}

impl Agent for Research {
    type Message = ResearchMessage;
    type Error = ResearchError;

    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), ResearchError> {
        let opened = Catalogue::open(&self.store).await;
        self.catalogue = Some(opened.map_err(|error| ResearchError::Catalogue(Arc::new(error)))?);
        Ok(())
    }

    async fn handle(&mut self, message: ResearchMessage, _: &mut Context<Self>) -> Result<(), ResearchError> {
        match message {
            ResearchMessage::Record { identity, reply } => {
                reply.send(self.record(&identity).await.map_err(ResearchError::Catalogue)?);
            }
            ResearchMessage::Totals(reply) => {
                reply.send(self.totals().await.map_err(ResearchError::Catalogue)?);
            }
        }
        Ok(())
    }

    fn severity(_: &ResearchError) -> Severity {
        // A database that fails may come back; there is no state to rebuild.
        Severity::Message
    }
}
