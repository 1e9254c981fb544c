//! What the service's tasks share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::board::board;
use super::book::{Book, Deed};
use super::clock::SteadyClock;
use super::entry::Entry;
use super::error::{LedgerError, SaveError, TickError};
use super::figures::Figures;
use super::lane::Told;
use super::ledger;
use super::options::ServiceOptions;
use super::queue::Queue;
use super::request::Request;
use crate::alert::dispatch::{Dispatcher, DispatcherSnapshot};
use crate::alert::engine::Engine;
use crate::alert::snapshot::EngineSnapshot;
use crate::alert::time::Moment;
use crate::store::{Store, WriteError};
use crate::sync::{Mutex, lock};

/// What the service's tasks share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) options: ServiceOptions,
    pub(super) clock: SteadyClock,
    pub(super) engine: Mutex<Engine>,
    /// Locked after the engine, where both are.
    pub(super) book: Mutex<Book>,
    pub(super) figures: Figures,
    /// Held by whoever stores: batches are stored in the order in which they were taken.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// Rung when there may be something new to send.
    pub(super) bell: Notify,
    pub(super) deeds: mpsc::Sender<Deed>,
}

/// What another process, or this one before, left in the store.
struct Left {
    epoch: i64,
    engine: Option<EngineSnapshot>,
    dispatcher: Option<DispatcherSnapshot>,
    at: Moment,
    waiting: Vec<Entry>,
    last_seq: i64,
    told: Vec<(String, String, Told)>,
}

impl Core {
    pub(super) fn leads(&self) -> bool {
        lock(&self.book).lead.is_some()
    }

    /// Stores everything that is decided and not stored: states, notifications and attempts, in one transaction. Only
    /// what was stored is sent.
    pub(super) async fn save(&self) -> Result<(), SaveError> {
        let _turn = self.saving.lock().await;
        let (epoch, generation, batch) = {
            let mut book = lock(&self.book);
            let Some(epoch) = book.lead else { return Err(SaveError::Deposed) };
            (epoch, book.generation, book.unsaved())
        };
        if !batch.is_empty() {
            let batch = &batch;
            let write = self.store.transact(|mut writer| async move {
                if ledger::epoch(&mut writer).await? != epoch {
                    return Err(SaveError::Deposed);
                }
                ledger::write(&mut writer, batch).await?;
                Ok(writer.commit().await?)
            });
            let limit = self.options.save_timeout;
            let written = tokio::time::timeout(limit, write).await.unwrap_or(Err(SaveError::TimedOut(limit)));
            if let Err(error) = written {
                self.figures.count(|it| it.saves_failed += 1);
                if matches!(error, SaveError::Deposed) {
                    self.step_down(generation, "another process has taken over");
                }
                return Err(error);
            }
        }
        let deeds = {
            let mut book = lock(&self.book);
            if book.generation != generation {
                return Err(SaveError::Deposed);
            }
            self.count_settled(&mut book);
            book.saved(batch.revision)
        };
        for deed in deeds {
            if self.deeds.try_send(deed).is_err() {
                tracing::error!("too many actions wait to be done: one is not done");
            }
        }
        self.bell.notify_waiters();
        Ok(())
    }

    pub(super) fn count_settled(&self, book: &mut Book) {
        let settled = book.queue.take_settled();
        self.figures.count(|counts| {
            for ((sink, fate), count) in settled {
                *counts.sink(&sink).settled.entry(fate).or_default() += count;
            }
        });
    }

    /// Nothing is evaluated or sent any more.
    pub(super) fn step_down(&self, generation: u64, why: &str) {
        let mut book = lock(&self.book);
        if book.generation == generation && book.lead.take().is_some() {
            tracing::warn!(why, "alerting stands by: it does not evaluate or send");
        }
    }

    /// Takes up what is stored, with the lock that says that nobody else does.
    pub(super) async fn take_over(&self, now: Moment) -> Result<(), TickError> {
        let limit = self.options.save_timeout;
        let reading = self.store.transact(|mut writer| async move {
            let epoch = ledger::epoch(&mut writer).await? + 1;
            ledger::set_epoch(&mut writer, epoch).await?;
            let (engine, at) = read_state(&mut writer, ledger::ENGINE).await?;
            let (dispatcher, _) = read_state(&mut writer, ledger::DISPATCHER).await?;
            let (waiting, unreadable, last_seq) = ledger::waiting(&mut writer).await?;
            if !unreadable.is_empty() {
                tracing::error!(
                    rows = unreadable.len(),
                    "notifications that wait cannot be read, and are given up"
                );
                ledger::give_up(&mut writer, &unreadable, now).await?;
            }
            let told = ledger::told(&mut writer).await?;
            writer.commit().await?;
            Ok::<_, LedgerError>(Left { epoch, engine, dispatcher, at, waiting, last_seq, told })
        });
        let left = tokio::time::timeout(limit, reading).await.unwrap_or(Err(LedgerError::TimedOut(limit)))?;
        let mut engine = lock(&self.engine);
        let mut book = lock(&self.book);
        if book.last_lead == Some(left.epoch - 1) {
            // Nobody led in between: what is in memory is newer than what is stored.
            (book.lead, book.last_lead) = (Some(left.epoch), Some(left.epoch));
            tracing::info!("alerting goes on: nobody took over meanwhile");
            return Ok(());
        }
        self.clock.not_before(left.at);
        let now = now.max(left.at);
        self.restore(&mut engine, &mut book, left, now);
        let waiting: usize = book.queue.lanes.values().map(|it| it.live().count()).sum();
        tracing::info!(open = book.board.len(), waiting, "alerting evaluates and sends from now on");
        Ok(())
    }

