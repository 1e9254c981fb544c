//! Tags, and how often each was invalidated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;

use super::key::Print;

/// Fewer new tags than this never make the table look for tags to forget.
const FEWEST_BETWEEN_SWEEPS: usize = 1024;

/// One tag, shared by everything that depends on it: results kept, loads under way, invalidations not published yet.
#[derive(Debug, Default)]
pub(super) struct TagCell {
    /// How often it was invalidated.
    generation: AtomicU64,
    /// Invalidations that Redis has not confirmed. Until it has, what it says about this tag is of the past.
    unpublished: AtomicU64,
}

impl TagCell {
    pub(super) fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn begin_publishing(&self) {
        self.unpublished.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn published(&self) {
        self.unpublished.fetch_sub(1, Ordering::SeqCst);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
}

/// The tags in use. A tag that nothing depends on is forgotten: its next cell may begin at zero again, for nobody is
/// left who knew the old one.
#[derive(Debug)]
pub(super) struct TagTable {
    cells: DashMap<Print, Arc<TagCell>>,
    /// Tags since the last sweep, and how many make the next one due.
    count: AtomicUsize,
    enough: AtomicUsize,
}

impl Default for TagTable {
    fn default() -> Self {
        Self { cells: DashMap::new(), count: 0.into(), enough: FEWEST_BETWEEN_SWEEPS.into() }
    }
}

impl TagTable {
    /// The cell of a tag, made if there is none.
    pub(super) fn cell(&self, tag: Print) -> Arc<TagCell> {
        if let Some(cell) = self.existing(tag) {
            return cell;
        }
        let cell = Arc::clone(&self.cells.entry(tag).or_default());
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 >= self.enough.load(Ordering::Relaxed) {
            self.sweep();
        }
        cell
    }

    pub(super) fn existing(&self, tag: Print) -> Option<Arc<TagCell>> {
        self.cells.get(&tag).map(|cell| Arc::clone(&cell))
    }

    /// The count at least doubles between two sweeps, so that a tag costs a constant.
    fn sweep(&self) {
        // A cell is cloned only under its shard's lock, which `retain` holds.
        self.cells.retain(|_, cell| Arc::strong_count(cell) > 1);
        let kept = self.cells.len();
        self.count.store(kept, Ordering::Relaxed);
        self.enough.store((2 * kept).max(FEWEST_BETWEEN_SWEEPS), Ordering::Relaxed);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.cells.len()
    }
}

/// The tags of a query: sorted, each once, among them the one that everything has.
#[derive(Debug, Clone)]
pub(super) struct Tags {
    prints: Arc<[Print]>,
    cells: Arc<[Arc<TagCell>]>,
}

impl Tags {
    pub(super) fn new(table: &TagTable, mut prints: Vec<Print>) -> Self {
        prints.sort_unstable();
        prints.dedup();
        let cells = prints.iter().map(|&print| table.cell(print)).collect();
        Self { prints: prints.into(), cells }
    }

    pub(super) fn prints(&self) -> &Arc<[Print]> {
        &self.prints
    }

    /// Their generations now.
    pub(super) fn capture(&self) -> Captured {
        let generations = self.cells.iter().map(|cell| cell.generation()).collect();
        Captured { cells: Arc::clone(&self.cells), generations }
    }
}

/// The generations that tags had at a moment.
#[derive(Debug)]
pub(super) struct Captured {
    cells: Arc<[Arc<TagCell>]>,
    generations: Box<[u64]>,
}

impl Captured {
    /// Whether none was invalidated since.
    pub(super) fn is_current(&self) -> bool {
        self.cells.iter().zip(&self.generations).all(|(cell, &captured)| cell.generation() == captured)
    }

    /// Whether it knows of every invalidation that `other`, of the same tags, knows of.
    pub(super) fn is_no_older_than(&self, other: &Self) -> bool {
        self.generations.iter().zip(&other.generations).all(|(ours, theirs)| ours >= theirs)
    }

    /// Whether Redis has yet to hear of an invalidation of one of them. Ask after capturing.
    pub(super) fn is_ahead_of_redis(&self) -> bool {
        self.cells.iter().any(|cell| cell.unpublished.load(Ordering::SeqCst) > 0)
    }

    pub(super) fn count(&self) -> usize {
        self.cells.len()
    }
}

/// Numbers that say what came first: who draws a greater one began later.
#[derive(Debug, Default)]
pub(super) struct Sequence(AtomicU64);

impl Sequence {
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_nothing_depends_on_are_forgotten() {
        let table = TagTable::default();
        let kept: Vec<_> =
            (0..100).map(|number| Tags::new(&table, vec![Print::of(number)]).capture()).collect();
        for number in 100..100_000 {
            table.cell(Print::of(number));
            assert!(table.len() <= FEWEST_BETWEEN_SWEEPS, "{}", table.len());
        }
        for (number, captured) in (0..).zip(&kept) {
            assert!(captured.is_current());
            table.existing(Print::of(number)).expect("it is in use").invalidate();
            assert!(!captured.is_current());
        }
    }
}
