//! What a study is called, how it stands and what it is about.

use jiff::civil::Date;

use super::super::calendar::{dashed, days_after, month_only};
use super::super::json::Object;
use super::super::xml::unmarked;
use super::super::{prose, words};
use super::Study;

impl Study {
    pub(super) fn identification(&mut self, protocol: &mut Object<'_>) {
        let condition = self.condition();
        let title = unmarked(&prose::title(&mut self.dice, &self.drug, condition));
        protocol.object("identificationModule", |module| {
            module.text("nctId", &self.nct);
            if self.dice.chance(4) {
                // An obsolete id of the same study, from a range that no study is given.
                module.texts("nctIdAliases", &[format!("NCT8{:07}", self.dice.below(10_000_000))]);
            }
            let own = format!("{}-{:03}", self.drug[..3].to_uppercase(), self.dice.range(1, 999));
            module.object("orgStudyIdInfo", |info| info.text("id", &own));
            if self.dice.chance(25) {
                let number = format!(
                    "20{:02}-9{:05}-{:02}",
                    self.dice.range(10, 22),
                    self.dice.below(100_000),
                    self.dice.below(100)
                );
                module.list("secondaryIdInfos", |list| {
                    list.object(|info| {
                        info.text("id", &number);
                        info.text("type", "EUDRACT_NUMBER");
                    });
                });
            }
            module.object("organization", |organization| {
                organization.text("fullName", &self.sponsor);
                organization.text("class", "INDUSTRY");
            });
            module.text("briefTitle", &title);
            if self.dice.chance(80) {
                module.text("officialTitle", &format!("{title} (Protocol {own})"));
            }
        });
    }

    pub(super) fn status(&mut self, protocol: &mut Object<'_>) {
        let end = days_after(self.start, self.dice.range(200, 1_800));
        protocol.object("statusModule", |module| {
            module.text("statusVerifiedDate", &month_only(self.updated));
            module.text("overallStatus", self.status);
            module.object("expandedAccessInfo", |info| info.bare("hasExpandedAccess", false));
            dated(module, "startDateStruct", &self.partial(self.start), "ACTUAL");
            let primary = self.partial(end);
            dated(module, "primaryCompletionDateStruct", &primary, "ESTIMATED");
            let completion = self.partial(days_after(end, 60));
            dated(module, "completionDateStruct", &completion, "ESTIMATED");
            module.text("studyFirstSubmitDate", &dashed(days_after(self.start, -20)));
            module.text("studyFirstSubmitQcDate", &dashed(days_after(self.start, -14)));
            dated(module, "studyFirstPostDateStruct", &dashed(days_after(self.start, -9)), "ACTUAL");
            module.text("lastUpdateSubmitDate", &dashed(self.updated));
            dated(module, "lastUpdatePostDateStruct", &dashed(days_after(self.updated, 3)), "ACTUAL");
        });
    }

    pub(super) fn sponsor(&mut self, protocol: &mut Object<'_>) {
        protocol.object("sponsorCollaboratorsModule", |module| {
            module.object("responsibleParty", |party| party.text("type", "SPONSOR"));
            module.object("leadSponsor", |lead| {
                lead.text("name", &self.sponsor);
                lead.text("class", "INDUSTRY");
            });
            if self.dice.chance(20) {
                let name = words::company(&mut self.dice);
                module.list("collaborators", |list| {
                    list.object(|collaborator| {
                        collaborator.text("name", &name);
                        collaborator.text("class", "OTHER");
                    });
                });
            }
        });
    }

    pub(super) fn description(&mut self, protocol: &mut Object<'_>) {
        let condition = self.condition();
        let length = self.dice.range(1, 3);
        let brief = unmarked(&prose::paragraph(&mut self.dice, &self.drug, condition, length));
        protocol.object("descriptionModule", |module| {
            module.text("briefSummary", &brief);
            if self.dice.chance(40) {
                let detailed = unmarked(&prose::paragraph(&mut self.dice, &self.drug, condition, 3));
                // These fields are CommonMark, in which the source escapes brackets and comparisons.
                module.text(
                    "detailedDescription",
                    &format!("{detailed}\n\n\\[{}\\] is withheld when platelets are \\< 30.", self.drug),
                );
            }
        });
    }

    pub(super) fn conditions(&mut self, protocol: &mut Object<'_>) {
        let names: Vec<&str> = self.conditions.iter().map(|&at| words::CONDITIONS[at].0).collect();
        protocol.object("conditionsModule", |module| {
            module.texts("conditions", &names);
            if self.dice.chance(50) {
                module.texts("keywords", &[self.drug.as_str(), "randomised", "naïve"]);
            }
        });
    }

    /// The date in full, or only its month as a quarter of the studies have it.
    fn partial(&mut self, date: Date) -> String {
        if self.dice.chance(25) { month_only(date) } else { dashed(date) }
    }
}

fn dated(module: &mut Object<'_>, key: &str, date: &str, kind: &str) {
    module.object(key, |structure| {
        structure.text("date", date);
        structure.text("type", kind);
    });
}
