//! Messages an agent sends itself later.

use std::future::Future;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinHandle};

use super::current;
use super::instance::Instance;
use super::reference::AgentRef;
use crate::message::Message;
use crate::sync::Arc;

/// A timer that can be cancelled. Dropping the handle lets the timer go on; the end of its agent's
/// incarnation cancels it.
#[derive(Debug, Clone)]
pub struct TimerHandle {
    task: AbortHandle,
}

impl TimerHandle {
    /// Sends nothing more. A message already queued stays queued.
    pub fn cancel(&self) {
        self.task.abort();
    }

    /// Whether it will send nothing more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

/// The timers of one incarnation of an agent. They end with it: its next incarnation sets its own.
#[derive(Debug, Default)]
pub(super) struct Timers {
    tasks: Vec<AbortHandle>,
    sweep_at: usize,
}

impl Timers {
    pub(super) fn send_after<M: Message>(
        &mut self,
        owner: &Arc<Instance>,
        to: AgentRef<M>,
        delay: Duration,
        message: M,
    ) -> TimerHandle {
        self.spawn(owner, async move {
            tokio::time::sleep(delay).await;
            // A timer's message obeys the mailbox like any other: it waits, is refused or sheds as the
            // agent's overflow policy says. A refusal is counted there.
            let _ = to.tell(message).await;
        })
    }

    pub(super) fn every<M: Message>(
        &mut self,
        owner: &Arc<Instance>,
        to: AgentRef<M>,
        period: Duration,
        mut message: impl FnMut() -> M + 'static,
    ) -> TimerHandle {
        self.spawn(owner, async move {
            let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
            // Ticks that fell due while one waited for room are skipped: a backlog of ticks helps nobody.
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                if let Err(crate::TellError::Closed(_)) = to.tell(message()).await {
                    return;
                }
            }
        })
    }

    fn spawn(&mut self, owner: &Arc<Instance>, timer: impl Future<Output = ()> + 'static) -> TimerHandle {
        // As its agent: what a timer sends is work from inside, also while the runtime shuts down.
        let timer = current::scope(Arc::clone(owner), timer);
        let task: JoinHandle<()> = tokio::task::spawn_local(timer);
        let handle = TimerHandle { task: task.abort_handle() };
        if self.tasks.len() >= self.sweep_at {
            // Swept when it has doubled, so that an agent that sets a timer per message stays small.
            self.tasks.retain(|task| !task.is_finished());
            self.sweep_at = (self.tasks.len() * 2).max(16);
        }
        self.tasks.push(handle.task.clone());
        handle
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
