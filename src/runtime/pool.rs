//! A running pool that gets more members, or fewer.

use std::io;

use tokio::sync::oneshot;

use super::error::ScaleError;
use super::handle::RuntimeHandle;
use crate::agent::{Agent, AgentCell, AgentOptions, Command, Instance, Seat};
use crate::host::{self, Home};
use crate::sync::{Arc, Mutex, Ordering, lock};
use crate::telemetry::Occurrence;

/// What became of a pool's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scaled {
    /// Members before, without those that were leaving already or had been given up.
    pub from: usize,
    /// Members that are to stay now.
    pub to: usize,
}

/// The most members of a pool.
pub(crate) const MOST: usize = 1_024;

/// A pool whatever its agent: how it changes its size.
pub(crate) trait Resize: Send + Sync {
    /// Gives it as many members as `wanted` says, who is told how many there are.
    fn resize(
        &self,
        runtime: &RuntimeHandle,
        wanted: &dyn Fn(usize) -> usize,
    ) -> Result<(Scaled, Vec<Arc<Instance>>), ScaleError>;

    /// The size it was spawned with.
    fn configured(&self) -> usize;

    /// What tells this pool from a later one of the same name.
    fn born_at(&self) -> u64;
}

/// The shared pool of an agent `A`.
pub(super) struct SharedPool<A: Agent> {
    pub(super) cell: Arc<AgentCell<A::Message>>,
    pub(super) options: Arc<AgentOptions>,
    pub(super) factory: Arc<dyn Fn() -> A + Send + Sync>,
    pub(super) parent: Option<Arc<Instance>>,
    pub(super) parents_home: Option<Home>,
    /// Held by whoever changes the size.
    pub(super) turn: Mutex<()>,
}

impl<A: Agent> Resize for SharedPool<A> {
    fn resize(
        &self,
        runtime: &RuntimeHandle,
        wanted: &dyn Fn(usize) -> usize,
    ) -> Result<(Scaled, Vec<Arc<Instance>>), ScaleError> {
        let _turn = lock(&self.turn);
        let name = || self.cell.family.to_string();
        if runtime.core().closing.load(Ordering::SeqCst) {
            return Err(ScaleError::ShuttingDown { name: name() });
        }
        let from = self.cell.staying();
        if from == 0 {
            return Err(ScaleError::Ended { name: name() });
        }
        let to = wanted(from);
        if !(1..=MOST).contains(&to) {
            return Err(ScaleError::OutOfRange { name: name(), instances: to });
        }
        let mut came = Vec::new();
        if to > from {
            came = self.welcome(runtime, to - from)?;
        } else {
            self.cell.dismiss_all_but(to);
        }
        if to != from {
            tracing::info!(agent = %self.cell.family, from, to, "the pool was given another size");
            self.cell.commons.happenings.note(&self.cell.family, Occurrence::Scaled { from, to });
        }
        Ok((Scaled { from, to }, came))
    }

    fn configured(&self) -> usize {
        self.options.pool.instances()
    }

    fn born_at(&self) -> u64 {
        self.cell.born_at.0
    }
}

impl<A: Agent> SharedPool<A> {
    fn welcome(&self, runtime: &RuntimeHandle, count: usize) -> Result<Vec<Arc<Instance>>, ScaleError> {
        let name = || self.cell.family.to_string();
        // Threads first: who has joined has to have a home.
        let homes = runtime
            .homes(count, &self.options, self.parents_home.as_ref())
            .map_err(|source| ScaleError::Thread { name: name(), source })?;
        let mut make = |number| {
            let label = Arc::from(format!("{}/{number}", self.cell.family));
            Arc::new(Instance::new(number, label, self.cell.commons.latencies))
        };
        // Who joins before the pool is told to stop is told too; afterwards nobody can join.
        let Ok(came) = self.cell.join(count, &mut make) else {
            homes.iter().for_each(Home::give_up);
            return Err(ScaleError::Ended { name: name() });
        };
        for (instance, home) in came.iter().zip(homes) {
            let seat = Seat {
                cell: Arc::clone(&self.cell),
                instance: Arc::clone(instance),
                runtime: runtime.clone(),
                options: Arc::clone(&self.options),
                parent: self.parent.clone(),
                home,
            };
            host::seat(seat, Arc::clone(&self.factory));
        }
        Ok(came)
    }
}

impl RuntimeHandle {
    /// Gives a pool another size while it works.
    ///
    /// Members that come are made by the pool's factory and placed as those that are there; given up ones are replaced.
    /// Members that go are those that came last: each finishes the message or batch at hand and ends, and what is
    /// queued stays for the others. What a member did stays in the agent's figures. Several that change one pool take
    /// turns, and a pool that is ending, by a stop or with the runtime, stays as it is.
    ///
    /// Resolves when each new member serves, or has failed to start (its supervision goes on trying); those that go may
    /// be at a message still.
    ///
    /// # Errors
    ///
    /// [`ScaleError`]: there is no such agent, it is not a [`Pool::Shared`](crate::Pool::Shared), it is ending, the size is
    /// not from 1 to 1,024, or a thread could not be started. Then nothing has changed.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, the change is made all the same.
    pub async fn scale(&self, name: &str, instances: usize) -> Result<Scaled, ScaleError> {
        let (scaled, came) = self.resize(name, &|_| instances)?;
        let mut answers = Vec::new();
        for instance in came {
            let (answer, answered) = oneshot::channel();
            if instance.command(Command::Inspect(answer)).is_ok() {
                answers.push(answered);
            }
        }
        for answered in answers {
            // One that has ended by now has nothing to say.
            let _ = answered.await;
        }
        Ok(scaled)
    }

    /// The same at once: new members may not have started yet.
    pub(crate) fn resize(
        &self,
        name: &str,
        wanted: &dyn Fn(usize) -> usize,
    ) -> Result<(Scaled, Vec<Arc<Instance>>), ScaleError> {
        self.core().registry.pool(name)?.resize(self, wanted)
    }

    /// An arbiter for each of so many instances.
    pub(super) fn homes(
        &self,
        count: usize,
        options: &AgentOptions,
        parent: Option<&Home>,
    ) -> io::Result<Vec<Home>> {
        let mut homes = Vec::new();
        for _ in 0..count {
            match self.core().host.home(&options.placement, parent) {
                Ok(home) => homes.push(home),
                Err(error) => {
                    homes.iter().for_each(Home::give_up);
                    return Err(error);
                }
            }
        }
        Ok(homes)
    }
}
