//! The outbox: messages that are stored before their send completes, delivered until their handler succeeds, and
//! forgotten only then.
//!
//! Think of registered mail: the sender has a receipt once the letter is in the book, the postman comes again until
//! somebody signs, and what nobody can take lies at the counter with the reason on it (the dead letters).
//!
//! ```text
//!  DurableRef::tell ──> commit (many senders, one transaction) ──> lane ──> feeder ──> mailbox ──> handler
//!                            ^                                       ^                                │
//!                            └──────── settlements <─────────────────┼────────────────────────────────┘
//!                         store ──────── what did not fit in memory ─┘
//! ```
//!
//! * `ledger`: the tables and every statement on them.
//! * `commit`: group commit, on a thread of the outbox's own.
//! * `lane`, `feed`: from the store into the mailbox, in order, one lane a priority.
//! * `record`, `settlements`: what became of a message, on its way back.
//! * [`Work`], [`Receipt`]: effects and messages in one transaction.

mod batch;
mod binding;
mod commit;
mod core;
mod durable;
mod error;
mod feed;
mod id;
mod lane;
mod ledger;
mod options;
mod receipt;
mod record;
mod reference;
mod row;
mod settlements;
mod stats;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;

use tokio::sync::{mpsc, oneshot};

pub use self::durable::Durable;
pub use self::error::{BindError, OutboxError, SendError, SettleError, StoreFault, WorkError};
pub use self::id::StoredId;
pub use self::options::OutboxOptions;
pub use self::receipt::Receipt;
pub use self::reference::{DurableRef, DurableTell};
pub use self::stats::{AgentOutbox, OutboxStats};
pub use self::work::Work;

use self::binding::{AnyBinding, BLOCK, Binding};
use self::core::{Command, Core};
use self::ledger::Registered;
use self::settlements::Settlements;
use crate::agent::AgentRef;
use crate::mailbox::Overflow;
use crate::message::Priority;
use crate::store::{Lock, LockId, Store};
use crate::sync::Arc;

/// Commands that wait for the thread of an outbox. Senders beyond wait in turn.
const COMMANDS: usize = 4_096;

/// Durable messages in one store. A clone is another handle on the same outbox.
///
/// # Guarantees
///
/// * A send that returned `Ok` is committed: the message is handled, or becomes a stored dead letter, whatever crashes.
/// * A message is delivered again after a crash unless its handler had succeeded. Its effect is made exactly once if it
///   is settled in the transaction of the effect ([`Receipt::settle_in`]).
/// * Messages of one agent and priority are delivered in the order of their commits, before and after a crash.
/// * Memory is bounded: a window of messages a lane, and the rest in the store, up to [`OutboxOptions::pending`].
///
/// # Examples
///
/// ```no_run
/// # use statim::prelude::*;
/// # use statim::delivery::{Durable, Outbox};
/// # use statim::store::Store;
/// # async fn example<M: Durable>(agent: AgentRef<M>, message: M) -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::open("sqlite://var/statim.db").await?;
/// let outbox = Outbox::open(&store).await?;
/// let ledger = outbox.bind(&agent).await?;
/// ledger.tell(message).idempotency_key("revocation 17").await.map_err(|refused| refused.to_string())?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Outbox {
    handle: Arc<Handle>,
}

/// Closes the outbox with its last handle.
struct Handle {
    core: Arc<Core>,
}

impl Outbox {
    /// Opens the outbox in `store` with [`OutboxOptions::default`]; see [`open_with`](Self::open_with).
    ///
    /// # Errors
    ///
    /// As [`open_with`](Self::open_with).
    pub async fn open(store: &Store) -> Result<Self, OutboxError> {
        Self::open_with(store, OutboxOptions::default()).await
    }

    /// Opens the outbox in `store`, making its tables if needed, and starts its thread.
    ///
    /// # Errors
    ///
    /// [`OutboxError`]: the tables cannot be brought up to date, or the thread not be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the tables may have been made.
    pub async fn open_with(store: &Store, options: OutboxOptions) -> Result<Self, OutboxError> {
        super::letters::migrate(store).await?;
        store.migrate(ledger::COMPONENT, ledger::MIGRATIONS).await?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(OutboxError::Thread)?;
        let (commands, queue) = mpsc::channel(COMMANDS);
        let core = Arc::new(Core::new(store.clone(), options.sound(), commands, runtime.handle().clone()));
        let thread_core = Arc::clone(&core);
        std::thread::Builder::new()
            .name("statim-outbox".to_owned())
            .spawn(move || runtime.block_on(commit::run(thread_core, queue)))
            .map_err(OutboxError::Thread)?;
        Ok(Self { handle: Arc::new(Handle { core }) })
    }

