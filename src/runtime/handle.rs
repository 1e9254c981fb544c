//! What everybody may do with a runtime.

use std::fmt;
use std::time::Duration;

use super::core::Core;
use super::error::{FindError, SpawnError};
use super::pool::SharedPool;
use super::registry::Entry;
use super::shutdown::stop;
use crate::agent::{Agent, AgentCell, AgentOptions, AgentRef, AnyCell, Instance, Pool, Seat, short_name};
use crate::delivery::DeadLetter;
use crate::host::{self, Home};
use crate::message::{Key, Message};
use crate::sync::{Arc, Mutex, Ordering};
use crate::telemetry::{AgentState, RuntimeEvent, Snapshot};

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
        if let Some(source) = options.admission.and_then(|admission| admission.validate().err()) {
            return Err(SpawnError::Admission { name: name.to_owned(), source });
        }
        let name: Arc<str> = Arc::from(name);
        let options = self.core.shared(options);
        let places = self.furnish::<A>(&name, &options);
        let reference = reference(options.pool, &places);
        if !self.core.registry.register(Arc::clone(&name), Entry::new(&reference, options.pool)) {
            return Err(SpawnError::NameTaken { name: name.to_string() });
        }
        // Registered before the look: a shutdown that begins after it finds the agent and stops it.
        if self.core.closing.load(Ordering::SeqCst) {
            self.withdraw(&places);
            return Err(SpawnError::ShuttingDown { name: name.to_string() });
        }
        // Threads last: a spawn that is refused starts none.
        let (parent, parents_home) = parent.unzip();
        let homes = match self.homes(options.pool.instances(), &options, parents_home.as_ref()) {
            Ok(homes) => homes,
            Err(source) => {
                self.withdraw(&places);
                return Err(SpawnError::Thread { name: name.to_string(), source });
            }
        };
        let factory: Arc<dyn Fn() -> A + Send + Sync> = Arc::new(factory);
        let pool = matches!(options.pool, Pool::Shared(_)).then(|| SharedPool {
            cell: Arc::clone(&places[0].0),
            options: Arc::clone(&options),
            factory: Arc::clone(&factory),
            parent: parent.clone(),
            parents_home,
            turn: Mutex::default(),
        });
        for ((cell, instance), home) in places.into_iter().zip(homes) {
            let (runtime, options, parent) = (self.clone(), Arc::clone(&options), parent.clone());
            instance.set_arbiter(home.arbiter());
            let seat = Seat { cell, instance, runtime, options, parent, home };
            host::seat(seat, Arc::clone(&factory));
        }
        if let Some(pool) = pool {
            let cell: Arc<dyn AnyCell> = Arc::clone(&pool.cell) as Arc<dyn AnyCell>;
            self.core.registry.let_resize(&name, &cell, Arc::new(pool));
        }
        Ok(reference)
    }

    /// A cell for each mailbox, an instance for each member.
    fn furnish<A: Agent>(&self, name: &Arc<str>, options: &AgentOptions) -> Vec<Place<A::Message>> {
        let agent_type = short_name(std::any::type_name::<A>());
        let cell = |name: Arc<str>, family: &Arc<str>| {
            Arc::new(AgentCell::new(
                name,
                Arc::clone(family),
                agent_type,
                options,
                Arc::clone(&self.core.commons),
            ))
        };
        let shared = cell(Arc::clone(name), name);
        let place = |number| {
            let label = match options.pool {
                Pool::Single => Arc::clone(name),
                Pool::Shared(_) | Pool::ByKey(_) => Arc::from(format!("{name}/{number}")),
            };
            let cell = match options.pool {
                Pool::Single | Pool::Shared(_) => Arc::clone(&shared),
                Pool::ByKey(_) => cell(Arc::clone(&label), name),
            };
            let consumer = u32::try_from(number).unwrap_or(u32::MAX);
            let instance = Arc::new(Instance::new(consumer, label, self.core.commons.latencies));
            cell.add_instance(Arc::clone(&instance));
            (cell, instance)
        };
        (0..options.pool.instances()).map(place).collect()
    }

    /// Takes back what was registered and will never be seated.
    fn withdraw<M: Message>(&self, places: &[Place<M>]) {
        for (cell, instance) in places {
            cell.leave(instance, AgentState::Stopped);
            self.note_end(&cell.family);
        }
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

    /// Removes the messages about `key`, queued or waiting for room, from every agent's mailbox. Says how many.
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
            links: self.core.commons.links.snapshot(),
            dead_letters: self.core.commons.dead_letters.total(),
        }
    }

    /// The latest dead letters, oldest first; how many are kept is the builder's choice.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.core.commons.dead_letters.latest()
    }

    /// What befell agents, guards on links and admission control lately, oldest first: the last 256, of which those that
    /// repeat are one.
    #[must_use]
    pub fn recent_events(&self) -> Vec<RuntimeEvent> {
        self.core.commons.happenings.latest()
    }

    /// Names of the agents that have not ended.
    #[must_use]
    pub fn living(&self) -> Vec<String> {
        let cells = self.core.registry.all_cells();
        cells.iter().filter(|cell| !cell.has_ended()).map(|cell| cell.name().to_string()).collect()
    }

    /// Stops an agent: it handles what it has and ends. Resolves when it has ended. After 5 s it is told to
    /// leave what is still queued to the dead letters; after 10 s this resolves, though a handler that does
    /// not end may still be running.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the agent ends all the same.
    pub async fn stop_and_wait(&self, name: &str) {
        self.stop_cells(&self.core.registry.cells(name)).await;
    }

    /// The same for several cells at once.
    pub(crate) async fn stop_cells(&self, cells: &[Arc<dyn AnyCell>]) {
        let ended = || cells.iter().all(|cell| cell.has_ended());
        stop(cells, true);
        if !self.core.wait_until(CHILD_DRAIN, ended).await {
            stop(cells, false);
            self.core.wait_until(CHILD_DRAIN, ended).await;
        }
    }

    /// Asks whoever owns the runtime to shut it down.
    pub fn request_shutdown(&self) {
        if self.core.shutdown_requested.swap(true, Ordering::SeqCst) {
            return;
        }
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
        self.core.registry.forget_ended(name);
        self.core.ended.notify_waiters();
    }
}

impl fmt::Debug for RuntimeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeHandle").field("agents", &self.living()).finish()
    }
}

/// What an instance is before it has a home.
type Place<M> = (Arc<AgentCell<M>>, Arc<Instance>);

fn reference<M: Message>(pool: Pool, places: &[Place<M>]) -> AgentRef<M> {
    match pool {
        Pool::Single | Pool::Shared(_) => AgentRef::to(Arc::clone(&places[0].0)),
        Pool::ByKey(_) => AgentRef::by_key(places.iter().map(|(cell, _)| Arc::clone(cell)).collect()),
    }
}