    fn restore(&self, engine: &mut Engine, book: &mut Book, left: Left, now: Moment) {
        let Left { epoch, engine: kept, dispatcher, waiting, last_seq, told, .. } = left;
        book.forget_unsaved();
        if let Some(kept) = kept {
            let setup = &book.setup;
            match Engine::restore(setup.engine.clone(), setup.rules.clone(), kept, now) {
                Ok((restored, events)) => {
                    *engine = restored;
                    book.carried = events;
                }
                // The rules were checked when they were set up.
                Err(faults) => tracing::error!(%faults, "the state of the rules cannot be taken up"),
            }
        }
        let dispatch = book.dispatch_options();
        book.dispatcher = Dispatcher::restore(dispatch, dispatcher.unwrap_or_default());
        let mut queue = Queue::new(self.options.most_waiting, self.options.repeats_last);
        queue.restore(waiting, last_seq);
        for (sink, key, told) in told {
            queue.lane(&sink).told.insert(key, told);
        }
        queue.keep_sinks(&book.dispatch_options().sinks, self.clock.now());
        book.queue = queue;
        book.generation += 1;
        (book.lead, book.last_lead) = (Some(epoch), Some(epoch));
        book.set_silences(&[], now);
        book.board = Arc::new(board(engine, &book.dispatcher, now));
    }

    /// Does what other processes ask for. What they asked is forgotten with the next batch.
    pub(super) async fn answer_requests(&self, now: Moment) -> Result<(), LedgerError> {
        let limit = self.options.save_timeout;
        let asked = async {
            let mut reader = self.store.read().await?;
            Ok::<_, LedgerError>(ledger::requests(&mut reader).await?)
        };
        let requests =
            tokio::time::timeout(limit, asked).await.unwrap_or(Err(LedgerError::TimedOut(limit)))?;
        let mut book = lock(&self.book);
        for (id, request) in requests {
            if book.is_answered(id) {
                continue;
            }
            match request {
                Some(Request::Acknowledge { key, by }) => {
                    if let Err(error) = book.acknowledge(&key, &by, now, self.clock.now()) {
                        tracing::warn!(key, %error, "an acknowledgement has no effect");
                    }
                }
                Some(Request::Silence(silence)) => {
                    if let Err(error) = book.dispatcher.silence(silence, now) {
                        tracing::warn!(%error, "a silence has no effect");
                    }
                }
                Some(Request::LiftSilence { id }) => {
                    if !book.dispatcher.lift_silence(&id, now) {
                        tracing::warn!(id, "there is no such silence to lift");
                    }
                }
                None => tracing::warn!(id, "a request to alerting cannot be read, and is left out"),
            }
            book.answer(id);
        }
        Ok(())
    }

    /// Forgets what was settled long ago.
    pub(super) async fn sweep(&self) {
        let keep = self.options.keep_settled;
        let age = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        let before = Moment::from_millis(self.clock.now().millis().saturating_sub(age));
        let sweeping = self.store.transact(|mut writer| async move {
            ledger::sweep(&mut writer, before).await?;
            Ok::<_, LedgerError>(writer.commit().await?)
        });
        match tokio::time::timeout(self.options.save_timeout, sweeping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "old notifications cannot be forgotten"),
            Err(_) => tracing::warn!("old notifications cannot be forgotten: the database does not answer"),
        }
    }

    /// How long resolved alerts are told again.
    pub(super) fn resend_resolved_for(&self) -> Duration {
        lock(&self.book).setup.engine.resend_resolved_for
    }
}

async fn read_state<T: serde::de::DeserializeOwned>(
    writer: &mut crate::store::Writer,
    name: &'static str,
) -> Result<(Option<T>, Moment), LedgerError> {
    let Some((at, body)) = ledger::state(writer, name).await? else { return Ok((None, Moment::default())) };
    match rmp_serde::from_slice(&body) {
        Ok(state) => Ok((Some(state), at)),
        Err(_) => {
            tracing::error!(
                state = name,
                "the state of the alerts is of another version of this program: it is put aside in alert_states, and \
                 begins anew. Incidents that were open have to be closed by hand"
            );
            ledger::set_aside(writer, name).await?;
            Ok((None, at))
        }
    }
}

impl From<WriteError> for TickError {
    fn from(error: WriteError) -> Self {
        Self::Read(error.into())
    }
}
