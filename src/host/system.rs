//! Threads: one actix system for each runtime, and its arbiters.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use actix_rt::{Arbiter, ArbiterHandle, System, SystemRunner};
use tokio::runtime::{Builder, Handle, Runtime};

use super::actor::{Manner, Ward};
use crate::agent::{Placement, current};
use crate::clock::Clock;
use crate::sync::{Arc, Mutex, Ordering, lock};
use crate::telemetry::Metering;

/// The arbiter an agent lives on.
#[derive(Clone)]
pub(crate) struct Home {
    pub(super) ward: Arc<Ward>,
    /// The arbiter is there for one agent instance and ends with it.
    pub(super) is_own: bool,
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("is_own", &self.is_own).finish_non_exhaustive()
    }
}

/// The arbiters that agents share by name.
type Groups = HashMap<(Arc<str>, Rank), Arc<Ward>>;

/// The threads of one runtime.
pub(crate) struct Host {
    system: System,
    timers: Handle,
    shared: Vec<Arc<Ward>>,
    next_shared: AtomicUsize,
    groups: Mutex<Groups>,
    threads: Mutex<Threads>,
    clock: Clock,
    metering: Metering,
    /// Everything on one thread, whatever the placement: virtual time has one clock.
    single: Option<Arc<Ward>>,
}

#[derive(Default)]
struct Threads {
    system: Option<JoinHandle<()>>,
    arbiters: Vec<Arbiter>,
    /// Nothing is started any more.
    stopped: bool,
}

impl Host {
    /// Starts a system on a thread of its own, with so many shared arbiters.
    pub(crate) fn start(shared_arbiters: usize, clock: Clock, metering: Metering) -> io::Result<Self> {
        let (started, starting) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("statim-system".to_owned()).spawn(move || {
            let runtime = match event_loop() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            let handle = runtime.handle().clone();
            let runner = System::with_tokio_rt(move || runtime);
            let _ = started.send(Ok((System::current(), handle)));
            if let Err(error) = runner.run() {
                tracing::error!(%error, "the system arbiter ended with an error");
            }
        })?;
        let (system, timers) =
            starting.recv().map_err(|_| io::Error::other("the system thread ended while it started"))??;
        let mut host = Self {
            system,
            timers,
            shared: Vec::new(),
            next_shared: AtomicUsize::new(0),
            groups: Mutex::new(HashMap::new()),
            threads: Mutex::new(Threads { system: Some(thread), ..Threads::default() }),
            clock,
            metering,
            single: None,
        };
        let shared = (0..shared_arbiters.max(1)).map(|_| host.new_ward(Rank::Usual, false)).collect();
        match shared {
            Ok(shared) => host.shared = shared,
            Err(error) => {
                // Those that did start must not stay behind.
                host.stop();
                host.join();
                return Err(error);
            }
        }
        Ok(host)
    }

    /// The arbiter for an agent of this placement.
    pub(crate) fn home(&self, placement: &Placement, parent: Option<&Home>) -> io::Result<Home> {
        if let Some(ward) = &self.single {
            return Ok(Home { ward: Arc::clone(ward), is_own: false });
        }
        let ward = match (placement, parent) {
            (Placement::WithParent, Some(parent)) => Arc::clone(&parent.ward),
            (Placement::Shared | Placement::WithParent, _) => {
                let turn = self.next_shared.fetch_add(1, Ordering::Relaxed);
                Arc::clone(&self.shared[turn % self.shared.len()])
            }
            (Placement::Group(name), _) => self.group(name, Rank::Usual)?,
            (Placement::Background(name), _) => self.group(name, Rank::Background)?,
            (Placement::Own, _) => self.new_ward(Rank::Usual, true)?,
        };
        Ok(Home { ward, is_own: *placement == Placement::Own })
    }

    fn group(&self, name: &Arc<str>, rank: Rank) -> io::Result<Arc<Ward>> {
        let mut groups = lock(&self.groups);
        if let Some(ward) = groups.get(&(Arc::clone(name), rank)) {
            return Ok(Arc::clone(ward));
        }
        let ward = self.new_ward(rank, false)?;
        groups.insert((Arc::clone(name), rank), Arc::clone(&ward));
        Ok(ward)
    }

    fn new_ward(&self, rank: Rank, is_own: bool) -> io::Result<Arc<Ward>> {
        let arbiter = self.new_arbiter(rank)?;
        // What is in the background must not keep a core from others, not even for microseconds.
        let manner = Manner { is_own, listens: rank == Rank::Usual };
        Ok(Ward::open(arbiter, self.clock.clone(), self.metering.clone(), manner))
    }

