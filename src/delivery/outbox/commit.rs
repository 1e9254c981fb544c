//! Group commit: one task writes for everybody.
//!
//! While a commit is on its way to the disk, senders queue; the next commit takes all of them. So a sender alone waits
//! for one commit and a thousand together for two, and the disk decides the pace. What was settled meanwhile is removed
//! in the same transaction.
//!
//! The senders of one commit are told while the database is at work on the next: telling a thousand takes as long as a third
//! of a commit, during which the disk would wait.
//!
//! A commit whose outcome is unknown (the connection was cut) is made again with the same numbers: what the first
//! attempt had stored is then left as it is.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join;
use tokio::sync::{Notify, mpsc, oneshot};

use super::batch::{Batch, Closing, Intake};
use super::binding::{AnyBinding, BLOCK};
use super::core::{Command, Core};
use super::error::StoreFault;
use super::id::StoredId;
use super::ledger;
use super::row::{Row, Settlement, now_micros};
use crate::message::{Key, Priority};
use crate::store::QueryBuilder;
use crate::sync::{Arc, Ordering};

/// A message to be stored, and whoever waits for it.
pub(super) trait Job: Send {
    fn row(&self) -> &Row;
    fn binding(&self) -> Arc<dyn AnyBinding>;
    /// Gives it its number, which it keeps.
    fn number(&mut self) -> StoredId;
    /// It is stored.
    fn committed(self: Box<Self>);
    /// A message with its idempotency key had been stored before.
    fn duplicate(self: Box<Self>);
    /// It is not stored, or nobody knows.
    fn refused(self: Box<Self>, fault: &StoreFault, unsure: bool);
}

/// First pause before a commit is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often letters that an operator gave back are looked for.
const LOOK_ROUND: Duration = Duration::from_secs(2);
/// Letters made messages again in one transaction.
const TOGETHER: i64 = 128;
/// Senders told before the next commit gets its turn: some tens of microseconds.
const TOLD_TOGETHER: usize = 64;
/// How often old idempotency keys are looked for.
const SWEEP: Duration = Duration::from_secs(600);

/// The task of an outbox's thread, until it is told to close.
pub(super) async fn run(core: Arc<Core>, commands: mpsc::Receiver<Command>) {
    let (mut intake, now) = (Intake::new(commands), Instant::now());
    let mut committer = Committer { core, stored: None, next_look: now, next_sweep: now };
    loop {
        let batch = committer.begin(&mut intake).await;
        if let Some(done) = committer.commit(batch, &mut intake).await {
            committer.close(intake).await;
            if let Some(done) = done {
                let _ = done.send(());
            }
            return;
        }
    }
}

struct Committer {
    core: Arc<Core>,
    /// The last commit, whose senders wait to be told of it.
    stored: Option<Stored>,
    next_look: Instant,
    next_sweep: Instant,
}

/// What one agent has to remove.
type Settled = (Arc<dyn AnyBinding>, Vec<Settlement>);

