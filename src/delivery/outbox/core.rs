//! What the handles, the bindings and the thread of an outbox share.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::{Notify, mpsc, oneshot};

use super::binding::AnyBinding;
use super::commit::Job;
use super::options::OutboxOptions;
use super::stats::OutboxStats;
use crate::store::Store;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// What the thread of an outbox is told.
pub(super) enum Command {
    /// Store a message.
    Store(Box<dyn Job>),
    /// Write down everything that is settled, and say so.
    Flush(oneshot::Sender<()>),
    /// Write down everything that is settled, and end.
    Close(oneshot::Sender<()>),
}

pub(super) struct Core {
    pub(super) store: Store,
    pub(super) options: OutboxOptions,
    pub(super) commands: mpsc::Sender<Command>,
    /// Rung when something is settled.
    pub(super) bell: std::sync::Arc<Notify>,
    /// The runtime of the outbox's thread: feeders live there.
    pub(super) thread: tokio::runtime::Handle,
    pub(super) figures: Figures,
    bindings: Mutex<BTreeMap<String, Weak<dyn AnyBinding>>>,
}

impl Core {
    pub(super) fn new(
        store: Store,
        options: OutboxOptions,
        commands: mpsc::Sender<Command>,
        thread: tokio::runtime::Handle,
    ) -> Self {
        Self {
            store,
            options,
            commands,
            bell: std::sync::Arc::default(),
            thread,
            figures: Figures::default(),
            bindings: Mutex::default(),
        }
    }

    /// Whether the name is bound, to an agent that is still there.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        lock(&self.bindings).get(name).and_then(Weak::upgrade).is_some_and(|binding| !binding.has_ended())
    }

    pub(super) fn bound(&self, name: &str, binding: Weak<dyn AnyBinding>) {
        lock(&self.bindings).insert(name.to_owned(), binding);
    }

    /// Another may deliver what was bound under this name.
    pub(super) fn let_go_of(&self, name: &str) {
        if let Some(binding) = lock(&self.bindings).remove(name).and_then(|binding| binding.upgrade()) {
            binding.let_go();
        }
    }

    pub(super) fn bindings(&self) -> Vec<Arc<dyn AnyBinding>> {
        lock(&self.bindings).values().filter_map(Weak::upgrade).collect()
    }

    /// Resolves when everything settled so far is written down, or the outbox is closed.
    pub(super) async fn flush(&self) -> bool {
        let (done, is_done) = oneshot::channel();
        self.commands.send(Command::Flush(done)).await.is_ok() && is_done.await.is_ok()
    }

    pub(super) fn stats(&self) -> OutboxStats {
        let mut stats = self.figures.stats();
        stats.agents = self.bindings().iter().map(|binding| binding.figures()).collect();
        stats.agents.sort_by(|a, b| a.agent.cmp(&b.agent));
        stats
    }
}

/// Counters of the whole outbox.
pub(super) struct Figures {
    pub(super) commits: AtomicU64,
    pub(super) stored: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) failed_commits: AtomicU64,
    pub(super) redelivered: AtomicU64,
    commit_micros: Mutex<Histogram<u64>>,
}

impl Default for Figures {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            commits: zero(),
            stored: zero(),
            duplicates: zero(),
            retries: zero(),
            failed_commits: zero(),
            redelivered: zero(),
            // A microsecond to an hour, to two digits.
            commit_micros: Mutex::new(
                Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("these bounds are in order"),
            ),
        }
    }
}

impl Figures {
    pub(super) fn committed(&self, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        lock(&self.commit_micros).saturating_record(micros);
    }

    fn stats(&self) -> OutboxStats {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let commits = lock(&self.commit_micros);
        OutboxStats {
            commits: of(&self.commits),
            stored: of(&self.stored),
            duplicates: of(&self.duplicates),
            retries: of(&self.retries),
            failed_commits: of(&self.failed_commits),
            redelivered: of(&self.redelivered),
            commit_seconds: [0.5, 0.99].map(|share| commits.value_at_quantile(share) as f64 / 1e6),
            agents: Vec::new(),
        }
    }
}
