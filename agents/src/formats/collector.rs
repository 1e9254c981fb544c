//! Between the readers and the sink: keeps the account of a file.

use std::ops::ControlFlow;

use super::quarantine::{Fault, Stop};
use super::{FileReport, Item, Position, Quarantined, Sink};
use crate::record::Record;

/// Hands on what is read and counts it.
pub(super) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    report: FileReport,
    member: Option<String>,
    /// Formats met in this member that are not read: the place of the first and how many more. They are told once, since
    /// a file of another format would else fill the quarantine with one entry a record.
    unsupported: Vec<(&'static str, Position, u64)>,
}

impl std::fmt::Debug for Collector<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("report", &self.report).finish_non_exhaustive()
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(file: &str, sink: &'a mut dyn Sink) -> Self {
        let report = FileReport { file: file.to_owned(), ..FileReport::default() };
        Self { sink, report, member: None, unsupported: Vec::new() }
    }

    pub(super) fn report_mut(&mut self) -> &mut FileReport {
        &mut self.report
    }

    pub(super) fn finish(self) -> FileReport {
        self.report
    }

    pub(super) fn begin_member(&mut self, member: Option<String>) {
        self.member = member;
        self.report.members += 1;
    }

    /// Tells of the formats that were met and not read. To be called at the end of each member, however it ended.
    pub(super) fn end_member(&mut self) -> Result<(), Stop> {
        for (name, position, more) in std::mem::take(&mut self.unsupported) {
            let reason = match more {
                0 => format!("not supported: {name}"),
                more => format!("not supported: {name} (and {more} more records of this format)"),
            };
            self.quarantine(Fault { position, path: None, reason })?;
        }
        Ok(())
    }

    pub(super) fn record(&mut self, record: Record, position: Position) -> Result<(), Stop> {
        self.report.records += 1;
        self.report.counts += record.counts();
        let answer = self.sink.item(Item::Record { record, position });
        self.heed(answer)
    }

    pub(super) fn delete(&mut self, pmid: String, version: u32, position: Position) -> Result<(), Stop> {
        self.report.counts.deleted += 1;
        let answer = self.sink.item(Item::Delete { pmid, version, position });
        self.heed(answer)
    }

    pub(super) fn quarantine(&mut self, fault: Fault) -> Result<(), Stop> {
        self.report.quarantined += 1;
        let answer = self.sink.quarantine(Quarantined {
            file: self.report.file.clone(),
            member: self.member.clone(),
            position: fault.position,
            path: fault.path,
            reason: fault.reason,
        });
        self.heed(answer)
    }

    pub(super) fn unsupported(&mut self, name: &'static str, position: Position) {
        match self.unsupported.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, more)) => *more += 1,
            None => self.unsupported.push((name, position, 0)),
        }
    }

    fn heed(&mut self, answer: ControlFlow<()>) -> Result<(), Stop> {
        match answer {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.report.stopped = true;
                Err(Stop::Asked)
            }
        }
    }
}
