use std::ops::Range;

use super::calendar::{dashed, day_between};
use super::dice::Dice;
use super::fault::Fault;
use super::json::object;
use super::options::Layout;
use super::sequence::{Again, Role, Sequence};
use super::source::{Source, broken_json};
use super::truth::Truth;

/// How many lines in a row speak of the same few patients. What a decision depends on lies within them, so the right
/// answer is known without remembering more than these.
const COHORT: u64 = 64;
const PATIENTS: u64 = 8;

const PURPOSES: &[&str] = &["research", "treatment", "quality", "public-health"];
const DATA_TYPES: &[&str] = &["labs", "imaging", "genomics", "notes", "medications"];
const ACTORS: &[&str] =
    &["trial-team-7", "trial-team-12", "st-elan-hospital", "registry-north", "dr-halford"];

/// Consent events: grants, revocations, and access requests with the decision that is right.
///
/// The rule behind the right decisions, that of the consent agent: what nothing permits is denied; what denies outweighs
/// what permits; an empty list matches anything; an exception outweighs the rule it belongs to; a revocation takes back
/// what was permitted and leaves what was denied denied. Periods have either ended by 2024, begin in 2090, or hold
/// throughout the years between, so the decision is right whenever it is asked for.
pub(super) struct Consents {
    seed: u64,
    cohort: Option<(u64, Vec<Line>)>,
}

impl Consents {
    pub(super) fn new(seed: u64) -> Self {
        Consents { seed, cohort: None }
    }
}

impl Source for Consents {
    fn again(&self) -> Again {
        Again::Identical
    }

    fn open(&self, _: Layout, _count: u64, _: &mut Vec<u8>) {}

    fn close(&self, _: Layout, _: &Sequence, _: Range<u64>, _: &mut Vec<u8>, _: &mut Truth) {}

    fn record(&mut self, _index: u64, _edition: u32, _: &mut Vec<u8>, _: &mut Truth) {
        // Lines depend on the lines before them, so they are made a cohort at a time, in `at`.
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        if broken_json(fault, index, r#"{"op":"grant","provision":{"id":"pr"#, out) {
            return;
        }
        object(out, |line| {
            if fault == Fault::WrongType {
                line.object("op", |op| op.bare("code", 7));
            }
            line.text("patient", &format!("P{index:06}"));
        });
    }

    fn at(
        &mut self,
        sequence: &Sequence,
        position: u64,
        out: &mut Vec<u8>,
        truth: &mut Truth,
    ) -> Option<Fault> {
        let number = position / COHORT;
        if self.cohort.as_ref().is_none_or(|(made, _)| *made != number) {
            self.cohort = Some((number, self.make(sequence, number)));
        }
        let lines = self.cohort.as_ref().map(|(_, lines)| lines.as_slice()).unwrap_or_default();
        let line = &lines[(position % COHORT) as usize];
        out.extend_from_slice(&line.text);
        match line.says {
            Says::Bad(fault) => return Some(fault),
            Says::Again => truth.identical_repeats += 1,
            Says::Change => truth.distinct += 1,
            Says::Ask { permit } => {
                truth.distinct += 1;
                *(if permit { &mut truth.permitted } else { &mut truth.denied }) += 1;
            }
        }
        None
    }
}

impl Consents {
    fn make(&mut self, sequence: &Sequence, number: u64) -> Vec<Line> {
        let mut dice = Dice::new(self.seed, b"consent ", number);
        let mut held: Vec<Provision> = Vec::new();
        let mut granted = 0;
        let mut lines = Vec::with_capacity(COHORT as usize);
        for place in 0..COHORT {
            let mut text = Vec::new();
            let says = match sequence.role(number * COHORT + place) {
                Role::Bad(fault) => {
                    self.broken(number * COHORT + place, fault, &mut text);
                    Says::Bad(fault)
                }
                Role::Repeat { .. } | Role::Newer { .. } if held.iter().any(|held| !held.revoked) => {
                    // Granting again what was revoked would make it count again, so that is never repeated.
                    let standing: Vec<&Provision> = held.iter().filter(|held| !held.revoked).collect();
                    standing[dice.index(standing.len())].write(&mut text);
                    Says::Again
                }
                _ => match dice.below(100) {
                    0..40 => grant(&mut dice, number, &mut granted, &mut held, &mut text),
                    40..47 if !held.is_empty() => revoke(&mut dice, &mut held, &mut text),
                    _ if granted == 0 => grant(&mut dice, number, &mut granted, &mut held, &mut text),
                    _ => ask(&mut dice, number, &held, &mut text),
                },
            };
            lines.push(Line { text, says });
        }
        lines
    }
}

struct Line {
    text: Vec<u8>,
    says: Says,
}

#[derive(Clone, Copy)]
enum Says {
    /// A grant or a revocation.
    Change,
    /// A grant that is in force already.
    Again,
    /// An access request.
    Ask {
        permit: bool,
    },
    Bad(Fault),
}

struct Provision {
    id: String,
    patient: String,
    permit: bool,
    purposes: Vec<&'static str>,
    data_types: Vec<&'static str>,
    actors: Vec<&'static str>,
    start: Option<String>,
    end: Option<String>,
    /// Whether its period holds, whenever it is asked.
    current: bool,
    /// A kind of data that a permission leaves out.
    except: Option<&'static str>,
    revoked: bool,
}

