//! The chain of hashes that ties each event to the one before.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::error::LedgerError;
use super::event::{Change, ConsentEvent};
use super::model::ProvisionId;

type Hash = [u8; 32];

/// The end of the chain. Noted elsewhere, it shows later that nothing up to it was cut off or written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last event; 0 in an empty ledger.
    pub seq: u64,
    /// Its hash; zeroes in an empty ledger.
    pub hash: Hash,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Every event is as it was written, and this is the last.
    Intact(Head),
    /// The chain breaks.
    Broken {
        /// The first event that is wrong or missing.
        seq: u64,
        /// What is wrong with it.
        fault: ChainFault,
    },
}

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// It is not there, though a later one is.
    #[error("missing")]
    Missing,
    /// It does not continue the one before.
    #[error("does not continue the event before it")]
    Unlinked,
    /// Its content does not match its hash.
    #[error("content does not match its hash")]
    Changed,
    /// It matches its hash and says nothing this program understands.
    #[error("cannot be read")]
    Unreadable,
}

/// Checks one row against the end of the chain before it.
pub(super) fn follow(before: Head, row: &AnyRow) -> Result<Head, ChainFault> {
    let stored = Stored::read(row).map_err(|_| ChainFault::Unreadable)?;
    if stored.seq != before.seq + 1 {
        return Err(ChainFault::Missing);
    }
    let column = |at: usize| row.try_get::<&[u8], _>(at).ok().and_then(|it| Hash::try_from(it).ok());
    if column(6) != Some(before.hash) {
        return Err(ChainFault::Unlinked);
    }
    let hash = stored.hash(before.hash);
    if column(7) != Some(hash) {
        return Err(ChainFault::Changed);
    }
    stored.event().map_err(|_| ChainFault::Unreadable)?;
    Ok(Head { seq: stored.seq, hash })
}

/// A row, without its hashes.
pub(super) struct Stored<'r> {
    pub(super) seq: u64,
    pub(super) patient: &'r str,
    pub(super) kind: &'r str,
    pub(super) provision: Option<&'r str>,
    pub(super) at: i64,
    pub(super) body: &'r str,
}

impl<'r> Stored<'r> {
    pub(super) fn read(row: &'r AnyRow) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: row.try_get::<i64, _>(0)?.cast_unsigned(),
            patient: row.try_get(1)?,
            kind: row.try_get(2)?,
            provision: row.try_get(3)?,
            at: row.try_get(4)?,
            body: row.try_get(5)?,
        })
    }

    pub(super) fn event(&self) -> Result<ConsentEvent, LedgerError> {
        let unreadable = LedgerError::Unreadable { seq: self.seq };
        let Ok(change) = serde_json::from_str::<Change>(self.body) else { return Err(unreadable) };
        let Ok(at) = Timestamp::from_microsecond(self.at) else { return Err(unreadable) };
        let provision = change.provision().map(ProvisionId::as_str);
        if (change.kind(), change.patient().expose(), provision) != (self.kind, self.patient, self.provision)
        {
            return Err(unreadable);
        }
        Ok(ConsentEvent { seq: self.seq, at, change })
    }

    /// Each part is preceded by its length, so that nothing can move from one into the next unnoticed.
    pub(super) fn hash(&self, before: Hash) -> Hash {
        let mut sha = Sha256::new();
        sha.update(b"statim consent ledger 1\n");
        sha.update(before);
        sha.update(self.seq.to_be_bytes());
        sha.update(self.at.to_be_bytes());
        sha.update([u8::from(self.provision.is_some())]);
        for part in [self.kind, self.patient, self.provision.unwrap_or_default(), self.body] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        sha.finalize().into()
    }
}