    /// Binds an agent by its name: what is stored for it is delivered from now on, first what was stored before.
    ///
    /// An agent that ends leaves its messages in the store; bind its successor of the same name to go on.
    ///
    /// # Errors
    ///
    /// [`BindError`]: the name is bound already, its mailbox sheds, or the database failed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the agent is bound or not.
    pub async fn bind<M: Durable>(&self, agent: &AgentRef<M>) -> Result<DurableRef<M>, BindError> {
        let core = &self.handle.core;
        let name = agent.name();
        if agent.overflow() == Overflow::ShedLeastUrgent {
            return Err(BindError::Sheds { agent: name.to_owned() });
        }
        if core.is_bound(name) {
            return Err(BindError::Taken { agent: name.to_owned() });
        }
        // What a predecessor handled is not to be delivered again.
        if !core.flush().await {
            return Err(BindError::Closed);
        }
        let lock = self.lock(name).await?;
        let Registered { number, next, pending } = self.register(name).await?;
        let Some(number) = u16::try_from(number).ok().filter(|number| i64::from(*number) < id::AGENTS) else {
            return Err(BindError::TooMany { agent: name.to_owned() });
        };
        let pending = u64::try_from(pending).unwrap_or(0);
        let settlements = Arc::new(Settlements::new(pending, std::sync::Arc::clone(&core.bell)));
        let binding =
            Arc::new(Binding::new(agent.clone(), number, next, settlements, Arc::clone(core), lock));
        let any: Arc<dyn AnyBinding> = binding.clone();
        core.bound(name, Arc::downgrade(&any));
        for priority in Priority::ALL {
            core.thread.spawn(feed::feed(Arc::clone(&binding), priority));
        }
        Ok(DurableRef::new(binding))
    }

    /// The right to deliver an agent's messages, of which there is one in all processes.
    async fn lock(&self, name: &str) -> Result<Lock, BindError> {
        let core = &self.handle.core;
        // A predecessor in this process has ended, or the name would be bound.
        core.let_go_of(name);
        let id = LockId::named(&format!("statim outbox {name}"));
        match tokio::time::timeout(core.options.takeover, core.store.lock(id)).await {
            Ok(Ok(lock)) => Ok(lock),
            Ok(Err(source)) => Err(BindError::Lock { agent: name.to_owned(), source }),
            Err(_) => Err(BindError::Taken { agent: name.to_owned() }),
        }
    }

    async fn register(&self, name: &str) -> Result<Registered, BindError> {
        let core = &self.handle.core;
        let registering = async {
            let mut work = core.store.write().await?;
            let registered = ledger::register(&mut work, name).await?;
            let number = u16::try_from(registered.number).unwrap_or(u16::MAX);
            ledger::reserve(&mut work, number, registered.next.saturating_add(BLOCK)).await?;
            work.commit().await?;
            Ok(registered)
        };
        registering.await.map_err(|source: StoreFault| BindError::Store { agent: name.to_owned(), source })
    }

    /// Begins a transaction of effects and messages.
    ///
    /// # Errors
    ///
    /// [`WorkError::Undone`]: it could not begin.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn begin(&self) -> Result<Work, WorkError> {
        Work::begin(Arc::clone(&self.handle.core)).await
    }

    /// Resolves when everything that was settled before the call is removed from the store. `false` if it could not be:
    /// those messages may be delivered once more after a restart.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flush(&self) -> bool {
        self.handle.core.flush().await
    }

    /// The figures of this outbox.
    #[must_use]
    pub fn stats(&self) -> OutboxStats {
        self.handle.core.stats()
    }

    /// Reads the figures as long as the outbox is open, and does not keep it so.
    pub(crate) fn watch(&self) -> impl Fn() -> Option<OutboxStats> + Send + Sync + 'static {
        let handle = Arc::downgrade(&self.handle);
        move || Some(handle.upgrade()?.core.stats())
    }

    /// Stops delivering, writes down what is settled, and ends the outbox's thread. Call it after the agents have
    /// stopped, so that what they handled last is known. Sends from here on are refused as closed.
    ///
    /// Dropping the last handle closes too, but does not wait.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the outbox closes all the same.
    pub async fn close(self) {
        let (done, is_done) = oneshot::channel();
        if self.handle.core.commands.send(Command::Close(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        let close = Command::Close(done);
        if let Err(mpsc::error::TrySendError::Full(close)) = self.core.commands.try_send(close) {
            let commands = self.core.commands.clone();
            self.core.thread.spawn(async move { drop(commands.send(close).await) });
        }
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("store", &self.handle.core.store).finish_non_exhaustive()
    }
}
