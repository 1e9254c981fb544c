//! One study: the choices its modules share here, the modules of its protocol beside.

mod plan;
mod sites;
mod summary;

use jiff::civil::Date;

use super::calendar::{day_between, days_after};
use super::dice::{Dice, scatter};
use super::json::object;
use super::words;

/// The choices that several modules of one study share.
pub(super) struct Study {
    index: u64,
    edition: u32,
    nct: String,
    dice: Dice,
    drug: String,
    conditions: Vec<usize>,
    sponsor: String,
    interventional: bool,
    status: &'static str,
    start: Date,
    updated: Date,
}

impl Study {
    pub(super) fn roll(seed: u64, index: u64, edition: u32) -> Self {
        let mut dice = Dice::new(seed, b"study   ", index);
        let start = day_between(&mut dice, 2009, 2023);
        let first_status = dice.pick(&[
            "RECRUITING",
            "NOT_YET_RECRUITING",
            "ACTIVE_NOT_RECRUITING",
            "ENROLLING_BY_INVITATION",
        ]);
        let first = dice.index(words::CONDITIONS.len());
        let mut conditions = vec![first];
        if dice.chance(30) {
            conditions.push((first + 1 + dice.index(words::CONDITIONS.len() - 1)) % words::CONDITIONS.len());
        }
        Study {
            index,
            edition,
            nct: format!("NCT9{:07}", scatter(seed, index, 10_000_000)),
            drug: words::drug(&mut dice),
            conditions,
            sponsor: words::company(&mut dice),
            interventional: dice.chance(78),
            // A revised study has moved on.
            status: match edition {
                0 => first_status,
                1 => "ACTIVE_NOT_RECRUITING",
                _ => "COMPLETED",
            },
            updated: days_after(start, 90 + 30 * i64::from(edition)),
            start,
            dice,
        }
    }

    /// Writes the study and returns how many locations it has.
    pub(super) fn write(mut self, out: &mut Vec<u8>) -> u64 {
        let mut locations = 0;
        object(out, |study| {
            study.object("protocolSection", |protocol| {
                self.identification(protocol);
                self.status(protocol);
                self.sponsor(protocol);
                self.description(protocol);
                self.conditions(protocol);
                self.design(protocol);
                self.arms(protocol);
                self.outcomes(protocol);
                self.eligibility(protocol);
                locations = self.contacts(protocol);
                self.references(protocol);
            });
            study.object("derivedSection", |derived| self.derived(derived));
            study.bare("hasResults", false);
        });
        locations
    }

    fn condition(&self) -> &'static str {
        words::CONDITIONS[self.conditions[0]].0
    }
}
