//! A bound agent's address for messages that survive a crash.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use super::binding::{AnyBinding, Binding};
use super::commit::Job;
use super::core::Command;
use super::durable::Durable;
use super::error::{SendError, StoreFault};
use super::id::StoredId;
use super::lane::{Content, Waiting};
use super::ledger;
use super::row::{Row, Settlement, now_micros};
use super::work::{Sent, Work};
use crate::agent::AgentRef;
use crate::mailbox::Reason;
use crate::message::{Key, Priority};
use crate::sync::Arc;
use crate::wire::{EncodeError, Limits, encode_message};

/// An agent's address for durable messages: cheap to clone, usable from any thread.
///
/// Order: messages of one priority are delivered in the order in which they were committed, and again in that order
/// after a crash; so the messages of a key, sent one after the other at one priority, arrive in order. A retry within
/// the agent keeps its place. An agent that is a pool keeps order per key if it is
/// [`Pool::ByKey`](crate::Pool::ByKey).
pub struct DurableRef<M: Durable> {
    binding: Arc<Binding<M>>,
}

impl<M: Durable> DurableRef<M> {
    pub(super) fn new(binding: Arc<Binding<M>>) -> Self {
        Self { binding }
    }

    /// Stores a message for the agent. Await the [`DurableTell`]; it resolves when the message is committed.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, the message may be stored, and delivered, or not; it is never half stored.
    pub fn tell(&self, message: M) -> DurableTell<'_, M> {
        DurableTell { to: self, message, at_most: Priority::Critical, deadline: None, idempotency: None }
    }

    /// Stores a message as part of `work`: it is sent if that commits.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, undo the work.
    pub async fn tell_in(&self, work: &mut Work, message: M) -> Result<(), SendError<M>> {
        let binding = &self.binding;
        if !Arc::ptr_eq(work.core(), &binding.core) {
            return Err(SendError::OtherOutbox(message));
        }
        let (message, row) = self.written(message, Priority::Critical, None, None)?;
        let priority = row.priority;
        let reservation = binding.reservation_for(1);
        let id = binding.lanes[priority.lane()].number_open();
        let waiting = waiting(id, &row, message);
        // The work answers for the number from here on, also if this future is dropped.
        let sent = Box::new(SentInWork { binding: Arc::clone(binding), waiting: Some(waiting), reservation });
        let stored = async {
            if let Some(up_to) = reservation {
                ledger::reserve(work, binding.number, up_to).await?;
            }
            let dialect = work.dialect();
            ledger::insert(work, ledger::insertions(dialect, &[(id, &row)])).await
        };
        match stored.await {
            Ok(()) => {
                work.sends(sent);
                Ok(())
            }
            Err(error) => Err(SendError::Store {
                message: sent.give_back(),
                unsure: false,
                source: StoreFault::from(error),
            }),
        }
    }

    /// Removes every stored message about `key` and every one on its way; each becomes a dead letter, as purged and
    /// without its body. Says how many. A message being handled at the moment is not stopped.
    ///
    /// # Errors
    ///
    /// [`StoreFault`]: what was in memory is purged, the store could not be searched.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, some may be purged and others not.
    pub async fn purge(&self, key: Key) -> Result<usize, StoreFault> {
        let binding = &self.binding;
        // What is handed over while we search the store is purged by the second round.
        let mut purged = self.purge_memory(key);
        let mut work = binding.core.store.write().await?;
        let stored = ledger::about(&mut work, binding.number, key).await?;
        let at = now_micros();
        let dead: Vec<Settlement> = stored
            .iter()
            .map(|id| Settlement::Dead {
                id: *id,
                reason: Reason::Purged.as_str(),
                attempts: 0,
                at,
                keep_body: false,
            })
            .collect();
        let removed = ledger::settle(&mut work, &dead).await?;
        work.commit().await?;
        binding.settlements.pending_less(removed);
        purged.extend(stored);
        purged.extend(self.purge_memory(key));
        purged.sort_unstable();
        purged.dedup();
        Ok(purged.len())
    }

    fn purge_memory(&self, key: Key) -> Vec<StoredId> {
        let mut purged = Vec::new();
        for lane in &self.binding.lanes {
            purged.extend(lane.state().take_about(key));
        }
        self.binding.agent.purge(key);
        purged
    }

    /// The agent itself, for messages that need not survive.
    #[must_use]
    pub fn agent(&self) -> &AgentRef<M> {
        &self.binding.agent
    }

    /// Messages that are stored and not done with, those being handled included.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.binding.settlements.pending()
    }

    /// The message and what is stored of it, counted as pending.
    fn written(
        &self,
        message: M,
        at_most: Priority,
        deadline: Option<Duration>,
        idempotency: Option<Key>,
    ) -> Result<(M, Row), SendError<M>> {
        let Binding { core, agent, settlements, .. } = &*self.binding;
        if self.binding.has_ended() {
            return Err(SendError::Closed(message));
        }
        let most = core.options.message_bytes;
        let format = M::format();
        let limits = Limits { max_bytes: most, ..Limits::default() };
        let body = match encode_message(&message, format, &limits) {
            Ok(body) => body,
            Err(EncodeError::TooLarge { .. }) => return Err(SendError::TooLong { message, most }),
            Err(_) => return Err(SendError::Unwritable(message)),
        };
        let sent_at = now_micros();
        let after = |within: Duration| i64::try_from(within.as_micros()).unwrap_or(i64::MAX);
        let row = Row {
            priority: message.priority().at_most(at_most),
            kind: message.kind(),
            format,
            key: message.key(),
            deadline: deadline.map(|within| sent_at.saturating_add(after(within))),
            sent_at,
            idempotency,
            body,
        };
        if !settlements.pending_one_more(core.options.pending) {
            tracing::warn!(agent = agent.name(), "the outbox holds as many messages of this agent as it may");
            return Err(SendError::Full(message));
        }
        Ok((message, row))
    }
}

