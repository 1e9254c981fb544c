use std::ops::Range;

use super::calendar::{day_between, days_after, packed};
use super::dice::{Dice, scatter};
use super::drugs::{close_results, open_results};
use super::fault::Fault;
use super::json::{Object, object};
use super::options::Layout;
use super::prose;
use super::sequence::{Again, Sequence};
use super::source::{Source, broken_json};
use super::truth::Truth;
use super::words;
use super::xml::unmarked;

/// Structured product labels, as openFDA's `drug/label` gives them.
pub(super) struct Labels {
    seed: u64,
}

impl Labels {
    pub(super) fn new(seed: u64) -> Self {
        Labels { seed }
    }
}

impl Source for Labels {
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
        let mut dice = Dice::new(self.seed, b"label   ", index);
        let (drug, brand, maker) =
            (words::drug(&mut dice), words::brand(&mut dice), words::company(&mut dice));
        let condition = words::CONDITIONS[dice.index(words::CONDITIONS.len())].0;
        let effective = days_after(day_between(&mut dice, 2008, 2023), 50 * i64::from(edition));
        let version = dice.range(1, 20) + i64::from(edition);
        let set_id = set_id(self.seed, index);
        // Every version of a label is a document with an id of its own.
        let id = Dice::new(self.seed, b"label id", index ^ (u64::from(edition) << 40)).uuid();

        object(out, |label| {
            label.text("set_id", &set_id);
            label.text("id", &id);
            label.text("version", &version.to_string());
            label.text("effective_time", &packed(effective));
            let mut section = |label: &mut Object<'_>, name: &str, title: &str, sentences: i64| {
                let body = unmarked(&prose::paragraph(&mut dice, &drug, condition, sentences));
                label.texts(name, &[format!("{title} {body}")]);
            };
            section(label, "indications_and_usage", "1 INDICATIONS AND USAGE", 2);
            section(label, "dosage_and_administration", "2 DOSAGE AND ADMINISTRATION", 2);
            section(label, "contraindications", "4 CONTRAINDICATIONS", 1);
            section(label, "warnings", "WARNINGS", 3);
            section(label, "adverse_reactions", "6 ADVERSE REACTIONS", 2);
            if edition > 0 {
                section(label, "recent_major_changes", "RECENT MAJOR CHANGES", 1);
            }
            if index.is_multiple_of(3) {
                label.texts(
                    "adverse_reactions_table",
                    &["<table width=\"100%\"><tbody><tr><td>Nausea &amp; vomiting</td><td>&lt; 1%</td></tr></tbody></table>"],
                );
            }
            label.object("openfda", |openfda| {
                // Nearly half of the real ones are empty.
                if !index.is_multiple_of(2) {
                    openfda.texts("brand_name", &[&brand]);
                    openfda.texts("generic_name", &[drug.to_uppercase()]);
                    openfda.texts("manufacturer_name", &[&maker]);
                    openfda.texts(
                        "application_number",
                        &[format!("NDA9{:05}", scatter(self.seed, index % 100_000, 100_000))],
                    );
                    openfda.texts("product_type", &["HUMAN PRESCRIPTION DRUG"]);
                    openfda.texts("spl_id", &[&id]);
                    openfda.texts("spl_set_id", &[&set_id]);
                }
            });
        });
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        if broken_json(fault, index, r#"{"set_id":"0c5f9e"#, out) {
            return;
        }
        object(out, |label| {
            if fault == Fault::WrongType {
                label.object("set_id", |id| id.bare("number", index));
                label.object("id", |id| id.bare("number", index));
            }
            label.text("effective_time", "20190101");
            label.texts("warnings", &["A label that lost its identifiers."]);
            label.object("openfda", |_| {});
        });
    }
}

fn set_id(seed: u64, index: u64) -> String {
    Dice::new(seed, b"labelset", index).uuid()
}
