use std::ops::Range;

use super::dice::scatter;
use super::fault::Fault;
use super::json::{object, string};
use super::options::Layout;
use super::sequence::{Again, Sequence};
use super::source::{Source, broken_json};
use super::study::Study;
use super::truth::Truth;

/// Clinical studies, as ClinicalTrials.gov gives them.
pub(super) struct Studies {
    seed: u64,
}

impl Studies {
    pub(super) fn new(seed: u64) -> Self {
        Studies { seed }
    }
}

impl Source for Studies {
    fn again(&self) -> Again {
        Again::Editions
    }

    fn open(&self, layout: Layout, _count: u64, out: &mut Vec<u8>) {
        match layout {
            Layout::Page => out.extend_from_slice(b"{\"studies\":[\n"),
            Layout::Array => out.extend_from_slice(b"[\n"),
            Layout::Lines => {}
        }
    }

    fn close(&self, layout: Layout, _: &Sequence, positions: Range<u64>, out: &mut Vec<u8>, _: &mut Truth) {
        match layout {
            Layout::Page => {
                out.extend_from_slice(b"\n],\"nextPageToken\":");
                string(
                    out,
                    &format!("ZVNj{:x}o3x", scatter(self.seed, positions.end % 10_000_000, 10_000_000)),
                );
                out.extend_from_slice(b"}\n");
            }
            Layout::Array => out.extend_from_slice(b"\n]\n"),
            Layout::Lines => {}
        }
    }

    fn record(&mut self, index: u64, edition: u32, out: &mut Vec<u8>, truth: &mut Truth) {
        let study = Study::roll(self.seed, index, edition);
        truth.locations += study.write(out);
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        let half = r#"{"protocolSection":{"identificationModule":{"nctId":"NCT9"#;
        if broken_json(fault, index, half, out) {
            return;
        }
        object(out, |study| {
            study.object("protocolSection", |protocol| {
                protocol.object("identificationModule", |identification| {
                    if fault == Fault::WrongType {
                        identification.object("nctId", |id| id.bare("number", index));
                    }
                    identification.text("briefTitle", "A Study Whose Identifier Was Lost");
                });
                protocol.object("statusModule", |status| status.text("overallStatus", "UNKNOWN"));
            });
            study.bare("hasResults", false);
        });
    }
}
