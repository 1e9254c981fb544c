//! The append-only record of every change and every decision.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sqlx::Row;
use statim::store::{Connection, Dialect, Durability, QueryBuilder, Store, Writer};

use super::book::Book;
use super::chain::{Head, Stored, Verification, follow};
use super::error::LedgerError;
use super::event::{Change, ConsentEvent, Entry, Revocation};
use super::model::{AccessRequest, Actor, Decision, Provision, ProvisionId};
use super::patient::PatientId;
use super::schema::MIGRATIONS;

/// What its tables are known by.
const COMPONENT: &str = "consent";
/// What the triggers say.
const OUT_OF_PLACE: &str = "the consent ledger is append-only";
/// Rows a statement inserts at most. Sizes are powers of four, so that few statements need preparing.
const ROWS: [usize; 4] = [64, 16, 4, 1];
/// Events read at a time.
const PAGE: i64 = 512;

/// The ledger of consent, in a database of its own (see [`Store::sibling`]).
///
/// Append-only: the table refuses UPDATE and DELETE, and each event carries the SHA-256 of itself and the one before, so
/// that whoever changes one behind the database's back must change all that follow. When an append returns, it is on the disk.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
    /// Where the chain ended when this process last appended: what lets a small append be a single statement. Another
    /// process may have appended since; then the statement is refused, by its place, and the end is looked up.
    known_head: Arc<Mutex<Option<Head>>>,
}

impl Ledger {
    /// Opens the ledger in `store`, creating its table if needed.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotDurable`] unless the store is durable in full, [`LedgerError::Migrate`] if its table cannot be
    /// made.
    pub async fn open(store: &Store) -> Result<Self, LedgerError> {
        if store.durability() != Durability::Full {
            return Err(LedgerError::NotDurable);
        }
        store.migrate(COMPONENT, MIGRATIONS).await?;
        Ok(Self { store: store.clone(), known_head: Arc::default() })
    }

    /// Whether `store` has a ledger. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Read`] if it cannot be read.
    pub async fn is_in(store: &Store) -> Result<bool, LedgerError> {
        Ok(store.migrated(COMPONENT).await? > 0)
    }

    /// Records that a patient agreed to or refused something.
    ///
    /// # Errors
    ///
    /// As [`append_many`](Self::append_many).
    pub async fn grant(
        &self,
        provision: Provision,
        at: Timestamp,
        by: Actor,
    ) -> Result<ConsentEvent, LedgerError> {
        self.append(Entry { at, change: Change::Grant { provision, by } }).await
    }

    /// Records that a patient took permissions back: one provision, or (`None`) everything.
    ///
    /// # Errors
    ///
    /// As [`append_many`](Self::append_many). Then [`Book::withhold`] keeps the patient's word until it is recorded.
    pub async fn revoke(
        &self,
        patient: PatientId,
        provision: Option<ProvisionId>,
        at: Timestamp,
        by: Actor,
    ) -> Result<ConsentEvent, LedgerError> {
        self.append(Entry { at, change: Change::Revoke(Revocation { patient, provision, at, by }) }).await
    }

    /// Records provisions from another system, all in one commit.
    ///
    /// # Errors
    ///
    /// As [`append_many`](Self::append_many).
    pub async fn import(
        &self,
        provisions: impl IntoIterator<Item = Provision>,
        at: Timestamp,
    ) -> Result<Vec<ConsentEvent>, LedgerError> {
        let entry = |provision| Entry { at, change: Change::Import { provision } };
        self.append_many(provisions.into_iter().map(entry).collect()).await
    }

    /// Records decisions, all in one commit, each at the time it was made. A decision must be recorded before the data
    /// leaves.
    ///
    /// # Errors
    ///
    /// As [`append_many`](Self::append_many).
    pub async fn record_decisions(
        &self,
        batch: impl IntoIterator<Item = (AccessRequest, Decision)>,
    ) -> Result<Head, LedgerError> {
        let entry = |(request, decision): (AccessRequest, Decision)| Entry {
            at: decision.decided_at,
            change: Change::Decision { request, decision },
        };
        self.append_all(&mut batch.into_iter().map(entry).collect::<Vec<_>>()).await
    }