impl Committer {
    /// What is to be committed next; may be nothing new, if something is to be removed.
    async fn begin(&mut self, intake: &mut Intake) -> Batch {
        loop {
            if intake.is_empty() {
                self.tell_stored().await;
            }
            // A batch with numbers goes before letters, which come after it.
            let looks = self.is_look_due() && !intake.has_begun();
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.next_look.into()), if looks || intake.is_empty() => {
                    // Noted in order of numbers, and so after the last commit's.
                    self.tell_stored().await;
                    if let Err(fault) = self.revive().await {
                        tracing::warn!(error = %chain(&fault), "requeued letters cannot be looked for");
                    }
                    self.next_look = Instant::now() + LOOK_ROUND;
                    continue;
                }
                () = intake.wait() => {}
                () = self.core.bell.notified() => {
                    // Company is welcome: a later removal costs nobody anything.
                    let _ = tokio::time::timeout(self.core.options.linger, intake.wait()).await;
                }
            }
            return intake.take(&self.core.options);
        }
    }

    fn is_look_due(&self) -> bool {
        self.next_look <= Instant::now()
    }

    /// Serves whoever is in the channel, and lets go of the agents.
    async fn close(&mut self, mut intake: Intake) {
        intake.close();
        while intake.wait_for_last().await {
            let batch = intake.take(&self.core.options);
            self.commit(batch, &mut intake).await;
        }
        self.commit(Batch::default(), &mut intake).await;
        self.tell_stored().await;
        self.core.bindings().into_iter().for_each(|binding| binding.let_go());
    }

    /// Gives back whether, and for whom, all is to end.
    async fn commit(&mut self, mut batch: Batch, intake: &mut Intake) -> Option<Closing> {
        let numbered = batch.number();
        let Batch { jobs, mut written, flushed, closing, .. } = batch;
        let settled: Vec<Settled> = self
            .core
            .bindings()
            .into_iter()
            .map(|binding| (Arc::clone(&binding), binding.settlements().take()))
            .filter(|(_, settlements)| !settlements.is_empty())
            .collect();
        if jobs.is_empty() && settled.is_empty() {
            self.tell_stored().await;
            answer(flushed);
            return closing;
        }
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut unsure = false;
        let Attempt { known, removed } = loop {
            let (written, before) = (std::mem::take(&mut written), self.stored.take());
            let (core, looks, done) = (Arc::clone(&self.core), self.is_look_due(), Notify::new());
            let attempt = async {
                let outcome = self.attempt(&jobs, &numbered, written, &settled).await;
                done.notify_one();
                outcome
            };
            let meanwhile = async {
                tell(before).await;
                tokio::select! {
                    biased;
                    () = done.notified() => {}
                    // Letters that are looked for next get their numbers after the last commit's.
                    () = intake.collect(&core.options, core.store.dialect()), if !looks => {}
                }
            };
            let (outcome, ()) = join(attempt, meanwhile).await;
            let fault = match outcome {
                Ok(attempt) => break attempt,
                Err(Failed { fault, committing }) => {
                    unsure |= committing && fault.is_passing();
                    fault
                }
            };
            if !fault.is_passing() || began.elapsed() >= self.core.options.patience {
                self.give_up(jobs, settled, &fault, unsure, flushed).await;
                return closing;
            }
            tracing::warn!(error = %chain(&fault), "the outbox could not commit; it tries again");
            self.core.figures.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.core.figures.committed(began.elapsed());
        for ((binding, settlements), removed) in settled.iter().zip(removed) {
            // An earlier attempt may have removed them, unheard.
            let count = if unsure { settlements.len() as u64 } else { removed };
            binding.settlements().pending_less(count);
        }
        self.core.figures.duplicates.fetch_add(known.len() as u64, Ordering::Relaxed);
        self.core.figures.stored.fetch_add((jobs.len() - known.len()) as u64, Ordering::Relaxed);
        self.stored = Some(Stored { jobs: jobs.into_iter().zip(numbered).collect(), known, flushed });
        closing
    }

    /// Tells the senders of the last commit of it.
    async fn tell_stored(&mut self) {
        tell(self.stored.take()).await;
    }

    /// One transaction.
    async fn attempt(
        &mut self,
        jobs: &[Box<dyn Job>],
        numbers: &[StoredId],
        written: Vec<QueryBuilder>,
        settled: &[Settled],
    ) -> Result<Attempt, Failed> {
        let mut work = self.core.store.write().await.map_err(Failed::before)?;
        let reservations = reservations(jobs);
        for (binding, up_to) in &reservations {
            ledger::reserve(&mut work, binding.agent_number(), *up_to).await.map_err(Failed::before)?;
        }
        let ahead = written.len() * ledger::LARGEST;
        ledger::insert(&mut work, written.into_iter()).await.map_err(Failed::before)?;
        let known =
            insert_unknown(&mut work, &jobs[ahead..], &numbers[ahead..]).await.map_err(Failed::before)?;
        let mut removed = Vec::with_capacity(settled.len());
        for (_, settlements) in settled {
            removed.push(ledger::settle(&mut work, settlements).await.map_err(Failed::before)?);
        }
        if self.next_sweep <= Instant::now() {
            let retention = i64::try_from(self.core.options.key_retention.as_micros()).unwrap_or(i64::MAX);
            let before = now_micros().saturating_sub(retention);
            ledger::forget_keys(&mut work, before).await.map_err(Failed::before)?;
        }
        work.commit().await.map_err(|error| Failed { fault: error.into(), committing: true })?;
        for (binding, up_to) in reservations {
            binding.reserved(up_to);
        }
        if self.next_sweep <= Instant::now() {
            self.next_sweep = Instant::now() + SWEEP;
        }
        Ok(Attempt { known, removed })
    }

    /// Makes letters that were given back messages again, under new numbers: behind what is stored already.
    async fn revive(&self) -> Result<(), StoreFault> {
        for binding in self.core.bindings().into_iter().filter(|binding| !binding.has_ended()) {
            let mut reader = self.core.store.read().await?;
            let letters = ledger::requeued(&mut reader, binding.name(), TOGETHER).await?;
            drop(reader);
            if letters.is_empty() {
                continue;
            }
            let mut work = self.core.store.write().await?;
            let reservation = binding.reservation_for(BLOCK / 2);
            if let Some(up_to) = reservation {
                ledger::reserve(&mut work, binding.agent_number(), up_to).await?;
            }
            let levels = letters.iter().map(|(_, priority)| {
                let named = |level: &Priority| level.as_str() == priority;
                Priority::ALL.into_iter().find(named).unwrap_or(Priority::Low)
            });
            let numbers: Vec<StoredId> = levels.map(|level| binding.next_number(level)).collect();
            let mut revived = Vec::with_capacity(letters.len());
            let reviving = async {
                for ((letter, _), id) in letters.iter().zip(&numbers) {
                    revived.push(ledger::revive(&mut work, *letter, *id, now_micros()).await?);
                }
                work.commit().await.map_err(StoreFault::from)
            };
            let outcome = reviving.await;
            if outcome.is_ok() {
                reservation.into_iter().for_each(|up_to| binding.reserved(up_to));
            } else {
                revived.clear();
            }
            // In order of numbers, as after any commit of this task. Letters that were not revived are found again.
            let mut revived = revived.into_iter();
            numbers.into_iter().for_each(|id| binding.revived(id, revived.next().flatten()));
            outcome?;
        }
        Ok(())
    }

    async fn give_up(
        &self,
        jobs: Vec<Box<dyn Job>>,
        settled: Vec<Settled>,
        fault: &StoreFault,
        unsure: bool,
        flushed: Vec<oneshot::Sender<()>>,
    ) {
        self.core.figures.failed_commits.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            error = %chain(fault), messages = jobs.len(), unsure, "the outbox could not commit; its senders are told"
        );
        jobs.into_iter().for_each(|job| job.refused(fault, unsure));
        let owed = !settled.is_empty();
        for (binding, settlements) in settled {
            binding.settlements().give_back(settlements);
        }
        // Whoever waits for a flush learns that there was none.
        drop(flushed);
        if owed {
            // They are removed by a later commit; until then they only take room.
            tokio::time::sleep(LONGEST_PAUSE).await;
            self.core.bell.notify_one();
        }
    }
}

