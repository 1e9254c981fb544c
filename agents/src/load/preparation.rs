//! What is there before a load test begins.

use statim::store::{Store, StoreOptions, shown_url, sibling_url};

use super::error::TargetError;
use super::script::Script;
use crate::catalogue::Catalogue;
use crate::consent::Ledger;
use crate::deduplication::Deduplication;
use crate::deployment::Deployment;

/// Writes the patients' consents, unless an earlier load test has. A database that somebody else uses is refused.
pub(super) async fn prepare(url: &str, script: &Script) -> Result<(), TargetError> {
    let store =
        Store::open_with(&sibling_url(url, Deployment::CONSENT_DATABASE)?, StoreOptions::default()).await?;
    let prepared = consents(&store, url, script).await;
    store.close().await;
    prepared
}

async fn consents(store: &Store, url: &str, script: &Script) -> Result<(), TargetError> {
    let ledger = Ledger::open(store).await?;
    let book = ledger.rebuild().await?;
    if book.consents(&script.made_up()).is_some() {
        return Ok(());
    }
    if book.patients() > 0 || has_records(url).await? {
        return Err(TargetError::InUse { url: shown_url(url)? });
    }
    ledger.import(script.consents().collect::<Vec<_>>(), jiff::Timestamp::now()).await?;
    Ok(())
}

async fn has_records(url: &str) -> Result<bool, TargetError> {
    let store = Store::open_with(url, Deduplication::store_options()).await?;
    let totals = match Catalogue::open(&store).await {
        Ok(catalogue) => catalogue.totals().await,
        Err(error) => Err(error),
    };
    store.close().await;
    Ok(totals?.values().any(|count| *count > 0))
}
