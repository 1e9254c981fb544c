use std::ops::Range;

use super::calendar::{day_between, days_after, packed};
use super::dice::{Dice, scatter};
use super::drugs::{close_results, open_results};
use super::fault::Fault;
use super::json::{List, Object, object};
use super::options::Layout;
use super::sequence::{Again, Sequence};
use super::source::{Source, broken_json};
use super::truth::Truth;
use super::words;

/// Adverse-event reports, as openFDA's `drug/event` gives them.
pub(super) struct Events {
    seed: u64,
}

impl Events {
    pub(super) fn new(seed: u64) -> Self {
        Events { seed }
    }
}

impl Source for Events {
    fn again(&self) -> Again {
        Again::Editions
    }

    fn open(&self, layout: Layout, count: u64, out: &mut Vec<u8>) {
        open_results(layout, count, out);
    }

    fn close(&self, layout: Layout, _: &Sequence, _: Range<u64>, out: &mut Vec<u8>, _: &mut Truth) {
        close_results(layout, out);
    }

    fn record(&mut self, index: u64, edition: u32, out: &mut Vec<u8>, _: &mut Truth) {
        let mut dice = Dice::new(self.seed, b"event   ", index);
        let received = day_between(&mut dice, 2005, 2023);
        let updated = days_after(received, 10 + 35 * i64::from(edition));
        let country = dice.pick(&["US", "GB", "JP", "FR", "DE", "CA"]);
        let number = scatter(self.seed, index, 100_000_000);
        object(out, |report| {
            report.text("safetyreportid", &format!("9{number:08}"));
            report.text("safetyreportversion", &(1 + edition).to_string());
            report.text("companynumb", &format!("{country}-STATIM-{number}"));
            report.text("primarysourcecountry", country);
            report.text("occurcountry", country);
            report.text("reporttype", dice.pick(&["1", "2"]));
            report.text("serious", dice.pick(&["1", "2"]));
            if dice.chance(20) {
                report.text("seriousnesshospitalization", "1");
            }
            for (key, date) in [
                ("transmissiondate", days_after(updated, 90)),
                ("receivedate", received),
                ("receiptdate", updated),
            ] {
                report.text(&format!("{key}format"), "102");
                report.text(key, &packed(date));
            }
            report.text("fulfillexpeditecriteria", dice.pick(&["1", "2"]));
            duplicates(report, &mut dice);
            report.object("primarysource", |source| {
                source.text("reportercountry", country);
                source.text("qualification", dice.pick(&["1", "2", "3", "5"]));
            });
            report.object("sender", |sender| {
                sender.text("sendertype", "2");
                sender.text("senderorganization", "Invented Medicines Safety Office");
            });
            if dice.chance(50) {
                report.bare("receiver", "null");
            } else {
                report.object("receiver", |receiver| {
                    receiver.text("receivertype", "6");
                    receiver.text("receiverorganization", "Invented Agency");
                });
            }
            report.object("patient", |patient| {
                patient.text("patientonsetage", &dice.range(1, 95).to_string());
                patient.text("patientonsetageunit", "801");
                patient.text("patientsex", dice.pick(&["0", "1", "2"]));
                if dice.chance(60) {
                    patient.text("patientweight", &format!("{}.{}", dice.range(40, 120), dice.below(10)));
                }
                patient.list("drug", |list| {
                    (0..dice.range(1, 4)).for_each(|place| drug(list, &mut dice, place))
                });
                // Last, because a later edition rolls for more of them.
                patient.list("reaction", |list| {
                    for _ in 0..dice.range(1, 5) + i64::from(edition) {
                        list.object(|reaction| {
                            reaction.text("reactionmeddraversionpt", "26.0");
                            reaction.text("reactionmeddrapt", dice.pick(words::REACTIONS));
                            reaction.text("reactionoutcome", dice.pick(&["1", "2", "3", "6"]));
                        });
                    }
                });
            });
        });
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        if broken_json(fault, index, r#"{"safetyreportid":"90"#, out) {
            return;
        }
        object(out, |report| {
            if fault == Fault::WrongType {
                report.object("safetyreportid", |id| id.bare("number", index));
            }
            report.text("safetyreportversion", "1");
            report.text("receivedate", "20190101");
            report.bare("receiver", "null");
            report.object("patient", |patient| patient.list("drug", |_| {}));
        });
    }
}

/// Where else the report was filed: one object, several in an array, or nothing.
fn duplicates(report: &mut Object<'_>, dice: &mut Dice) {
    let kind = dice.below(4);
    if kind > 1 {
        return;
    }
    let fill = |entry: &mut Object<'_>, dice: &mut Dice| {
        entry.text("duplicatesource", &words::company(dice));
        entry.text("duplicatenumb", &format!("9{:07}", dice.below(10_000_000)));
    };
    report.text("duplicate", "1");
    if kind == 0 {
        report.object("reportduplicate", |entry| fill(entry, dice));
    } else {
        report.list("reportduplicate", |list| (0..2).for_each(|_| list.object(|entry| fill(entry, dice))));
    }
}

fn drug(list: &mut List<'_>, dice: &mut Dice, place: i64) {
    let (name, brand) = (words::drug(dice), words::brand(dice));
    let started = packed(day_between(dice, 2000, 2005));
    list.object(|drug| {
        drug.text("drugcharacterization", if place == 0 { "1" } else { "2" });
        drug.text("medicinalproduct", &brand.to_uppercase());
        drug.text("drugadministrationroute", dice.pick(&["048", "042", "058", "065"]));
        drug.text("drugindication", words::CONDITIONS[dice.index(words::CONDITIONS.len())].0);
        // The code says how much of the date is known: a day, a month, a year.
        let (format, length) = [("102", 8), ("610", 6), ("602", 4)][dice.index(3)];
        drug.text("drugstartdateformat", format);
        drug.text("drugstartdate", &started[..length]);
        if dice.chance(60) {
            drug.object("openfda", |openfda| {
                openfda.texts("brand_name", &[&brand]);
                openfda.texts("generic_name", &[name.to_uppercase()]);
            });
        }
    });
}
