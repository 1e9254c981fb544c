//! Rebuilding an agent on request.

use tokio::sync::oneshot;

use super::error::RestartError;
use super::handle::RuntimeHandle;
use crate::agent::{Command, Instance, current};
use crate::sync::{Arc, Ordering};

impl RuntimeHandle {
    /// Rebuilds an agent: it finishes the message or batch at hand, ends in order (with its children), and is made anew by
    /// its factory. The mailbox keeps what it holds and goes on taking messages, so nothing is lost. The members of a pool
    /// are rebuilt one after another while the others serve; a member of a pool by key may be named alone, as in
    /// `name/3`.
    ///
    /// Unlike [`AgentRef::restart`](crate::AgentRef::restart), which only tells the agent, this resolves when the new
    /// incarnations serve. It counts in the agent's restarts, and not against its supervision's intensity: nothing failed.
    ///
    /// # Errors
    ///
    /// [`RestartError`]: there is no such agent, it ends, or the caller is the agent itself, which would wait for its own
    /// end.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, instances that were told are rebuilt all the same, and the rest of a pool is not. A handler may take
    /// as long as it likes, and so may this: an agent that calls it about one which may ask it something should not wait
    /// without a limit.
    pub async fn restart(&self, name: &str) -> Result<(), RestartError> {
        let instances = self.to_restart(name)?;
        self.rebuild(name, instances).await
    }

    /// The instances to rebuild, unless the caller is one of them.
    pub(crate) fn to_restart(&self, name: &str) -> Result<Vec<Arc<Instance>>, RestartError> {
        let core = self.core();
        if core.closing.load(Ordering::SeqCst) {
            return Err(RestartError::Ended { name: name.to_owned() });
        }
        let cells = core.registry.cells_named(name);
        if cells.iter().all(|cell| cell.has_ended()) {
            return Err(RestartError::NotFound { name: name.to_owned() });
        }
        let instances: Vec<_> = cells.iter().flat_map(|cell| cell.instances()).collect();
        let is_me = |me: &Arc<Instance>| instances.iter().any(|instance| Arc::ptr_eq(instance, me));
        if current::instance().as_ref().is_some_and(is_me) {
            return Err(RestartError::Itself { name: name.to_owned() });
        }
        Ok(instances)
    }

    /// Rebuilds these, one after another.
    pub(crate) async fn rebuild(
        &self,
        name: &str,
        instances: Vec<Arc<Instance>>,
    ) -> Result<(), RestartError> {
        let mut rebuilt = false;
        for instance in instances {
            let (answer, answered) = oneshot::channel();
            let told = instance.command(Command::Restart).is_ok()
                && instance.command(Command::Serving(answer)).is_ok();
            rebuilt |= told && answered.await.is_ok();
        }
        // A member that ended meanwhile, or left its pool, was not rebuilt and does not serve either.
        if rebuilt { Ok(()) } else { Err(RestartError::Ended { name: name.to_owned() }) }
    }
}
