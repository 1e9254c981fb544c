//! Alerting as others see it through the database.

use sqlx::Row as _;

use super::board::OpenAlert;
use super::error::LedgerError;
use super::ledger;
use super::request::Request;
use crate::alert::silence::{Silence, SilenceFault};
use crate::alert::time::Moment;
use crate::store::Store;

/// What a running [`AlertService`](super::AlertService) wrote down, for other processes: what is open, what became of
/// notifications; and the way to ask it for something.
#[derive(Debug, Clone)]
pub struct AlertLedger {
    store: Store,
}

/// A notification and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeliveryRecord {
    /// Its place among all.
    pub seq: i64,
    /// The notification's id.
    pub id: String,
    /// To whom.
    pub sink: String,
    /// Why it was sent, such as `fired`.
    pub why: String,
    /// When it was decided, in milliseconds since 1970.
    pub queued_at: Moment,
    /// Attempts that were begun.
    pub attempts: i64,
    /// When it is tried again, if it waits.
    pub due_at: Moment,
    /// `waiting`, or the name of a [`Fate`](super::Fate).
    pub status: String,
    /// When that was decided.
    pub settled_at: Option<Moment>,
    /// What went wrong last.
    pub reason: Option<String>,
}

impl AlertLedger {
    /// Opens it, making its tables if needed.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if they cannot be brought up to date.
    pub async fn open(store: &Store) -> Result<Self, LedgerError> {
        store.migrate(ledger::COMPONENT, ledger::MIGRATIONS).await?;
        Ok(Self { store: store.clone() })
    }

    /// What was pending or fired at the last evaluation, and when that was; `None` if there never was one.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if it cannot be read.
    pub async fn open_alerts(&self) -> Result<Option<(Moment, Vec<OpenAlert>)>, LedgerError> {
        let mut reader = self.store.read().await?;
        let state = ledger::state(&mut reader, ledger::BOARD).await?;
        // What another version wrote says nothing to this one.
        Ok(state.and_then(|(at, body)| Some((at, rmp_serde::from_slice(&body).ok()?))))
    }

    /// The newest notifications, at most `limit`; of one status, if it is given.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if they cannot be read.
    pub async fn deliveries(
        &self,
        status: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>, LedgerError> {
        let mut reader = self.store.read().await?;
        let rows = ledger::rows(&mut reader, status, limit).await?;
        let record = |row: &sqlx::any::AnyRow| {
            Ok(DeliveryRecord {
                seq: row.try_get(0)?,
                id: row.try_get(1)?,
                sink: row.try_get(2)?,
                why: row.try_get(3)?,
                queued_at: ledger::moment(row.try_get(4)?),
                attempts: row.try_get(5)?,
                due_at: ledger::moment(row.try_get(6)?),
                status: row.try_get(7)?,
                settled_at: row.try_get::<Option<i64>, _>(8)?.map(ledger::moment),
                reason: row.try_get(9)?,
            })
        };
        rows.iter().map(record).collect()
    }

    /// Asks whoever evaluates to acknowledge the alert of this key: done with its next evaluation, or after its next
    /// start. Has no effect if nothing fires under the key by then.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if it cannot be written.
    pub async fn acknowledge(&self, key: &str, by: &str) -> Result<(), LedgerError> {
        self.ask(&Request::Acknowledge { key: key.to_owned(), by: by.to_owned() }).await
    }

    /// Asks whoever evaluates for a silence, in the same way.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if it cannot be written; what is wrong with the silence, inside.
    pub async fn silence(&self, silence: Silence) -> Result<Result<(), SilenceFault>, LedgerError> {
        let mut alone = crate::alert::silence::Silences::default();
        if let Err(fault) = alone.add(silence.clone(), Moment::default()) {
            return Ok(Err(fault));
        }
        self.ask(&Request::Silence(silence)).await.map(Ok)
    }

    /// Asks whoever evaluates to end a silence, in the same way.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if it cannot be written.
    pub async fn lift_silence(&self, id: &str) -> Result<(), LedgerError> {
        self.ask(&Request::LiftSilence { id: id.to_owned() }).await
    }

    async fn ask(&self, request: &Request) -> Result<(), LedgerError> {
        let request = ledger::encode(request);
        let mut writer = self.store.write().await?;
        ledger::ask(&mut writer, &request, std::time::SystemTime::now().into()).await?;
        Ok(writer.commit().await?)
    }
}
