//! An agent that writes down what it is given.

use std::convert::Infallible;
use std::fmt;

use crate::agent::{Agent, AgentOptions, AgentRef, Batch, Context};
use crate::message::{Message, Priority};
use crate::runtime::{RuntimeHandle, SpawnError};
use crate::sync::{Arc, Mutex, lock};

/// Stands in for any agent that takes `M`, and records each message with the priority it came with.
pub struct Probe<M> {
    log: ProbeLog<M>,
}

/// What a [`Probe`] has been given so far.
pub struct ProbeLog<M> {
    entries: Arc<Mutex<Vec<(Priority, M)>>>,
    batches: Arc<Mutex<Vec<usize>>>,
}

impl<M: Message> Probe<M> {
    /// Spawns a probe, and returns its address and its log.
    ///
    /// # Errors
    ///
    /// As [`RuntimeHandle::spawn`].
    pub fn spawn(
        runtime: &RuntimeHandle,
        name: &str,
        options: AgentOptions,
    ) -> Result<(AgentRef<M>, ProbeLog<M>), SpawnError> {
        let log = ProbeLog { entries: Arc::default(), batches: Arc::default() };
        let kept = log.clone();
        let agent = runtime.spawn(name, options, move || Probe { log: kept.clone() })?;
        Ok((agent, log))
    }
}

impl<M: Message> Agent for Probe<M> {
    type Message = M;
    type Error = Infallible;

    async fn handle(&mut self, message: M, ctx: &mut Context<Self>) -> Result<(), Infallible> {
        lock(&self.log.entries).push((ctx.priority(), message));
        Ok(())
    }

    async fn handle_batch(
        &mut self,
        batch: &mut Batch<M>,
        ctx: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        let messages = batch.take_all();
        lock(&self.log.batches).push(messages.len());
        lock(&self.log.entries).extend(messages.into_iter().map(|message| (ctx.priority(), message)));
        Ok(())
    }
}

impl<M> ProbeLog<M> {
    /// Takes out everything recorded since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<M> {
        std::mem::take(&mut *lock(&self.entries)).into_iter().map(|(_, message)| message).collect()
    }

    /// Takes out everything recorded since the last time, with the priority each came with.
    #[must_use]
    pub fn take_with_priorities(&self) -> Vec<(Priority, M)> {
        std::mem::take(&mut *lock(&self.entries))
    }

    /// The sizes of the batches handed over since the last time.
    #[must_use]
    pub fn take_batch_sizes(&self) -> Vec<usize> {
        std::mem::take(&mut *lock(&self.batches))
    }

    /// How many messages are recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.entries).len()
    }

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<M> Clone for ProbeLog<M> {
    fn clone(&self) -> Self {
        Self { entries: Arc::clone(&self.entries), batches: Arc::clone(&self.batches) }
    }
}

impl<M> fmt::Debug for ProbeLog<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeLog").field("messages", &self.len()).finish()
    }
}

impl<M> fmt::Debug for Probe<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("log", &self.log).finish()
    }
}