    /// An arbiter belongs to the system of the thread that makes it. The caller's thread may belong to a
    /// system of its own, or to none, and should stay so: a thread in between makes it.
    fn new_arbiter(&self, rank: Rank) -> io::Result<ArbiterHandle> {
        let system = self.system.clone();
        let maker = std::thread::Builder::new().name("statim-arbiter-start".to_owned());
        let arbiter = maker
            .spawn(move || {
                System::set_current(system);
                Arbiter::try_with_tokio_rt(move || {
                    // On the arbiter's thread, before it starts others: on Linux they inherit it.
                    rank.apply();
                    current::mark_arbiter();
                    event_loop()
                })
            })?
            .join()
            .map_err(|_| io::Error::other("an arbiter panicked while it started"))??;
        let handle = arbiter.handle();
        let mut threads = lock(&self.threads);
        if threads.stopped {
            arbiter.stop();
            return Err(io::Error::other("the runtime has ended"));
        }
        // Arbiters that ended with their agent leave their place.
        threads.arbiters.retain(Arbiter::alive);
        threads.arbiters.push(arbiter);
        Ok(handle)
    }

    /// A Tokio runtime with timers that run as long as this host.
    pub(crate) fn timers(&self) -> &Handle {
        &self.timers
    }

    /// Whether its timers end with it; in virtual time they belong to the test.
    pub(crate) fn ends_its_timers(&self) -> bool {
        self.single.is_none()
    }

    /// Runs a future on the system arbiter.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.system.arbiter().spawn(future);
    }

    /// Tells every thread to end. Handlers still running are dropped at their next await.
    pub(crate) fn stop(&self) {
        if self.single.is_some() {
            return;
        }
        let mut threads = lock(&self.threads);
        threads.stopped = true;
        // The system would tell those it knows; one that is just starting it may not know yet.
        for arbiter in &threads.arbiters {
            arbiter.stop();
        }
        self.system.stop();
    }

    /// Waits for the threads to end, after [`stop`](Self::stop); blocks, as long as a handler blocks its thread.
    pub(crate) fn join(&self) {
        let (arbiters, system) = {
            let mut threads = lock(&self.threads);
            (std::mem::take(&mut threads.arbiters), threads.system.take())
        };
        for arbiter in arbiters {
            let _ = arbiter.join();
        }
        if let Some(system) = system {
            let _ = system.join();
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("shared_arbiters", &self.shared.len()).finish_non_exhaustive()
    }
}

/// What an arbiter's thread is to the operating system's scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rank {
    Usual,
    Background,
}

impl Rank {
    /// Sets it for the calling thread.
    fn apply(self) {
        /// Weighs about a ninth of a thread at 0, so a thread that wakes up is let in at once, and still gets
        /// its share of an idle processor.
        #[cfg(target_os = "linux")]
        const BACKGROUND_NICENESS: i32 = 10;
        #[cfg(target_os = "linux")]
        if self == Self::Background {
            // Linux keeps niceness per thread, under the thread's own id.
            let thread = rustix::thread::gettid();
            if let Err(error) = rustix::process::setpriority_process(Some(thread), BACKGROUND_NICENESS) {
                tracing::debug!(%error, "the background thread keeps its usual scheduling priority");
            }
        }
    }
}

fn event_loop() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A system on the caller's thread whose time is virtual: it stands still while anything can run, and
/// jumps to the next timer when nothing can.
pub(crate) struct VirtualHost {
    runner: SystemRunner,
}

impl VirtualHost {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
        Ok(Self { runner: System::with_tokio_rt(move || runtime) })
    }

    /// The host to build a runtime on. Call inside [`block_on`](Self::block_on).
    pub(crate) fn host(clock: &Clock) -> Host {
        let system = System::current();
        // In virtual time nothing takes time, so nobody could be heard by listening.
        let manner = Manner { is_own: false, listens: false };
        let ward = Ward::open(system.arbiter().clone(), clock.clone(), Metering::default(), manner);
        Host {
            system,
            timers: Handle::current(),
            shared: Vec::new(),
            next_shared: AtomicUsize::new(0),
            groups: Mutex::new(HashMap::new()),
            threads: Mutex::new(Threads::default()),
            clock: clock.clone(),
            metering: Metering::default(),
            single: Some(ward),
        }
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runner.block_on(future)
    }
}
