//! What the ledger adds up to, in memory.

use std::collections::HashMap;

use jiff::Timestamp;

use super::decide::decide;
use super::event::{Change, ConsentEvent, Revocation};
use super::model::{AccessRequest, Consents, CurrentProvision, Decision, Provision};
use super::patient::PatientId;

/// Every patient's consents as they stand. Decisions are answered from here without touching the disk.
///
/// Feed it with what the ledger returns: [`Ledger::rebuild`](super::Ledger::rebuild) at the start, [`apply`](Self::apply)
/// after each append, and [`Ledger::catch_up`](super::Ledger::catch_up) now and then if other processes write too.
#[derive(Debug, Clone, Default)]
pub struct Book {
    patients: HashMap<PatientId, Consents>,
    /// Everything up to here was read from the ledger, in order.
    cursor: u64,
}

impl Book {
    /// The answer to `request` at `now`.
    #[must_use]
    pub fn decide(&self, request: &AccessRequest, now: Timestamp) -> Decision {
        match self.patients.get(&request.patient) {
            Some(consents) => decide(consents, request, now),
            None => decide(&Consents::default(), request, now),
        }
    }

    /// The version of a patient's consents; 0 for a patient without any. It grows with each change.
    ///
    /// Whoever holds something that was [decided](Decision) earlier, in a queue, compares
    /// [`Decision::consent_version`] with this at delivery: if they differ, the decision is out of date and must be
    /// made again.
    #[must_use]
    pub fn version(&self, patient: &PatientId) -> u64 {
        self.patients.get(patient).map_or(0, |it| it.version)
    }

    /// A patient's consents as they stand.
    #[must_use]
    pub fn consents(&self, patient: &PatientId) -> Option<&Consents> {
        self.patients.get(patient)
    }

    /// How many patients are known.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// Takes in an event of the ledger; the very next [`decide`](Self::decide) knows of it. Taking in the same event
    /// twice does nothing the second time. Returns whether the patient's consents changed.
    pub fn apply(&mut self, event: &ConsentEvent) -> bool {
        let &ConsentEvent { seq, ref change, .. } = event;
        if matches!(change, Change::Decision { .. }) {
            return false;
        }
        let consents = match self.patients.get_mut(change.patient()) {
            Some(consents) => consents,
            None => self.patients.entry(change.patient().clone()).or_default(),
        };
        let changed = match change {
            Change::Grant { provision, .. } => {
                consents.revoked_ahead.retain(|id| *id != provision.id);
                put(consents, provision, seq, false)
            }
            Change::Import { provision } => import(consents, provision, seq),
            Change::Revoke(revocation) => revoke(consents, revocation),
            Change::Decision { .. } => false,
        };
        // A revocation counts as news even where nothing was left to revoke.
        if changed || matches!(change, Change::Revoke(_)) {
            consents.version = consents.version.max(seq);
        }
        changed
    }

    /// Whether importing `provision` would change anything; if not, the ledger need not be told.
    #[must_use]
    pub fn would_import(&self, provision: &Provision) -> bool {
        match self.patients.get(&provision.patient) {
            Some(consents) => would_import(consents, provision),
            None => true,
        }
    }

    /// Permits nothing about `patient` from now on, for when a revocation arrived and the ledger could not record it.
    /// The error is then the caller's to raise; in the meantime the patient's word counts. Ends with
    /// [`release`](Self::release), once the ledger has recorded the revocation.
    pub fn withhold(&mut self, patient: &PatientId) {
        self.patients.entry(patient.clone()).or_default().withheld = true;
    }

    /// Ends what [`withhold`](Self::withhold) began.
    pub fn release(&mut self, patient: &PatientId) {
        if let Some(consents) = self.patients.get_mut(patient) {
            consents.withheld = false;
        }
    }

    /// How far the ledger has been read in order.
    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn advance(&mut self, to: u64) {
        self.cursor = self.cursor.max(to);
    }
}

fn put(consents: &mut Consents, provision: &Provision, seq: u64, revoked: bool) -> bool {
    let next = CurrentProvision { provision: provision.clone(), seq, revoked };
    match consents.provisions.iter_mut().find(|it| it.provision.id == provision.id) {
        Some(held) if *held == next => false,
        Some(held) => {
            *held = next;
            true
        }
        None => {
            consents.provisions.push(next);
            true
        }
    }
}

fn import(consents: &mut Consents, provision: &Provision, seq: u64) -> bool {
    if !would_import(consents, provision) {
        return false;
    }
    let held_revoked = consents.provisions.iter().any(|it| it.provision.id == provision.id && it.revoked);
    // Something the patient said after taking everything back is a new word of theirs.
    let withdrawn = consents.withdrawn.is_some_and(|at| provision.issued.is_none_or(|issued| issued <= at));
    let ahead = consents.revoked_ahead.contains(&provision.id);
    put(consents, provision, seq, held_revoked || withdrawn || ahead)
}

fn would_import(consents: &Consents, provision: &Provision) -> bool {
    let held = consents.provisions.iter().find(|it| it.provision.id == provision.id);
    held.is_none_or(|held| {
        let older = matches!((provision.issued, held.provision.issued), (Some(new), Some(old)) if new < old);
        held.provision != *provision && !older
    })
}

fn revoke(consents: &mut Consents, revocation: &Revocation) -> bool {
    let mut changed = false;
    for held in &mut consents.provisions {
        if revocation.provision.as_ref().is_none_or(|id| *id == held.provision.id) && !held.revoked {
            held.revoked = true;
            changed = true;
        }
    }
    if let Some(id) = &revocation.provision
        && consents.provisions.iter().all(|it| it.provision.id != *id)
        && !consents.revoked_ahead.contains(id)
    {
        // The revocation has overtaken the import of what it revokes.
        consents.revoked_ahead.push(id.clone());
        changed = true;
    }
    if revocation.provision.is_none() && consents.withdrawn.is_none_or(|at| at < revocation.at) {
        consents.withdrawn = Some(revocation.at);
        changed = true;
    }
    changed
}
