//! How a study is done, and in whom.

use super::super::json::Object;
use super::super::prose;
use super::super::xml::unmarked;
use super::Study;

impl Study {
    pub(super) fn design(&mut self, protocol: &mut Object<'_>) {
        let phases: &[&str] = match self.dice.below(6) {
            0 => &["PHASE1", "PHASE2"],
            1 => &["PHASE2"],
            2 => &["PHASE2", "PHASE3"],
            3 => &["PHASE3"],
            4 => &["PHASE4"],
            _ => &["NA"],
        };
        let enrolled = self.dice.range(12, 900) + 5 * i64::from(self.edition);
        protocol.object("designModule", |module| {
            module.text("studyType", if self.interventional { "INTERVENTIONAL" } else { "OBSERVATIONAL" });
            if self.interventional {
                module.texts("phases", phases);
                module.object("designInfo", |info| {
                    info.text("allocation", "RANDOMIZED");
                    info.text(
                        "interventionModel",
                        self.dice.pick(&["PARALLEL", "CROSSOVER", "SINGLE_GROUP"]),
                    );
                    info.text(
                        "primaryPurpose",
                        self.dice.pick(&["TREATMENT", "PREVENTION", "SUPPORTIVE_CARE"]),
                    );
                    info.object("maskingInfo", |masking| {
                        masking.text("masking", self.dice.pick(&["NONE", "DOUBLE", "QUADRUPLE"]))
                    });
                });
            } else {
                module.object("designInfo", |info| {
                    info.text("observationalModel", "COHORT");
                    info.text("timePerspective", "PROSPECTIVE");
                });
            }
            module.object("enrollmentInfo", |info| {
                info.bare("count", enrolled);
                info.text("type", "ESTIMATED");
            });
        });
    }

    pub(super) fn arms(&mut self, protocol: &mut Object<'_>) {
        if !self.interventional {
            return;
        }
        let name = format!("Drug: {}", self.drug);
        protocol.object("armsInterventionsModule", |module| {
            module.list("armGroups", |list| {
                for (label, kind, given) in [
                    ("Active", "EXPERIMENTAL", name.as_str()),
                    ("Control", "PLACEBO_COMPARATOR", "Drug: Placebo"),
                ] {
                    list.object(|arm| {
                        arm.text("label", label);
                        arm.text("type", kind);
                        arm.texts("interventionNames", &[given]);
                    });
                }
            });
            module.list("interventions", |list| {
                for (drug, arm) in [(self.drug.as_str(), "Active"), ("Placebo", "Control")] {
                    list.object(|intervention| {
                        intervention.text("type", "DRUG");
                        intervention.text("name", drug);
                        intervention.texts("armGroupLabels", &[arm]);
                    });
                }
            });
        });
    }

    pub(super) fn outcomes(&mut self, protocol: &mut Object<'_>) {
        let weeks = self.dice.range(4, 104);
        let condition = self.condition();
        let measure = unmarked(&prose::sentence(&mut self.dice, &self.drug, condition));
        protocol.object("outcomesModule", |module| {
            module.list("primaryOutcomes", |list| {
                list.object(|outcome| {
                    outcome.text("measure", &measure);
                    outcome.text("timeFrame", &format!("{weeks} weeks"));
                });
            });
        });
    }

    pub(super) fn eligibility(&mut self, protocol: &mut Object<'_>) {
        let minimum = match self.dice.below(6) {
            0 => "6 Months",
            1 => "12 Years",
            2 => "1 Day",
            _ => "18 Years",
        };
        let condition = self.condition();
        protocol.object("eligibilityModule", |module| {
            let least = self.dice.range(2, 9);
            let criteria = format!(
                "Inclusion Criteria:\n\n* Diagnosis of {condition}\n* Score \\>= {least}\n\nExclusion Criteria:\n\n* Allergy to {} or \"any excipient\"",
                self.drug
            );
            module.text("eligibilityCriteria", &criteria);
            module.bare("healthyVolunteers", self.dice.chance(15));
            module.text("sex", self.dice.pick(&["ALL", "ALL", "ALL", "FEMALE", "MALE"]));
            module.text("minimumAge", minimum);
            if self.dice.chance(50) {
                module.text("maximumAge", &format!("{} Years", self.dice.range(60, 90)));
            }
            module.texts("stdAges", &["ADULT", "OLDER_ADULT"]);
        });
    }
}
