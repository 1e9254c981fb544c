//! What a handler can do besides handling.

use std::fmt;
use std::time::Duration;

use super::Agent;
use super::cell::AgentCell;
use super::instance::Instance;
use super::options::AgentOptions;
use super::reference::AgentRef;
use super::timer::{TimerHandle, Timers};
use crate::delivery::Receipt;
use crate::message::{Keeper, Message, Priority};
use crate::runtime::{RuntimeHandle, SpawnError};
use crate::sync::Arc;

/// Where one incarnation of an agent sits: its cell, its instance, its runtime.
pub(crate) struct Seat<M: Message> {
    pub(crate) cell: Arc<AgentCell<M>>,
    pub(crate) instance: Arc<Instance>,
    pub(crate) runtime: RuntimeHandle,
    pub(crate) options: Arc<AgentOptions>,
    /// The instance to tell when this one is given up.
    pub(crate) parent: Option<Arc<Instance>>,
    /// The arbiter it lives on, for children that want to live there too.
    pub(crate) home: crate::host::Home,
}

impl<M: Message> Clone for Seat<M> {
    fn clone(&self) -> Self {
        Self {
            cell: Arc::clone(&self.cell),
            instance: Arc::clone(&self.instance),
            runtime: self.runtime.clone(),
            options: Arc::clone(&self.options),
            parent: self.parent.clone(),
            home: self.home.clone(),
        }
    }
}

/// An agent's view of its surroundings, lent to its handlers.
pub struct Context<A: Agent> {
    seat: Seat<A::Message>,
    me: AgentRef<A::Message>,
    timers: Timers,
    current: Priority,
    attempt: u16,
    /// Whoever keeps the message being handled, if it is durable.
    keeper: Option<Arc<dyn Keeper>>,
    stop_requested: bool,
}

impl<A: Agent> Context<A> {
    pub(crate) fn new(seat: Seat<A::Message>) -> Self {
        Self {
            me: AgentRef::to(Arc::clone(&seat.cell)),
            seat,
            timers: Timers::default(),
            current: Priority::Critical,
            attempt: 1,
            keeper: None,
            stop_requested: false,
        }
    }

    /// The agent's own address; for a member of a pool by key, the member's.
    pub fn me(&self) -> &AgentRef<A::Message> {
        &self.me
    }

    /// The agent's name.
    pub fn name(&self) -> &str {
        &self.seat.cell.name
    }

    /// The runtime it lives in: to find other agents, spawn, purge.
    pub fn runtime(&self) -> &RuntimeHandle {
        &self.seat.runtime
    }

    /// The priority of the message or batch being handled.
    pub fn priority(&self) -> Priority {
        self.current
    }

    /// Which attempt at the message this is, from 1. For a batch, that of its first message.
    pub fn attempt(&self) -> u16 {
        self.attempt
    }

    /// The store's record of the message being handled, if it came through an [`Outbox`](crate::delivery::Outbox). In a
    /// batch each message has its own; see [`Batch::receipts`](super::Batch::receipts).
    pub fn receipt(&self) -> Option<Receipt> {
        self.keeper.clone().and_then(Receipt::of)
    }

    /// Whether something more urgent than what is being handled waits. A handler with much to do looks
    /// from time to time and cuts its work short: that is how "urgent first" holds inside a long batch.
    pub fn urgent_waiting(&self) -> bool {
        self.seat.cell.mailbox.holds_more_urgent_than(self.current)
    }

    /// Ends this agent after the current message, or after `started`; what is queued is handled by its restart, if its
    /// supervision restarts it always, and goes to the dead letters otherwise.
    pub fn stop(&mut self) {
        self.stop_requested = true;
    }

    /// Sends the agent a message after `delay`.
    pub fn send_after(&mut self, delay: Duration, message: A::Message) -> TimerHandle {
        self.timers.send_after(&self.seat.instance, self.me.clone(), delay, message)
    }

    /// Sends the agent a message every `period` (at least 1 ms), for the first time after one period.
    /// Ticks that fall due while the mailbox is full are skipped.
    pub fn every(&mut self, period: Duration, message: impl FnMut() -> A::Message + 'static) -> TimerHandle {
        self.timers.every(&self.seat.instance, self.me.clone(), period, message)
    }

    /// Spawns an agent that stops with this one and whose giving up fails this one.
    ///
    /// # Errors
    ///
    /// As [`RuntimeHandle::spawn`].
    pub fn spawn_child<C: Agent>(
        &mut self,
        name: &str,
        options: AgentOptions,
        factory: impl Fn() -> C + Send + Sync + 'static,
    ) -> Result<AgentRef<C::Message>, SpawnError> {
        let parent = Some((Arc::clone(&self.seat.instance), self.seat.home.clone()));
        let child = self.seat.runtime.spawn_under(name, options, factory, parent)?;
        self.seat.instance.adopt(child.any_cells());
        Ok(child)
    }

    pub(crate) fn begin(&mut self, priority: Priority, failed_attempts: u16) {
        self.current = priority;
        self.attempt = failed_attempts.saturating_add(1);
    }

    #[inline]
    pub(crate) fn keep(&mut self, keeper: Option<Arc<dyn Keeper>>) {
        // Mostly from none to none, which drops nothing.
        self.keeper = keeper;
    }

    pub(crate) fn stop_requested(&self) -> bool {
        self.stop_requested
    }
}

impl<A: Agent> fmt::Debug for Context<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("agent", &self.seat.instance.label).finish_non_exhaustive()
    }
}
