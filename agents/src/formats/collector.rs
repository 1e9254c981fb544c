//! Between the readers and the sink: keeps the account of a file.

use std::ops::ControlFlow;

use super::flood::Flood;
use super::quarantine::{Fault, Stop};
use super::{FileReport, Item, Position, Quarantined, Sink};
use crate::record::Record;

/// Hands on what is read and counts it.
pub(super) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    report: FileReport,
    member: Option<String>,
    flood: Flood,
    /// Formats met in this member that are not read: the place of the first and how many more. They are told once: it is
    /// the file that is of another format, and none of its records is at fault.
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
        Self { sink, report, member: None, flood: Flood::default(), unsupported: Vec::new() }
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

    /// Tells of something that could not be read, unless the file has had its fill of that: then it is counted, and
    /// [`Self::end_file`] tells how many there were.
    pub(super) fn quarantine(&mut self, fault: Fault) -> Result<(), Stop> {
        let Fault { position, path, reason } = fault;
        let (file, member) = (self.report.file.clone(), self.member.clone());
        match self.flood.admit(Quarantined { file, member, position, path, reason }) {
            Some(entry) => self.tell(entry),
            None => Ok(()),
        }
    }

    /// Tells how much more there was of what was no longer told one by one.
    pub(super) fn end_file(&mut self) -> Result<(), Stop> {
        self.flood.rest().into_iter().try_for_each(|entry| self.tell(entry))
    }

    fn tell(&mut self, entry: Quarantined) -> Result<(), Stop> {
        self.report.quarantined += 1;
        let answer = self.sink.quarantine(entry);
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
