//! The life of an agent instance: incarnation after incarnation, until it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_util::FutureExt;

use super::attend::{Attendance, Outcome};
use super::sleep;
use crate::agent::{Agent, AgentCell, Command, Context, Escalation, Inspection, Instance, Restart, Seat};
use crate::mailbox::Gate;
use crate::message::Message;
use crate::runtime::supervision::{Supervisor, Verdict};
use crate::sync::Arc;
use crate::telemetry::{AgentState, Occurrence};

/// Serves an agent's mailbox from its first incarnation to its end.
///
/// This future is most of what an idle agent costs in memory, and it is as large as the largest of what it
/// may ever wait for. So only the usual waits, for a ring and for the handler of one message, are part of
/// it; the others are boxed while they last.
pub(super) async fn serve<A: Agent>(
    departure: Departure<A::Message>,
    factory: Arc<dyn Fn() -> A + Send + Sync>,
) {
    let seat = departure.seat();
    let mut life = Life {
        seat,
        factory: &*factory,
        supervisor: Supervisor::new(seat.options.supervision),
        has_started: false,
        paused: false,
    };
    let end = life.live().await;
    drop(life);
    departure.with(end);
}

struct Life<'a, A: Agent> {
    seat: &'a Seat<A::Message>,
    factory: &'a (dyn Fn() -> A + Send + Sync),
    supervisor: Supervisor,
    /// Whether the current incarnation got past its `started`.
    has_started: bool,
    /// Told to pause, in whatever incarnation, and not to resume since.
    paused: bool,
}

impl<A: Agent> Life<'_, A> {
    async fn live(&mut self) -> AgentState {
        loop {
            let restart = self.seat.options.supervision.restart;
            let closed = || self.seat.cell.mailbox.is_closed();
            let outcome = self.guarded_incarnation().await;
            let note = |what| self.seat.cell.commons.happenings.note(&self.seat.instance.label, what);
            if outcome == Outcome::Failed {
                note(Occurrence::Failed);
            }
            let rest = match outcome {
                Outcome::Stopped => return AgentState::Stopped,
                Outcome::StoppedItself if restart != Restart::Always => return AgentState::Stopped,
                Outcome::Restart => Duration::ZERO,
                Outcome::Failed if restart == Restart::Never => return AgentState::Failed,
                // It was to end: started once more for what is queued, and no oftener.
                Outcome::Failed if !self.has_started && closed() => return AgentState::Stopped,
                // One that always stops itself must not spin, so that counts like a failure.
                Outcome::StoppedItself | Outcome::Failed => {
                    match self.supervisor.failed(self.seat.cell.now()) {
                        Verdict::RestartAfter(rest) => rest,
                        Verdict::GiveUp => return AgentState::Failed,
                    }
                }
            };
            if let Some(end) = Box::pin(self.back_off(rest)).await {
                return end;
            }
            self.seat.cell.stats.restarted();
            note(if outcome == Outcome::Restart { Occurrence::RebuiltAsAsked } else { Occurrence::Rebuilt });
        }
    }

    /// An incarnation, whatever of a user's code panics in it and wherever.
    async fn guarded_incarnation(&mut self) -> Outcome {
        if let Some(outcome) = guarded(self.incarnation()).await {
            return outcome;
        }
        tracing::error!(agent = %self.seat.instance.label, "the agent panicked outside its handler");
        self.seat.cell.stats.panicked();
        self.stop_children().await;
        Outcome::Failed
    }

    async fn stop_children(&self) {
        let children = self.seat.instance.take_children();
        if !children.is_empty() {
            Box::pin(self.seat.runtime.stop_cells(&children)).await;
        }
    }

    /// From the factory to the last message of this incarnation.
    async fn incarnation(&mut self) -> Outcome {
        let instance = &self.seat.instance;
        instance.set_state(AgentState::Starting);
        self.has_started = false;
        let mut ctx = Context::new(self.seat.clone());
        let Ok(mut agent) = catch_unwind(AssertUnwindSafe(self.factory)) else {
            tracing::error!(agent = %instance.label, "the agent's factory panicked");
            return Outcome::Failed;
        };
        let outcome = match Box::pin(guarded(agent.started(&mut ctx))).await {
            Some(Ok(())) => {
                let draining = self.seat.cell.mailbox.is_closed();
                instance.set_state(if draining { AgentState::Draining } else { AgentState::Running });
                self.has_started = true;
                self.supervisor.started(self.seat.cell.now());
                let mut attendance = Attendance::new(self.seat, &mut self.paused);
                let outcome = attendance.attend(&mut agent, &mut ctx).await;
                self.seat.cell.mailbox.settle_admissions();
                outcome
            }
            Some(Err(error)) => {
                tracing::error!(agent = %instance.label, %error, "the agent failed to start");
                Outcome::Failed
            }
            None => {
                tracing::error!(agent = %instance.label, "the agent panicked while it started");
                Outcome::Failed
            }
        };
        if outcome != Outcome::Failed && Box::pin(guarded(agent.stopped(&mut ctx))).await.is_none() {
            tracing::error!(agent = %instance.label, "the agent panicked while it stopped");
        }
        self.stop_children().await;
        // After a panic the state may be torn; its drop may panic too.
        if catch_unwind(AssertUnwindSafe(|| drop(agent))).is_err() {
            tracing::error!(agent = %instance.label, "the agent panicked while it was dropped");
        }
        outcome
    }

    /// Rests before the next incarnation. An end if one was commanded meanwhile.
    async fn back_off(&mut self, rest: Duration) -> Option<AgentState> {
        let mut later = Vec::new();
        let end = self.rest(rest, &mut later).await;
        // An instance that has ended takes none back, and dropping them says so.
        later.into_iter().for_each(|command| drop(self.seat.instance.command(command)));
        end
    }

    /// The same; what only an incarnation can obey is kept for `later`.
    async fn rest(&mut self, rest: Duration, later: &mut Vec<Command>) -> Option<AgentState> {
        let instance = &self.seat.instance;
        instance.set_state(AgentState::BackingOff);
        // Nobody is served here for a while: other members of a pool go on.
        self.seat.cell.mailbox.hand_over(instance.consumer);
        let until = self.seat.cell.now().after(rest);
        // However short the rest, and however often: the neighbours run in between, and so does the actor,
        // which passes on what a former child may have to say.
        tokio::task::yield_now().await;
        loop {
            let left = Duration::from_nanos(until.since(self.seat.cell.now()));
            if left.is_zero() && !instance.has_commands() {
                return None;
            }
            if !sleep::for_command(instance, Some(left)).await {
                return None;
            }
            match instance.next_command() {
                Some(Command::Stop { drain: false }) => return Some(AgentState::Stopped),
                Some(Command::Stop { drain: true }) => {
                    // What is queued is handled by one more incarnation, which need not rest.
                    self.seat.cell.mailbox.set_gate(Gate::Closed);
                    self.paused = false;
                    return None;
                }
                Some(Command::Pause) => self.paused = true,
                Some(Command::Resume) => self.paused = false,
                Some(Command::Restart) => return None,
                Some(Command::Inspect(answer)) => {
                    let _ = answer.send(inspection(instance, serde_json::Value::Null));
                }
                Some(Command::Leave) if self.seat.cell.may_leave(instance) => {
                    return Some(AgentState::Stopped);
                }
                // Not yet: for the incarnation to come.
                Some(serving @ Command::Serving(_)) => later.push(serving),
                // A child's failure died with its parent's incarnation.
                Some(Command::ChildFailed(_) | Command::Leave) | None => {}
            }
        }
    }
}