    /// Appends entries in one transaction (a group commit: one wait for the disk, however many there are) and returns
    /// them in their places. When this returns they are on the disk.
    ///
    /// Not cancel safe: if dropped half way, either all are appended or none, and the caller does not know which;
    /// [`catch_up`](Self::catch_up) tells the book.
    ///
    /// # Errors
    ///
    /// [`LedgerError`], with nothing appended: a provision makes no sense, the disk is full, the file is locked.
    pub async fn append_many(&self, mut entries: Vec<Entry>) -> Result<Vec<ConsentEvent>, LedgerError> {
        let head = self.append_all(&mut entries).await?;
        let first = head.seq + 1 - entries.len() as u64;
        Ok((first..)
            .zip(entries)
            .map(|(seq, Entry { at, change })| ConsentEvent { seq, at, change })
            .collect())
    }

    /// The end of the chain.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Database`] if it cannot be read.
    pub async fn head(&self) -> Result<Head, LedgerError> {
        head(&mut *self.store.read().await?).await
    }

    /// The last `limit` events about a patient, decisions included, oldest first.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if they cannot be read.
    pub async fn history(&self, patient: &PatientId, limit: u32) -> Result<Vec<ConsentEvent>, LedgerError> {
        let mut rows = sqlx::query(
            "SELECT seq, patient, kind, provision, at, body FROM consent_events WHERE patient = $1
             ORDER BY seq DESC LIMIT $2",
        )
        .bind(patient.expose())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.store.read().await?)
        .await?;
        rows.reverse();
        rows.iter().map(|row| Stored::read(row)?.event()).collect()
    }

    /// The book that the ledger adds up to.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if an event cannot be read. There is no book then: one with a gap might permit what was revoked.
    pub async fn rebuild(&self) -> Result<Book, LedgerError> {
        let mut book = Book::default();
        loop {
            let events = self.changes_after(book.cursor()).await?;
            let Some(last) = events.last() else { return Ok(book) };
            book.advance(last.seq);
            for event in &events {
                book.apply(event);
            }
        }
    }

    /// Tells `book` what was recorded since it was [rebuilt](Self::rebuild) or last caught up, by this process or
    /// another, and returns how many events that were.
    ///
    /// Cancel safe: the book learns everything or nothing.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] if an event cannot be read; the book is as it was.
    pub async fn catch_up(&self, book: &mut Book) -> Result<usize, LedgerError> {
        let mut cursor = book.cursor();
        let mut news = Vec::new();
        loop {
            let page = self.changes_after(cursor).await?;
            let Some(last) = page.last() else { break };
            cursor = last.seq;
            news.extend(page);
        }
        // In one go, without waiting in between: the book may know later events already, and replaying an earlier grant
        // would bring it back for as long as the revocation after it is not replayed too.
        for event in &news {
            book.apply(event);
        }
        book.advance(cursor);
        Ok(news.len())
    }

    /// Walks the whole chain and names the first event that is not as it was written.
    ///
    /// It cannot see that the newest events were cut off: compare the [`Head`] with one noted earlier.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Database`] if the file cannot be read at all.
    pub async fn verify(&self) -> Result<Verification, LedgerError> {
        let mut head = Head { seq: 0, hash: [0; 32] };
        loop {
            // A page at a time: one long read would keep the write-ahead log from being folded in.
            let rows = sqlx::query(
                "SELECT seq, patient, kind, provision, at, body, prev_hash, hash FROM consent_events WHERE seq > $1
                 ORDER BY seq LIMIT $2",
            )
            .bind(head.seq.cast_signed())
            .bind(PAGE)
            .fetch_all(&mut *self.store.read().await?)
            .await?;
            if rows.is_empty() {
                return Ok(Verification::Intact(head));
            }
            for row in &rows {
                head = match follow(head, row) {
                    Ok(next) => next,
                    Err(fault) => return Ok(Verification::Broken { seq: head.seq + 1, fault }),
                };
            }
        }
    }

    async fn append(&self, entry: Entry) -> Result<ConsentEvent, LedgerError> {
        let mut entries = vec![entry];
        let head = self.append_all(&mut entries).await?;
        let Entry { at, change } = entries.remove(0);
        Ok(ConsentEvent { seq: head.seq, at, change })
    }

    async fn append_all(&self, entries: &mut [Entry]) -> Result<Head, LedgerError> {
        // Encoded before the turn is taken, which others wait for.
        let mut bodies = Vec::with_capacity(entries.len());
        for entry in &mut *entries {
            if let Change::Grant { provision, .. } | Change::Import { provision } = &entry.change {
                provision.check()?;
            }
            entry.at = Timestamp::from_microsecond(entry.at.as_microsecond()).unwrap_or(entry.at);
            bodies.push(serde_json::to_string(&entry.change).map_err(|_| LedgerError::Encode)?);
        }
        if entries.is_empty() {
            return self.head().await;
        }
        if let Some(end) = self.append_alone(entries, &bodies).await? {
            return Ok(end);
        }
        let mut writer = self.store.write().await?;
        if writer.dialect() == Dialect::Postgres {
            // Several write at a time there. This waits for those who append a single statement, and they for us.
            sqlx::query("LOCK TABLE consent_events IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *writer)
                .await?;
        }
        // Read within the transaction: another process may have appended since.
        let mut end = head(&mut writer).await?;
        let (mut entries, mut bodies) = (&*entries, &*bodies);
        while !entries.is_empty() {
            let count = ROWS.into_iter().find(|count| *count <= entries.len()).unwrap_or(1);
            end = insert(&mut writer, end, &entries[..count], &bodies[..count]).await?;
            (entries, bodies) = (&entries[count..], &bodies[count..]);
        }
        writer.commit().await?;
        self.know(end);
        Ok(end)
    }

    /// Appends what fits one statement, as a transaction of its own. `None` if it does not fit, or if the chain does not
    /// end where it did: then nothing was appended.
    async fn append_alone(&self, entries: &[Entry], bodies: &[String]) -> Result<Option<Head>, LedgerError> {
        if !ROWS.contains(&entries.len()) {
            return Ok(None);
        }
        let mut writer = self.store.write_alone().await?;
        // Taken inside the turn, and forgotten until the statement has succeeded: dropped half way, nobody knows.
        let Some(end) = self.known_head.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(None);
        };
        match insert(&mut writer, end, entries, bodies).await {
            Ok(end) => {
                self.know(end);
                Ok(Some(end))
            }
            Err(LedgerError::Database(sqlx::Error::Database(refused))) if is_out_of_place(&*refused) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn know(&self, head: Head) {
        *self.known_head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    /// The next page of changes, without the decisions.
    async fn changes_after(&self, seq: u64) -> Result<Vec<ConsentEvent>, LedgerError> {
        let rows = sqlx::query(
            "SELECT seq, patient, kind, provision, at, body FROM consent_events
             WHERE kind <> 'decision' AND seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(seq.cast_signed())
        .bind(PAGE)
        .fetch_all(&mut *self.store.read().await?)
        .await?;
        rows.iter().map(|row| Stored::read(row)?.event()).collect()
    }
}

async fn head(connection: &mut Connection) -> Result<Head, LedgerError> {
    let row = sqlx::query("SELECT seq, hash FROM consent_events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Head { seq: 0, hash: [0; 32] }) };
    let seq = row.try_get::<i64, _>(0)?.cast_unsigned();
    let hash = row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| LedgerError::Unreadable { seq })?;
    Ok(Head { seq, hash })
}

/// Whether a row was refused because of its place: its number is taken, or not the next one.
fn is_out_of_place(refused: &dyn sqlx::error::DatabaseError) -> bool {
    refused.is_unique_violation() || refused.message().contains(OUT_OF_PLACE)
}

async fn insert(
    writer: &mut Writer,
    mut end: Head,
    entries: &[Entry],
    bodies: &[String],
) -> Result<Head, LedgerError> {
    let mut query = QueryBuilder::new(
        writer.dialect(),
        "INSERT INTO consent_events (seq, patient, kind, provision, at, body, prev_hash, hash) ",
    );
    query.push_values(entries.iter().zip(bodies), |row, (Entry { at, change }, body)| {
        let next = Stored {
            seq: end.seq + 1,
            patient: change.patient().expose(),
            kind: change.kind(),
            provision: change.provision().map(ProvisionId::as_str),
            at: at.as_microsecond(),
            body,
        };
        let hash = next.hash(end.hash);
        row.push_bind(next.seq.cast_signed())
            .push_bind(next.patient.to_owned())
            .push_bind(next.kind)
            .push_bind(next.provision.map(str::to_owned))
            .push_bind(next.at)
            .push_bind(body.clone())
            .push_bind(end.hash.to_vec())
            .push_bind(hash.to_vec());
        end = Head { seq: next.seq, hash };
    });
    query.build().execute(&mut **writer).await?;
    Ok(end)
}
