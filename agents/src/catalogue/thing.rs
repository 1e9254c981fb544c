//! All that is known of one thing, and what follows from it. Pure: the rules of the catalogue are here.

use super::incoming::{Hash, SourcePosition};
use crate::record::Revision;

/// A distinct content of a record.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// Its row.
    pub(super) vid: i64,
    /// The id it arrived under.
    pub(super) own_id: String,
    pub(super) hash: Hash,
    pub(super) revision: Revision,
    pub(super) number: u32,
    /// The first and the last place it was seen at.
    pub(super) first: SourcePosition,
    pub(super) last: SourcePosition,
    pub(super) state: State,
}

/// How a version stands to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As in its row.
    Stored,
    /// Seen at a place outside the two in its row.
    Moved,
    /// Without a row yet; the content is at this place in the batch.
    New(usize),
}

/// The order to delete `own_id` up to version `number`, and the last place it was seen at.
#[derive(Debug, Clone)]
pub(super) struct Tombstone {
    pub(super) own_id: String,
    pub(super) number: u32,
    pub(super) at: SourcePosition,
    pub(super) changed: bool,
}

/// The versions and deletions of one thing, under whatever numbers they came.
#[derive(Debug, Default)]
pub(super) struct Thing {
    pub(super) versions: Vec<Version>,
    pub(super) tombstones: Vec<Tombstone>,
}

impl Thing {
    /// The version that counts, if any is left.
    pub(super) fn current(&self) -> Option<&Version> {
        let alive = self.versions.iter().filter(|it| !self.is_deleted(it));
        // The hash decides only between two contents at one place, which a sane source does not have.
        alive.max_by(|a, b| (a.revision, &a.first, a.hash).cmp(&(b.revision, &b.first, b.hash)))
    }

    fn is_deleted(&self, version: &Version) -> bool {
        let after = |it: &Tombstone| it.at > version.last && it.number >= version.number;
        self.tombstones.iter().any(|it| it.own_id == version.own_id && after(it))
    }

    /// Takes in that a known content was seen at `place`. False if that content is not known.
    pub(super) fn sight(&mut self, own_id: &str, hash: Hash, place: &SourcePosition) -> bool {
        let Some(version) = self.versions.iter_mut().find(|it| it.hash == hash && it.own_id == own_id) else {
            return false;
        };
        if *place < version.first || *place > version.last {
            if *place < version.first {
                version.first = place.clone();
            } else {
                version.last = place.clone();
            }
            if version.state == State::Stored {
                version.state = State::Moved;
            }
        }
        true
    }

    /// Takes in a deletion.
    pub(super) fn delete(&mut self, own_id: &str, number: u32, place: &SourcePosition) {
        match self.tombstones.iter_mut().find(|it| it.number == number && it.own_id == own_id) {
            Some(known) if known.at >= *place => {}
            Some(known) => {
                known.at = place.clone();
                known.changed = true;
            }
            None => {
                self.tombstones.push(Tombstone {
                    own_id: own_id.to_owned(),
                    number,
                    at: place.clone(),
                    changed: true,
                });
            }
        }
    }
}