pub(super) fn inspection(instance: &Instance, agent: serde_json::Value) -> Inspection {
    Inspection { instance: instance.label.to_string(), state: instance.state(), agent }
}

/// Runs a user's future; `None` if it panicked.
pub(super) fn guarded<F: Future>(future: F) -> impl Future<Output = Option<F::Output>> {
    AssertUnwindSafe(future).catch_unwind().map(Result::ok)
}

/// Leaves the cell in order, also when the loop is dropped because its arbiter ends, or never runs because
/// its arbiter has ended.
pub(super) struct Departure<M: Message> {
    seat: Seat<M>,
    end: AgentState,
}

impl<M: Message> Departure<M> {
    pub(super) fn of(seat: Seat<M>) -> Self {
        Self { seat, end: AgentState::Stopped }
    }

    pub(super) fn seat(&self) -> &Seat<M> {
        &self.seat
    }

    fn with(mut self, end: AgentState) {
        self.end = end;
    }
}

impl<M: Message> Drop for Departure<M> {
    fn drop(&mut self) {
        let Seat { cell, instance, runtime, options, parent, .. } = &self.seat;
        if self.end == AgentState::Failed {
            tracing::error!(agent = %instance.label, "the agent failed too often and was given up");
            cell.commons.happenings.note(&instance.label, Occurrence::GivenUp);
            // Before the end is seen: a parent that waits for it must not be told in its next incarnation.
            match (parent, options.supervision.escalation) {
                (Some(parent), Escalation::Parent) => {
                    let _ = parent.command(Command::ChildFailed(Arc::clone(&instance.label)));
                }
                (None, Escalation::Parent) => {}
                (_, Escalation::Shutdown) => runtime.request_shutdown(),
            }
        }
        AgentCell::leave(cell, instance, self.end);
        runtime.note_end(&cell.family);
    }
}
