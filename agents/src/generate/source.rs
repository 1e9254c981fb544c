use std::ops::Range;

use super::fault::Fault;
use super::options::Layout;
use super::sequence::{Again, Role, Sequence};
use super::truth::Truth;

/// One format: how a file of it begins and ends, and how the record of a position is written.
pub(super) trait Source {
    /// What becomes of a record that appears again.
    fn again(&self) -> Again;

    /// The ways in which a record of this kind can be broken in this layout.
    fn faults(&self, layout: Layout) -> &'static [Fault] {
        match layout {
            Layout::Page | Layout::Array => &[Fault::MissingId, Fault::WrongType, Fault::NotARecord],
            Layout::Lines => &[Fault::MissingId, Fault::WrongType, Fault::NotARecord, Fault::Truncated],
        }
    }

    /// Whether files of this kind end in deletions.
    fn deletes(&self) -> bool {
        false
    }

    /// What stands before the first record of `count`.
    fn open(&self, layout: Layout, count: u64, out: &mut Vec<u8>);

    /// What stands between two records.
    fn between(&self, layout: Layout) -> &'static [u8] {
        match layout {
            Layout::Page | Layout::Array => b",\n",
            Layout::Lines => b"\n",
        }
    }

    /// What stands after the last record of `positions`.
    fn close(
        &self,
        layout: Layout,
        sequence: &Sequence,
        positions: Range<u64>,
        out: &mut Vec<u8>,
        truth: &mut Truth,
    );

    /// Writes the record first seen at `index` in its `edition` (0 is the first), adding its parts to `truth`.
    fn record(&mut self, index: u64, edition: u32, out: &mut Vec<u8>, truth: &mut Truth);

    /// Writes a record with `fault`.
    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>);

    /// Writes what stands at `position` and counts it.
    fn at(
        &mut self,
        sequence: &Sequence,
        position: u64,
        out: &mut Vec<u8>,
        truth: &mut Truth,
    ) -> Option<Fault> {
        match sequence.role(position) {
            Role::Original => {
                self.record(position, 0, out, truth);
                truth.distinct += 1;
            }
            Role::Repeat { of, edition } => {
                self.record(of, edition, out, truth);
                truth.identical_repeats += 1;
            }
            Role::Newer { of, edition } => {
                self.record(of, edition, out, truth);
                match self.again() {
                    Again::Variants => truth.variants += 1,
                    Again::Identical | Again::Editions => truth.newer_versions += 1,
                }
            }
            Role::Bad(fault) => {
                self.broken(position, fault, out);
                return Some(fault);
            }
        }
        None
    }
}

/// Breaks a JSON record that cannot be told broken by its fields: a bare string, or half a line.
///
/// Returns whether `fault` was one of these; else the caller writes the record with the broken field.
pub(super) fn broken_json(fault: Fault, index: u64, half: &str, out: &mut Vec<u8>) -> bool {
    match fault {
        Fault::NotARecord => super::json::string(out, &format!("record {index} could not be exported")),
        Fault::Truncated => out.extend_from_slice(half.as_bytes()),
        Fault::MissingId | Fault::WrongType => return false,
    }
    true
}
