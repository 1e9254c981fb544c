//! What a runtime's handles share.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};

use super::registry::Registry;
use super::shutdown::Ending;
use crate::agent::{AgentOptions, Commons};
use crate::host::Host;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

pub(crate) struct Core {
    /// Its own: no other runtime has it, here or in another process.
    pub(crate) id: u64,
    pub(crate) commons: Arc<Commons>,
    pub(crate) host: Host,
    pub(crate) registry: Registry,
    /// Woken whenever an agent ends.
    pub(crate) ended: Notify,
    /// Set once the runtime begins to end: nothing is spawned any more.
    pub(crate) closing: AtomicBool,
    /// Woken when somebody asks for a shutdown.
    pub(crate) wanted_down: Notify,
    pub(crate) shutdown_requested: AtomicBool,
    /// How it ended: whoever else asks for a shutdown waits for the same one.
    pub(crate) ending: OnceCell<Ending>,
    shutdown_deadline_nanos: AtomicU64,
    /// The options of the last agent: who spawns thousands spawns them alike.
    last_options: Mutex<Arc<AgentOptions>>,
}

impl Core {
    pub(crate) fn new(commons: Arc<Commons>, host: Host, shutdown_deadline: Duration) -> Self {
        commons.set_timers(host.timers().clone());
        Self {
            id: rand::random(),
            commons,
            host,
            registry: Registry::default(),
            ended: Notify::new(),
            closing: AtomicBool::new(false),
            wanted_down: Notify::new(),
            shutdown_requested: AtomicBool::new(false),
            ending: OnceCell::new(),
            shutdown_deadline_nanos: AtomicU64::new(crate::clock::nanos(shutdown_deadline)),
            last_options: Mutex::default(),
        }
    }

    /// These options, in one place for all agents that are spawned alike one after another.
    pub(crate) fn shared(&self, options: AgentOptions) -> Arc<AgentOptions> {
        let mut last = lock(&self.last_options);
        if **last != options {
            *last = Arc::new(options);
        }
        Arc::clone(&last)
    }

    pub(crate) fn shutdown_deadline(&self) -> Duration {
        Duration::from_nanos(self.shutdown_deadline_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn set_shutdown_deadline(&self, deadline: Duration) {
        self.shutdown_deadline_nanos.store(crate::clock::nanos(deadline), Ordering::Relaxed);
    }

    /// Stops the threads. Spawning is over, and so are timers that run on the system's thread.
    pub(crate) fn stop(&self) {
        self.closing.store(true, Ordering::SeqCst);
        if self.host.ends_its_timers() {
            self.commons.close_timers();
        }
        self.host.stop();
    }

    /// Waits until `done` holds, looking again whenever an agent ends; whether it did in time.
    pub(crate) async fn wait_until(&self, within: Duration, done: impl Fn() -> bool) -> bool {
        let mut timer = self.commons.sleep(within);
        loop {
            let ended = self.ended.notified();
            let mut ended = std::pin::pin!(ended);
            // Registered before the look, so that an end in between is not missed.
            ended.as_mut().enable();
            if done() {
                return true;
            }
            tokio::select! {
                () = &mut ended => {}
                () = &mut timer => return done(),
            }
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("host", &self.host).finish_non_exhaustive()
    }
}
