//! Between the parser and deduplication.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use statim::Link;

use super::flow::Flow;
use crate::catalogue::{Incoming, Prepared, QuarantineEntry, SourcePosition};
use crate::deduplication::DeduplicationMessage;
use crate::formats::{FileReport, Item, Position, Quarantined, ReadError, Sink, read_path};
use crate::record::{Identity, Kind};

/// How long a reader rests before it tries again to send what was refused. The longest is also how long it may take to see
/// that it is to stop.
const SHORTEST_REST: Duration = Duration::from_millis(2);
const LONGEST_REST: Duration = Duration::from_millis(100);

/// Reads one file and sends what is in it. Blocks. If the operating system fails half way, the report is of what was sent
/// until then.
pub(super) fn read_file(
    path: &Path,
    to: &Link<DeduplicationMessage>,
    flow: &Flow,
) -> (FileReport, Option<ReadError>) {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let sent = FileReport { file: path.to_string_lossy().into_owned(), ..FileReport::default() };
    let mut sender = Sender { file: Arc::from(file.as_ref()), index: 0, sent, to, flow };
    match read_path(path, &mut sender) {
        Ok(report) => (report, None),
        Err(error) => (sender.sent, Some(error)),
    }
}

struct Sender<'a> {
    /// Without its folder: the same file is the same source wherever it lies.
    file: Arc<str>,
    /// Items sent: grows along the file, across the members of an archive too.
    index: u64,
    /// What was sent, for when there is no other account of it.
    sent: FileReport,
    to: &'a Link<DeduplicationMessage>,
    flow: &'a Flow,
}

impl Sender<'_> {
    /// The member stays empty. It would only come before the index in the order of places, and order members by name; the
    /// running index orders them as they stand in the archive, which is the order they were read in, and names no place
    /// twice within the file. What is in the quarantine does name its member.
    fn source(&mut self) -> SourcePosition {
        self.index += 1;
        SourcePosition { file: Arc::clone(&self.file), member: Arc::from(""), index: self.index }
    }

    fn send(&self, mut message: DeduplicationMessage) -> ControlFlow<()> {
        loop {
            if self.flow.is_stopped() {
                return ControlFlow::Break(());
            }
            let refused = match self.to.tell_blocking(message) {
                Ok(()) => return ControlFlow::Continue(()),
                // Deduplication takes no more: the deployment is ending, and the file is read again next time.
                Err(closed) if closed.is_closed() => return ControlFlow::Break(()),
                Err(refused) => refused,
            };
            // No record is left out because a guard of the link, or the mailbox, refuses it for now.
            let rest = refused.retry_after().unwrap_or(SHORTEST_REST).clamp(SHORTEST_REST, LONGEST_REST);
            std::thread::sleep(rest);
            message = refused.into_message();
        }
    }

    fn set_aside(&self, quarantined: Quarantined) -> ControlFlow<()> {
        let Quarantined { file, member, position, path, reason } = quarantined;
        let entry = QuarantineEntry {
            file,
            member: member.unwrap_or_default(),
            position: position.record.unwrap_or(position.byte),
            path: path.unwrap_or_default(),
            reason,
        };
        self.send(DeduplicationMessage::Quarantine(entry))
    }

    fn cannot_store(&self, position: Position) -> ControlFlow<()> {
        self.set_aside(Quarantined {
            file: self.file.to_string(),
            member: None,
            position,
            path: None,
            reason: "the record cannot be written as JSON".to_owned(),
        })
    }
}

impl Sink for Sender<'_> {
    fn item(&mut self, item: Item) -> ControlFlow<()> {
        let source = self.source();
        let (incoming, position) = match item {
            Item::Record { record, position } => {
                self.sent.records += 1;
                self.sent.counts += record.counts();
                (Incoming::Record { record, source }, position)
            }
            Item::Delete { pmid, version, position } => {
                self.sent.counts.deleted += 1;
                let identity = Identity { kind: Kind::Article, id: pmid };
                (Incoming::Delete { identity, version, source }, position)
            }
        };
        // Written as JSON and hashed here, on the reader's thread, so that the one agent that stores has less to do.
        let Ok(prepared) = Prepared::new(incoming) else { return self.cannot_store(position) };
        let share = self.flow.take(prepared.bytes() as u64);
        self.send(DeduplicationMessage::Record { prepared, share })
    }

    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()> {
        self.sent.quarantined += 1;
        self.set_aside(quarantined)
    }
}
