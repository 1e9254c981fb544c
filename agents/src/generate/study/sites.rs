//! Where a study takes place, what it cites, and what the registry derives from it.

use super::super::calendar::{dashed, days_after};
use super::super::dice::Dice;
use super::super::json::{List, Object};
use super::super::sequence::giant;
use super::super::words::{self, COUNTRIES, FACILITIES, STATES};
use super::Study;

impl Study {
    pub(super) fn contacts(&mut self, protocol: &mut Object<'_>) -> u64 {
        let count = if giant(self.index) {
            self.dice.range(1_201, 1_320)
        } else {
            match self.dice.below(100) {
                // The module without any location, as the source sometimes has it.
                0..8 => 0,
                8..60 => 1,
                60..92 => self.dice.range(2, 6),
                92..98 => self.dice.range(7, 20),
                _ => self.dice.range(21, 60),
            }
        };
        protocol.object("contactsLocationsModule", |module| {
            if self.dice.chance(40) {
                let name =
                    format!("{} {}, MD", words::given_name(&mut self.dice), words::surname(&mut self.dice));
                module.list("centralContacts", |list| {
                    list.object(|contact| {
                        contact.text("name", &name);
                        contact.text("role", "CONTACT");
                        contact.text("phone", &words::phone(&mut self.dice));
                        contact.text("email", "trials@example.org");
                    });
                });
            }
            if count > 0 {
                module.list("locations", |list| (0..count).for_each(|_| self.location(list)));
            }
        });
        count.unsigned_abs()
    }

    fn location(&mut self, list: &mut List<'_>) {
        let dice = &mut self.dice;
        let facility = dice.pick(FACILITIES);
        list.object(|location| {
            if dice.chance(55) {
                let town = words::town(dice);
                let (state, _, zip) = STATES[dice.index(STATES.len())];
                location.text("facility", &format!("{town} {facility}"));
                location.text("status", self.status);
                location.text("city", &town);
                location.text("state", state);
                location.text("zip", &format!("{zip:02}{:03}", dice.below(1_000)));
                location.text("country", "United States");
                geo_point(location, dice, 39, -95);
            } else {
                let country = &COUNTRIES[dice.index(COUNTRIES.len())];
                let town = dice.pick(country.towns);
                location.text("facility", &format!("{facility} {town}"));
                location.text("city", town);
                location.text("country", country.name);
                geo_point(location, dice, country.latitude, country.longitude);
            }
        });
    }

    pub(super) fn references(&mut self, protocol: &mut Object<'_>) {
        if !self.dice.chance(30) {
            return;
        }
        let author = words::surname(&mut self.dice);
        protocol.object("referencesModule", |module| {
            module.list("references", |list| {
                list.object(|reference| {
                    reference.text("pmid", &format!("9{:08}", self.dice.below(100_000_000)));
                    reference.text("type", "BACKGROUND");
                    reference.text(
                        "citation",
                        &format!("{author} A, et al. {} revisited. Placebo Q. 2012;4(2):17-9.", self.drug),
                    );
                });
            });
        });
    }

    pub(super) fn derived(&mut self, derived: &mut Object<'_>) {
        derived.object("miscInfoModule", |module| {
            module.text("versionHolder", &dashed(days_after(self.updated, 3)))
        });
        derived.object("conditionBrowseModule", |module| {
            module.list("meshes", |list| {
                for &at in &self.conditions {
                    list.object(|mesh| {
                        mesh.text("id", &format!("D99{at:04}"));
                        mesh.text("term", words::CONDITIONS[at].1);
                    });
                }
            });
            module.list("browseBranches", |list| {
                list.object(|branch| {
                    branch.text("abbrev", &format!("BC{:02}", 4 + self.conditions[0]));
                    branch.text("name", words::CONDITIONS[self.conditions[0]].2);
                });
            });
        });
    }
}

fn geo_point(location: &mut Object<'_>, dice: &mut Dice, latitude: i64, longitude: i64) {
    location.object("geoPoint", |point| {
        for (key, middle) in [("lat", latitude), ("lon", longitude)] {
            // Hundred-thousandths of a degree, as integers: no rounding to depend on.
            let value = middle * 100_000 + dice.range(-300_000, 300_000);
            let sign = if value < 0 { "-" } else { "" };
            point.bare(key, format_args!("{sign}{}.{:05}", value.abs() / 100_000, value.abs() % 100_000));
        }
    });
}
