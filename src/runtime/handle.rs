//! What everybody may do with a runtime.

use std::fmt;
use std::time::Duration;

use super::core::Core;
use super::error::{FindError, SpawnError};
use super::registry::Entry;
use super::shutdown::command;
use crate::agent::{Agent, AgentCell, AgentOptions, AgentRef, Command, Instance, Placement, Pool, Seat};
use crate::delivery::DeadLetter;
use crate::host::{self, Home};
use crate::message::{Key, Message};
use crate::sync::{Arc, Ordering};
use crate::telemetry::Snapshot;

/// How long a parent waits for a child to drain before it cuts it short.
const CHILD_DRAIN: Duration = Duration::from_secs(5);

/// A runtime as agents and programs see it: to spawn, find and watch agents. Cheap to clone, from any
/// thread. It does not keep the runtime running.
#[derive(Clone)]
pub struct RuntimeHandle {
    core: Arc<Core>,
}

impl RuntimeHandle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Starts an agent under a name, and returns its address at once; messages queue until it has started.
    ///
    /// The factory makes the agent's state, on the agent's own thread: at the start and at each restart,
    /// once for each instance of a pool.
    ///
    /// # Errors
    ///
    /// [`SpawnError`]: the name is taken, the runtime is ending, or a thread could not be started.
    pub fn spawn<A: Agent>(
        &self,
        name: &str,
        options: AgentOptions,
        factory: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<AgentRef<A::Message>, SpawnError> {
        self.spawn_under(name, options, factory, None)
    }

    pub(crate) fn spawn_under<A: Agent>(
        &self,
        name: &str,
        options: AgentOptions,
        factory: impl Fn() -> A + Send + Sync + 'static,
        parent: Option<(Arc<Instance>, Home)>,
    ) -> Result<AgentRef<A::Message>, SpawnError> {
        let name: Arc<str> = Arc::from(name);
        let seats = self
            .furnish::<A>(&name, options, parent)
            .map_err(|source| SpawnError::Thread { name: name.to_string(), source })?;
        let reference = reference(&seats);
        if self.core.closing.load(Ordering::SeqCst) {
            return Err(SpawnError::ShuttingDown { name: name.to_string() });
        }
        if !self.core.registry.register(Arc::clone(&name), Entry::new(&reference)) {
            return Err(SpawnError::NameTaken { name: name.to_string() });
        }
        let factory: Arc<dyn Fn() -> A + Send + Sync> = Arc::new(factory);
        for seat in seats {
            host::seat(seat, Arc::clone(&factory));
        }
        Ok(reference)
    }

    /// A cell for each mailbox, a seat for each instance.
    fn furnish<A: Agent>(
        &self,
        name: &Arc<str>,
        options: AgentOptions,
        parent: Option<(Arc<Instance>, Home)>,
    ) -> std::io::Result<Vec<Seat<A::Message>>> {
        let options = Arc::new(options);
        let (parent, parents_home) = parent.unzip();
        let path = std::any::type_name::<A>();
        let agent_type = path.rsplit("::").next().unwrap_or(path);
        let cell = |name: Arc<str>, family: &Arc<str>| {
            Arc::new(AgentCell::new(
                name,
                Arc::clone(family),
                agent_type,
                options.stop_order,
                options.mailbox,
                Arc::clone(&self.core.commons),
            ))
        };
        let shared = cell(Arc::clone(name), name);
        let mut seats = Vec::new();
        for number in 0..options.pool.instances() {
            let label = match options.pool {
                Pool::Single => Arc::clone(name),
                Pool::Shared(_) | Pool::ByKey(_) => Arc::from(format!("{name}/{number}")),
            };
            let cell = match options.pool {
                Pool::Single | Pool::Shared(_) => Arc::clone(&shared),
                Pool::ByKey(_) => cell(Arc::clone(&label), name),
            };
            let consumer = u32::try_from(number).unwrap_or(u32::MAX);
            let instance = Arc::new(Instance::new(consumer, label));
            cell.add_instance(Arc::clone(&instance));
            seats.push(Seat {
                cell,
                instance,
                runtime: self.clone(),
                options: Arc::clone(&options),
                parent: parent.clone(),
                home: self.home(&options.placement, parents_home.as_ref())?,
            });
        }
        Ok(seats)
    }

    fn home(&self, placement: &Placement, parent: Option<&Home>) -> std::io::Result<Home> {
        self.core.host.home(placement, parent)
    }

    /// The agent of this name, if it takes messages of type `M`.
    ///
    /// # Errors
    ///
    /// [`FindError`]: there is none, or it takes messages of another type.
    pub fn find<M: Message>(&self, name: &str) -> Result<AgentRef<M>, FindError> {
        self.core.registry.find(name)
    }

    /// Every living agent that takes messages of type `M`, by name.
    #[must_use]
    pub fn find_all<M: Message>(&self) -> Vec<(Arc<str>, AgentRef<M>)> {
        self.core.registry.find_all()
    }

    /// Removes the queued messages about `key` from every agent's mailbox. Says how many.
    pub fn purge(&self, key: Key) -> usize {
        self.core.registry.all_cells().iter().map(|cell| cell.purge(key)).sum()
    }

    /// The state of everything at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let cells = self.core.registry.all_cells();
        Snapshot {
            uptime_seconds: self.core.commons.clock.now().0 as f64 / 1e9,
            agents: cells.iter().map(|cell| cell.snapshot()).collect(),
            dead_letters: self.core.commons.dead_letters.total(),
        }
    }

    /// The latest dead letters, oldest first; how many are kept is the builder's choice.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.core.commons.dead_letters.latest()
    }

    /// Names of the agents that have not ended.
    #[must_use]
    pub fn living(&self) -> Vec<String> {
        let cells = self.core.registry.all_cells();
        cells.iter().filter(|cell| !cell.has_ended()).map(|cell| cell.name().to_string()).collect()
    }

    /// Stops an agent: it handles what it has (for 5 s at most) and ends. Resolves when it has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the agent ends all the same.
    pub async fn stop_and_wait(&self, name: &str) {
        let cells = self.core.registry.cells(name);
        let ended = || cells.iter().all(|cell| cell.has_ended());
        cells.iter().for_each(|cell| command(&**cell, || Command::Stop { drain: true }));
        if !self.core.wait_until(CHILD_DRAIN, ended).await {
            cells.iter().for_each(|cell| command(&**cell, || Command::Stop { drain: false }));
            self.core.wait_until(CHILD_DRAIN, ended).await;
        }
    }

    /// Asks whoever owns the runtime to shut it down.
    pub fn request_shutdown(&self) {
        self.core.shutdown_requested.store(true, Ordering::SeqCst);
        self.core.wanted_down.notify_waiters();
        let core = Arc::clone(&self.core);
        self.core.host.spawn(async move {
            core.shut_down().await;
        });
    }

    /// Resolves once a shutdown was requested, by an agent given up or by
    /// [`request_shutdown`](Self::request_shutdown).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn shutdown_requested(&self) {
        loop {
            let wanted = self.core.wanted_down.notified();
            if self.core.shutdown_requested.load(Ordering::SeqCst) {
                return;
            }
            wanted.await;
        }
    }

    pub(crate) fn note_end(&self, name: &str) {
        self.core.registry.forget_stopped(name);
        self.core.ended.notify_waiters();
    }
}

impl fmt::Debug for RuntimeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeHandle").field("agents", &self.living()).finish()
    }
}

fn reference<M: Message>(seats: &[Seat<M>]) -> AgentRef<M> {
    match seats[0].options.pool {
        Pool::Single | Pool::Shared(_) => AgentRef::to(Arc::clone(&seats[0].cell)),
        Pool::ByKey(_) => AgentRef::by_key(seats.iter().map(|seat| Arc::clone(&seat.cell)).collect()),
    }
}