impl<M: Durable> Clone for DurableRef<M> {
    fn clone(&self) -> Self {
        Self { binding: Arc::clone(&self.binding) }
    }
}

impl<M: Durable> fmt::Debug for DurableRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DurableRef").field(&self.binding.agent.name()).finish()
    }
}

/// A durable message about to be sent: choose its options, then await it.
#[must_use = "a message is stored when the `DurableTell` is awaited"]
pub struct DurableTell<'a, M: Durable> {
    to: &'a DurableRef<M>,
    message: M,
    at_most: Priority,
    deadline: Option<Duration>,
    idempotency: Option<Key>,
}

impl<M: Durable> DurableTell<'_, M> {
    /// Sends at most this urgently. A priority above what the message's type grants has no effect.
    pub fn priority(mut self, at_most: Priority) -> Self {
        self.at_most = self.at_most.at_most(at_most);
        self
    }

    /// Not to be handled later than this from now, by the wall clock: it holds across a restart. A message that lapses
    /// becomes a dead letter.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    /// A second message to this agent under the same key is not stored and counts as sent, for as long as the outbox
    /// remembers keys: whoever is not sure that a send went through sends again. Only a fingerprint of it is stored.
    pub fn idempotency_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.idempotency = Some(Key::of(key));
        self
    }

    async fn send(self) -> Result<(), SendError<M>> {
        let Self { to, message, at_most, deadline, idempotency } = self;
        let (message, row) = to.written(message, at_most, deadline, idempotency)?;
        let (done, is_done) = oneshot::channel();
        let binding = Arc::clone(&to.binding);
        let guard = Sending { binding, row, message: Some(message), done: Some(done), id: None };
        let core = Arc::clone(&to.binding.core);
        match core.commands.reserve().await {
            Ok(place) => place.send(Command::Store(Box::new(guard))),
            Err(_) => return Err(SendError::Closed(guard.give_back())),
        }
        match is_done.await {
            Ok(outcome) => outcome,
            Err(_) => unreachable!("a job answers before it is dropped"),
        }
    }
}

impl<'a, M: Durable> IntoFuture for DurableTell<'a, M> {
    type Output = Result<(), SendError<M>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<M: Durable> fmt::Debug for DurableTell<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableTell").field("to", self.to).finish_non_exhaustive()
    }
}