impl Provision {
    fn write(&self, out: &mut Vec<u8>) {
        object(out, |line| {
            line.text("op", "grant");
            line.object("provision", |provision| {
                provision.text("id", &self.id);
                provision.text("patient", &self.patient);
                provision.text("effect", if self.permit { "permit" } else { "deny" });
                for (key, codes) in
                    [("purposes", &self.purposes), ("data_types", &self.data_types), ("actors", &self.actors)]
                {
                    if !codes.is_empty() {
                        provision.texts(key, codes);
                    }
                }
                if self.start.is_some() || self.end.is_some() {
                    provision.object("period", |period| {
                        for (key, edge) in [("start", &self.start), ("end", &self.end)] {
                            if let Some(edge) = edge {
                                period.text(key, edge);
                            }
                        }
                    });
                }
                if let Some(data_type) = self.except {
                    provision.list("exceptions", |list| {
                        list.object(|exception| {
                            exception.text("effect", "deny");
                            exception.texts("data_types", &[data_type]);
                        });
                    });
                }
            });
        });
    }

    /// Whether it permits the request (`true`), denies it (`false`), or has nothing to say.
    fn says(&self, patient: &str, actor: &str, purpose: &str, data_type: &str) -> Option<bool> {
        let among = |codes: &[&str], code: &str| codes.is_empty() || codes.contains(&code);
        let speaks = self.current
            && self.patient == patient
            && among(&self.actors, actor)
            && among(&self.purposes, purpose)
            && among(&self.data_types, data_type);
        let permits = self.permit && self.except != Some(data_type);
        (speaks && !(permits && self.revoked)).then_some(permits)
    }
}

fn grant(
    dice: &mut Dice,
    cohort: u64,
    granted: &mut u64,
    held: &mut Vec<Provision>,
    out: &mut Vec<u8>,
) -> Says {
    let began = dashed(day_between(dice, 2018, 2024));
    let (start, end, current) = match dice.below(20) {
        0..3 => (Some("2016-05".to_owned()), Some(dashed(day_between(dice, 2020, 2023))), false),
        3 => (Some("2090-01-01".to_owned()), None, false),
        4..6 => (None, None, true),
        6..10 => (Some(began), None, true),
        _ => (Some(began), Some(dashed(day_between(dice, 2090, 2098))), true),
    };
    let permit = dice.chance(86);
    let provision = Provision {
        id: format!("prov-{cohort}-{granted}"),
        patient: patient(dice, cohort),
        permit,
        purposes: some(dice, PURPOSES),
        data_types: some(dice, DATA_TYPES),
        actors: some(dice, ACTORS),
        start,
        end,
        current,
        except: if permit && dice.chance(12) { Some(dice.pick(DATA_TYPES)) } else { None },
        revoked: false,
    };
    *granted += 1;
    provision.write(out);
    held.push(provision);
    Says::Change
}

/// Takes back one provision, or now and then all of its patient's.
fn revoke(dice: &mut Dice, held: &mut [Provision], out: &mut Vec<u8>) -> Says {
    let chosen = dice.index(held.len());
    let (id, patient, all) = (held[chosen].id.clone(), held[chosen].patient.clone(), dice.chance(15));
    for provision in held.iter_mut() {
        provision.revoked |= provision.id == id || (all && provision.patient == patient);
    }
    object(out, |line| {
        line.text("op", "revoke");
        line.text("patient", &patient);
        if !all {
            line.text("provision", &id);
        }
    });
    Says::Change
}

/// An access request: often for something a provision speaks of, else for anything.
fn ask(dice: &mut Dice, cohort: u64, held: &[Provision], out: &mut Vec<u8>) -> Says {
    let of =
        |dice: &mut Dice, codes: &[&'static str], all| dice.pick(if codes.is_empty() { all } else { codes });
    let (patient, actor, purpose, data_type) = if !held.is_empty() && dice.chance(80) {
        let about = &held[dice.index(held.len())];
        let actor = of(dice, &about.actors, ACTORS);
        let purpose = of(dice, &about.purposes, PURPOSES);
        (about.patient.clone(), actor, purpose, of(dice, &about.data_types, DATA_TYPES))
    } else {
        (patient(dice, cohort), dice.pick(ACTORS), dice.pick(PURPOSES), dice.pick(DATA_TYPES))
    };
    let said: Vec<bool> =
        held.iter().filter_map(|provision| provision.says(&patient, actor, purpose, data_type)).collect();
    let permit = said.contains(&true) && !said.contains(&false);
    object(out, |line| {
        line.text("op", "decide");
        line.text("patient", &patient);
        line.text("actor", actor);
        line.text("purpose", purpose);
        line.text("data_type", data_type);
        line.text("expect", if permit { "permit" } else { "deny" });
    });
    Says::Ask { permit }
}

fn patient(dice: &mut Dice, cohort: u64) -> String {
    format!("P{:06}", cohort * PATIENTS + dice.below(PATIENTS) + 1)
}

/// Some of `from`, in its order; seldom none, which stands for all.
fn some(dice: &mut Dice, from: &[&'static str]) -> Vec<&'static str> {
    if dice.chance(8) {
        return Vec::new();
    }
    let always = dice.index(from.len());
    let mut chosen = Vec::new();
    for (at, &word) in from.iter().enumerate() {
        if at == always || dice.chance(35) {
            chosen.push(word);
        }
    }
    chosen
}
