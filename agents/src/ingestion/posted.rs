//! Records that came as a message and not as a file.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::catalogue::{Incoming, Prepared, QuarantineEntry, SourcePosition};
use crate::formats::{Item, Limits, Quarantined, Sink, read_from};
use crate::record::{Identity, Kind};

/// Largest record of a batch, in bytes. (Batches are small; files may have larger ones.)
const RECORD_BYTES: u64 = 8 << 20;

/// What was read of a batch, in its order.
#[derive(Debug, Default)]
pub(super) struct Posted {
    pub(super) records: Vec<Prepared>,
    pub(super) quarantined: Vec<QuarantineEntry>,
}

/// Reads the lines of a batch from `source`.
pub(super) fn read_posted(source: &str, lines: &[u8]) -> Posted {
    let mut collector = Collector { source: Arc::from(source), posted: Posted::default() };
    let limits = Limits { record_bytes: RECORD_BYTES, file_bytes: lines.len() as u64, zip_members: 0 };
    // Memory does not fail to be read.
    let _ = read_from(source, Cursor::new(lines), &limits, &mut collector);
    collector.posted
}

/// Places of what was posted: later is later, also after a restart, since which of two equal revisions counts depends on
/// it.
pub(crate) fn next_index() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Microseconds fit the database's signed 64 bits for 290,000 years.
    let now = u64::try_from(now.as_micros()).unwrap_or(0);
    let before = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(now.max(last + 1)));
    before.map_or(now, |last| now.max(last + 1))
}

struct Collector {
    source: Arc<str>,
    posted: Posted,
}

impl Sink for Collector {
    fn item(&mut self, item: Item) -> ControlFlow<()> {
        let source =
            SourcePosition { file: Arc::clone(&self.source), member: Arc::from(""), index: next_index() };
        let incoming = match item {
            Item::Record { record, .. } => Incoming::Record { record, source },
            Item::Delete { pmid, version, .. } => {
                let identity = Identity { kind: Kind::Article, id: pmid };
                Incoming::Delete { identity, version, source }
            }
        };
        match Prepared::new(incoming) {
            Ok(prepared) => self.posted.records.push(prepared),
            Err(_) => self.set_aside(None, None, "the record cannot be written as JSON".to_owned()),
        }
        ControlFlow::Continue(())
    }

    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()> {
        let Quarantined { member, path, reason, .. } = quarantined;
        self.set_aside(member, path, reason);
        ControlFlow::Continue(())
    }
}

impl Collector {
    /// Under a place of its own: the tenth line of one batch is not that of another.
    fn set_aside(&mut self, member: Option<String>, path: Option<String>, reason: String) {
        self.posted.quarantined.push(QuarantineEntry {
            file: self.source.to_string(),
            member: member.unwrap_or_default(),
            position: next_index(),
            path: path.unwrap_or_default(),
            reason,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Kind as Made, Layout, Options, generate};

    #[test]
    fn records_are_read_in_order_and_what_is_none_is_set_aside() {
        let mut lines = Vec::new();
        let options = Options { duplicates: 0.0, layout: Layout::Lines, ..Options::new(3, 1) };
        generate(Made::Studies, &options, &mut lines, &mut |_| {}).unwrap();
        lines.extend_from_slice(b"{\"protocolSection\":{}}\n");
        let posted = read_posted("site-7", &lines);
        assert_eq!((posted.records.len(), posted.quarantined.len()), (3, 1));
        assert_eq!(posted.quarantined[0].file, "site-7");
        assert!(posted.records.iter().all(|it| !it.is_refused()));
    }

    #[test]
    fn later_places_are_later() {
        let places: Vec<u64> = (0..1_000).map(|_| next_index()).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
