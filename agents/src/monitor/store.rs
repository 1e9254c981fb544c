//! Whether the database answers.

use std::time::Duration;

use statim::monitor::Health;
use statim::store::Store;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Adds the check `store`: the database answers a query that touches no table, within a second. What it says on failure names
/// neither the address nor the error, which may hold a password.
#[must_use]
pub fn store_check(health: Health, store: &Store) -> Health {
    let store = store.clone();
    health.check("store", move || {
        let store = store.clone();
        async move {
            let query = async {
                let mut reader = store.read().await.ok()?;
                sqlx::query("SELECT 1").execute(&mut *reader).await.ok()
            };
            match tokio::time::timeout(PATIENCE, query).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("the database refused a query; the log of the database says why".to_owned()),
                Err(_) => Err(format!("the database did not answer within {} s", PATIENCE.as_secs())),
            }
        }
    })
}
