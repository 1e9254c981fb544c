//! Where messages are counted as they end.

use std::sync::atomic::AtomicUsize;

use super::cell::Cell;
use crate::load::target::Outcome;
use crate::sync::{Mutex, Ordering, lock, thread_local};

/// How many there are. More threads than that share.
const SHARDS: usize = 8;

thread_local! {
    /// Which one this thread records in.
    static SHARD: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

/// Cells by place: the classes of the warm-up, then the same classes again.
type Cells = Vec<Option<Box<Cell>>>;

/// On cache lines of its own: those of two threads are not to meet.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(Mutex<Cells>);

/// Where messages are counted as they end.
#[derive(Debug)]
pub(in crate::load) struct Recorders {
    shards: Vec<Shard>,
    classes: usize,
}

impl Recorders {
    pub(in crate::load) fn new(classes: usize) -> Self {
        let empty = || Shard(Mutex::new((0..2 * classes).map(|_| None).collect()));
        Self { shards: (0..SHARDS).map(|_| empty()).collect(), classes }
    }

    pub(in crate::load) fn classes(&self) -> usize {
        self.classes
    }

    /// Counts a message.
    #[inline]
    pub(in crate::load) fn record(&self, place: usize, outcome: Outcome, corrected: u64, uncorrected: u64) {
        // A thread that is ending has no number any more.
        let shard = SHARD.try_with(|shard| *shard).unwrap_or(0);
        let mut cells = lock(&self.shards[shard].0);
        cells[place].get_or_insert_default().record(outcome, corrected, uncorrected);
    }

    /// Shows every cell that was recorded in since this was asked before, each with its place, and empties it. `spare` is
    /// what to record in meanwhile: any number of cells, and kept for the next time.
    pub(in crate::load) fn take(&self, spare: &mut Spare, mut see: impl FnMut(usize, &Cell)) {
        let spare = &mut spare.0;
        spare.resize_with(2 * self.classes, || None);
        for shard in &self.shards {
            {
                let mut cells = lock(&shard.0);
                if cells.iter().all(Option::is_none) {
                    continue;
                }
                std::mem::swap(&mut *cells, spare);
            }
            for (place, cell) in spare.iter_mut().enumerate() {
                if let Some(cell) = cell.as_mut().filter(|cell| cell.ended() > 0) {
                    see(place, cell);
                    cell.clear();
                }
            }
        }
    }
}

/// Cells that nobody records in.
#[derive(Debug, Default)]
pub(in crate::load) struct Spare(Cells);