/// Messages in the store, and whoever waits to hear that they are.
struct Stored {
    jobs: Vec<(Box<dyn Job>, StoredId)>,
    /// Those whose idempotency key belongs to another message.
    known: BTreeSet<StoredId>,
    flushed: Vec<oneshot::Sender<()>>,
}

/// In order of numbers, some at a time: in between, the next commit is driven on.
async fn tell(stored: Option<Stored>) {
    let Some(Stored { jobs, known, flushed }) = stored else { return };
    for (place, (job, id)) in jobs.into_iter().enumerate() {
        if place % TOLD_TOGETHER == TOLD_TOGETHER - 1 {
            tokio::task::yield_now().await;
        }
        if known.contains(&id) { job.duplicate() } else { job.committed() }
    }
    answer(flushed);
}

/// A transaction that was committed.
struct Attempt {
    /// The numbers of those jobs whose idempotency key belongs to another message.
    known: BTreeSet<StoredId>,
    /// How many messages were removed, for each agent that had something to remove.
    removed: Vec<u64>,
}

/// A failed transaction.
struct Failed {
    fault: StoreFault,
    /// It failed while it committed, so that it may have been committed.
    committing: bool,
}

impl Failed {
    fn before(fault: impl Into<StoreFault>) -> Self {
        Self { fault: fault.into(), committing: false }
    }
}

/// Early, so that a transaction of a handler's hardly ever has to, which would hold the row until its end.
fn reservations(jobs: &[Box<dyn Job>]) -> Vec<(Arc<dyn AnyBinding>, i64)> {
    let bindings: BTreeMap<u16, Arc<dyn AnyBinding>> =
        jobs.iter().map(|job| job.binding()).map(|binding| (binding.agent_number(), binding)).collect();
    let due = |binding: Arc<dyn AnyBinding>| {
        let up_to = binding.reservation_for(BLOCK / 2)?;
        Some((binding, up_to))
    };
    bindings.into_values().filter_map(due).collect()
}

/// Those messages whose idempotency key is not known yet; gives back the others.
async fn insert_unknown(
    work: &mut crate::store::Connection,
    jobs: &[Box<dyn Job>],
    numbers: &[StoredId],
) -> Result<BTreeSet<StoredId>, sqlx::Error> {
    let known = duplicates(work, jobs, numbers).await?;
    let all = numbers.iter().copied().zip(jobs.iter().map(|job| job.row()));
    let new: Vec<(StoredId, &Row)> = all.filter(|(id, _)| !known.contains(id)).collect();
    let dialect = work.dialect();
    ledger::insert(work, ledger::insertions(dialect, &new)).await?;
    Ok(known)
}

async fn duplicates(
    work: &mut crate::store::Connection,
    jobs: &[Box<dyn Job>],
    numbers: &[StoredId],
) -> Result<BTreeSet<StoredId>, sqlx::Error> {
    let mut claims: BTreeMap<u16, BTreeMap<[u8; 16], (Key, StoredId)>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for (job, id) in jobs.iter().zip(numbers) {
        let Some(key) = job.row().idempotency else { continue };
        let of_agent = claims.entry(id.agent()).or_default();
        // Twice in one commit: the first counts.
        match of_agent.entry(key.to_bytes()) {
            Entry::Vacant(first) => drop(first.insert((key, *id))),
            Entry::Occupied(_) => drop(known.insert(*id)),
        }
    }
    for (agent, claims) in claims {
        // In one order, so that two processes that claim the same keys wait for each other and do not lock up.
        let claims: Vec<(Key, StoredId)> = claims.into_values().collect();
        let owners = ledger::claim(work, agent, &claims, now_micros()).await?;
        let lost =
            |(key, id): &&(Key, StoredId)| owners.get(&key.to_bytes()).is_some_and(|owner| owner != id);
        known.extend(claims.iter().filter(lost).map(|(_, id)| *id));
    }
    Ok(known)
}

fn answer(flushed: Vec<oneshot::Sender<()>>) {
    for done in flushed {
        // Whoever asked may have gone.
        let _ = done.send(());
    }
}

/// An error and its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
