//! Invalidations on their way to the other processes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionManager;

use super::{NoAnswer, Shared};
use crate::store::cache::key::Print;
use crate::store::cache::tags::{TagCell, TagTable};

/// Tags that wait for Redis to come back. With more, everything is made invalid instead of each of them.
const MOST_WAITING: usize = 10_000;
/// Tags in one trip.
const TAGS_A_TRIP: usize = 500;
/// The pause between two tries, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An invalidated tag that Redis has to be told about. Its cell knows, until it is [`settled`](Self::settled).
#[derive(Debug)]
pub(in crate::store::cache) struct Mark {
    pub(in crate::store::cache) print: Print,
    pub(in crate::store::cache) cell: Arc<TagCell>,
}

impl Mark {
    fn settled(self) {
        self.cell.published();
    }
}

/// The marks that wait: one a tag, however often it was invalidated meanwhile.
#[derive(Debug, Default)]
pub(super) struct Unpublished {
    waiting: HashMap<Print, Mark>,
    /// Marks that the delivery has taken with it.
    on_the_way: u64,
    /// Whether a task delivers them.
    delivering: bool,
}

impl Unpublished {
    pub(super) fn len(&self) -> u64 {
        self.waiting.len() as u64 + self.on_the_way
    }

    fn add(&mut self, mark: Mark) {
        // The cell counts its marks; two of one tag are told about once.
        if let Some(before) = self.waiting.insert(mark.print, mark) {
            before.settled();
        }
    }
}

impl Shared {
    /// Tells Redis about invalidated tags, and returns whether it knows. If not, it is told as soon as it answers
    /// again.
    pub(in crate::store::cache) async fn publish(
        self: &Arc<Self>,
        marks: Vec<Mark>,
        everything: Print,
        table: &TagTable,
    ) -> bool {
        // Its cell is needed only when too many wait; it is in use anyway.
        let everything = Mark { print: everything, cell: table.cell(everything) };
        let (shared, guard) = (Arc::clone(self), self.unsettled());
        let task = self.runtime.spawn(async move {
            let _guard = guard;
            let told = shared.tell(marks.iter().map(|mark| mark.print)).await.is_ok();
            match told {
                true => marks.into_iter().for_each(Mark::settled),
                false => shared.postpone(marks, everything),
            }
            told
        });
        task.await.unwrap_or(false)
    }

    /// Takes the generations of these tags away; whoever needs one next gives it a new one. Unlike giving it one at
    /// once, this is possible also when Redis is out of memory.
    async fn tell(&self, tags: impl IntoIterator<Item = Print>) -> Result<(), NoAnswer> {
        let names: Vec<String> = tags.into_iter().map(|tag| self.name_of_tag(tag)).collect();
        for names in names.chunks(TAGS_A_TRIP) {
            let leave = self.leave()?;
            let asking = async |connection: &mut ConnectionManager| {
                redis::cmd("DEL").arg(names).query_async::<()>(connection).await
            };
            self.within_time(leave, asking).await?;
        }
        Ok(())
    }

    fn postpone(self: &Arc<Self>, marks: Vec<Mark>, everything: Mark) {
        let mut unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner);
        marks.into_iter().for_each(|mark| unpublished.add(mark));
        if unpublished.waiting.len() > MOST_WAITING {
            everything.cell.begin_publishing();
            // After that: from now on every tag is ahead of Redis.
            unpublished.waiting.drain().for_each(|(_, mark)| mark.settled());
            unpublished.add(everything);
        }
        if !unpublished.delivering {
            unpublished.delivering = true;
            self.runtime.spawn(Arc::clone(self).deliver());
        }
    }

    async fn deliver(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let marks: Vec<Mark> = {
                let mut unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner);
                if unpublished.waiting.is_empty() {
                    unpublished.delivering = false;
                    return;
                }
                let marks: Vec<Mark> = unpublished.waiting.drain().map(|(_, mark)| mark).collect();
                unpublished.on_the_way = marks.len() as u64;
                marks
            };
            let told = self.tell(marks.iter().map(|mark| mark.print)).await.is_ok();
            let mut unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner);
            unpublished.on_the_way = 0;
            if told {
                marks.into_iter().for_each(Mark::settled);
                pause = FIRST_PAUSE;
            } else {
                marks.into_iter().for_each(|mark| unpublished.add(mark));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
