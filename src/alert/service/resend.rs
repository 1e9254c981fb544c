//! Receivers that forget: what they know is told to them again.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::board::Board;
use super::lane::Lane;
use crate::alert::incident::dedup_key;
use crate::alert::labels::Labels;
use crate::alert::notification::{Notice, Notification, Status, Why};
use crate::alert::time::Moment;

/// Most notices in a notification.
const MOST_NOTICES: usize = 100;
/// How long to rest before what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// When to tell again.
#[derive(Debug)]
pub(super) struct Resends {
    every: Duration,
    next: Instant,
}

impl Resends {
    /// At once for the first time: whoever was before may have told nothing for a while.
    pub(super) fn every(every: Duration) -> Self {
        Self { every: every.max(Duration::from_millis(100)), next: Instant::now() }
    }

    pub(super) fn due_in(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    pub(super) fn done(&mut self, failed: bool) {
        self.next = Instant::now() + if failed { self.every.min(AGAIN) } else { self.every };
    }
}

/// What the sink of this lane was told, once more. What still waits to be told is left to its turn, so that nothing that
/// is over begins again.
pub(super) fn notifications(sink: &str, lane: &Lane, board: &Board, now: Moment) -> Vec<Notification> {
    let waiting: BTreeSet<&str> = lane.live().flat_map(|it| it.subjects()).collect();
    let notice = |(key, told): (&String, &super::lane::Told)| {
        if waiting.contains(key.as_str()) || told.gone {
            return None;
        }
        if let Some((_, alert)) = &told.closed {
            return Some(Notice { alert: (**alert).clone(), status: Status::Resolved, new: false });
        }
        let open = board.get(key).filter(|it| it.firing)?;
        let status = if open.acknowledged.is_some() { Status::Acknowledged } else { Status::Firing };
        Some(Notice { alert: open.alert.clone(), status, new: false })
    };
    let notices: Vec<Notice> = lane.told.iter().filter_map(notice).collect();
    let group_key = "told again".to_owned();
    let hash = dedup_key("resend", sink, &Labels::none());
    let each = notices.chunks(MOST_NOTICES).enumerate();
    let notification = |(index, notices): (usize, &[Notice])| Notification {
        id: format!("{hash}-{}-{index}", now.millis()),
        at: now,
        why: Why::Repeat,
        sinks: vec![sink.to_owned()],
        group_key: group_key.clone(),
        group_labels: Labels::none(),
        notices: notices.to_vec(),
        more: 0,
    };
    each.map(notification).collect()
}
