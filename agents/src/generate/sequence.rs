//! Which record stands at which position: an endless sequence that any position can be asked for alone.

use super::dice::{mix, scale};
use super::fault::Fault;

/// How far back, in positions, a duplicate may reach.
const WINDOW: u64 = 256;
/// Every so many positions one is an original whatever the ratios, which bounds the search for an original. A study
/// here has more than 1,200 locations.
const LANDMARK_EVERY: u64 = 2_000;
const LANDMARK_AT: u64 = 170;

const ROLE: u64 = 1;
const TARGET: u64 = 2;
const DELETE: u64 = 3;
const FAULT: u64 = 4;

/// What a position holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A record seen for the first time.
    Original,
    /// The latest edition of the record at an earlier position once more.
    Repeat { of: u64, edition: u32 },
    /// The next edition of the record at an earlier position.
    Newer { of: u64, edition: u32 },
    /// A broken record.
    Bad(Fault),
}

/// What becomes of a record that appears again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It is always the same.
    Identical,
    /// Half of the time it is the same, half of the time a later edition.
    Editions,
    /// It always differs: a corrupted copy, numbered like an edition.
    Variants,
}

#[derive(Debug, Clone)]
pub(super) struct Sequence {
    seed: u64,
    bad_below: u64,
    again_below: u64,
    again: Again,
    deletes: bool,
    faults: &'static [Fault],
}

impl Sequence {
    pub(super) fn new(
        seed: u64,
        duplicates: f64,
        bad: f64,
        again: Again,
        deletes: bool,
        faults: &'static [Fault],
    ) -> Self {
        // Scaling by a power of two is exact, so the thresholds are the same everywhere.
        let threshold = |ratio: f64| (ratio * 4_294_967_296.0) as u64;
        let bad_below = threshold(bad);
        Sequence { seed, bad_below, again_below: bad_below + threshold(duplicates), again, deletes, faults }
    }

    pub(super) fn role(&self, position: u64) -> Role {
        match self.draw(position) {
            Draw::Original => Role::Original,
            Draw::Bad => {
                let choice = scale(mix(self.seed, FAULT, position), self.faults.len() as u64);
                Role::Bad(self.faults[usize::try_from(choice).unwrap_or(0)])
            }
            Draw::Again { newer } => {
                let of = self.target(position);
                let before = self.editions_between(of, position);
                if newer {
                    Role::Newer { of, edition: before + 1 }
                } else {
                    Role::Repeat { of, edition: before }
                }
            }
        }
    }

    /// Whether the file in which this original stands deletes it at its end. Nothing ever repeats such a record.
    pub(super) fn deleted(&self, position: u64) -> bool {
        self.deletes
            && !landmark(position)
            && self.draw(position) == Draw::Original
            && (position % 100 == 17 || mix(self.seed, DELETE, position).is_multiple_of(50))
    }

    fn draw(&self, position: u64) -> Draw {
        if landmark(position) {
            return Draw::Original;
        }
        let bits = mix(self.seed, ROLE, position);
        let level = bits >> 32;
        if level < self.bad_below {
            Draw::Bad
        } else if level < self.again_below {
            let newer = match self.again {
                Again::Identical => false,
                Again::Editions => bits & 1 == 1,
                Again::Variants => true,
            };
            Draw::Again { newer }
        } else {
            Draw::Original
        }
    }

    /// The original that the duplicate at `position` refers to: at most [`WINDOW`] back, or the nearest before that.
    fn target(&self, position: u64) -> u64 {
        let back = scale(mix(self.seed, TARGET, position), position.clamp(1, WINDOW)) + 1;
        let mut candidate = position.saturating_sub(back);
        while self.draw(candidate) != Draw::Original || self.deleted(candidate) {
            // Position 0 is a landmark, so this ends there at the latest.
            candidate = candidate.saturating_sub(1);
        }
        candidate
    }

    /// How many newer editions of the record at `original` stand before `position`.
    fn editions_between(&self, original: u64, position: u64) -> u32 {
        let editions = (original + 1..position)
            .filter(|&earlier| {
                matches!(self.draw(earlier), Draw::Again { newer: true }) && self.target(earlier) == original
            })
            .count();
        u32::try_from(editions).unwrap_or(u32::MAX - 1)
    }
}

/// Whether a position always holds an original.
pub(super) fn landmark(position: u64) -> bool {
    position == 0 || giant(position)
}

/// Whether a study at this position has more than 1,200 locations.
pub(super) fn giant(position: u64) -> bool {
    position % LANDMARK_EVERY == LANDMARK_AT
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Draw {
    Original,
    Again { newer: bool },
    Bad,
}