/// A message on its way to the store. Counted as pending until it is refused.
struct Sending<M: Durable> {
    binding: Arc<Binding<M>>,
    row: Row,
    message: Option<M>,
    done: Option<oneshot::Sender<Result<(), SendError<M>>>>,
    id: Option<StoredId>,
}

const ONCE: &str = "a message is taken out once";

impl<M: Durable> Sending<M> {
    fn give_back(mut self) -> M {
        self.message.take().expect(ONCE)
    }

    fn not_committed(&self) {
        if let Some(id) = self.id {
            self.binding.lanes[self.row.priority.lane()].not_committed(id);
        }
    }

    fn answer(&mut self, outcome: Result<(), SendError<M>>) {
        if let Some(done) = self.done.take() {
            // A sender that has gone hears nothing.
            let _ = done.send(outcome);
        }
    }
}

impl<M: Durable> Drop for Sending<M> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.binding.settlements.pending_less(1);
            self.answer(Err(SendError::Closed(message)));
        }
    }
}

impl<M: Durable> Job for Sending<M> {
    fn row(&self) -> &Row {
        &self.row
    }

    fn binding(&self) -> Arc<dyn AnyBinding> {
        Arc::clone(&self.binding) as Arc<dyn AnyBinding>
    }

    fn number(&mut self) -> StoredId {
        *self.id.get_or_insert_with(|| self.binding.lanes[self.row.priority.lane()].number())
    }

    fn committed(mut self: Box<Self>) {
        let id = self.number();
        let message = self.message.take().expect(ONCE);
        self.binding.lanes[self.row.priority.lane()].committed(waiting(id, &self.row, message));
        self.answer(Ok(()));
    }

    fn duplicate(mut self: Box<Self>) {
        drop(self.message.take());
        self.not_committed();
        self.binding.settlements.pending_less(1);
        self.answer(Ok(()));
    }

    fn refused(mut self: Box<Self>, fault: &StoreFault, unsure: bool) {
        let message = self.message.take().expect(ONCE);
        if !unsure {
            self.not_committed();
            self.binding.settlements.pending_less(1);
        } else if let Some(id) = self.id {
            self.binding.lanes[self.row.priority.lane()].doubtful(id);
        }
        self.answer(Err(SendError::Store { message, unsure, source: fault.clone() }));
    }
}

/// A message sent in a transaction that has not ended.
struct SentInWork<M: Durable> {
    binding: Arc<Binding<M>>,
    waiting: Option<Waiting<M>>,
    reservation: Option<i64>,
}

impl<M: Durable> SentInWork<M> {
    fn give_back(mut self) -> M {
        let waiting = self.waiting.take().expect(ONCE);
        self.forget(waiting.id);
        match waiting.content {
            Content::Fresh(message) => message,
            Content::Stored(_) => unreachable!("it was sent a moment ago"),
        }
    }

    fn lane(&self, id: StoredId) -> &super::lane::Lane<M> {
        &self.binding.lanes[id.priority().lane()]
    }

    fn forget(&self, id: StoredId) {
        self.lane(id).undone(id);
        self.binding.settlements.pending_less(1);
    }
}

impl<M: Durable> Drop for SentInWork<M> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.forget(waiting.id);
        }
    }
}

impl<M: Durable> Sent for SentInWork<M> {
    fn committed(mut self: Box<Self>) {
        if let Some(up_to) = self.reservation {
            self.binding.reserved(up_to);
        }
        let waiting = self.waiting.take().expect(ONCE);
        self.lane(waiting.id).ended_well(waiting);
    }

    fn undone(self: Box<Self>) {}

    fn doubtful(mut self: Box<Self>) {
        let waiting = self.waiting.take().expect(ONCE);
        self.lane(waiting.id).doubtful(waiting.id);
    }
}

fn waiting<M>(id: StoredId, row: &Row, message: M) -> Waiting<M> {
    Waiting { id, key: row.key, deadline: row.deadline, redelivered: false, content: Content::Fresh(message) }
}
